//! The page, and its answer alone, for a script that asks while somebody writes.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::figures::{AudienceExtent, AudienceFacts};
use super::form::fields;
use super::parts::{parts, told};
use super::question::AudienceForm;
use super::words::AudienceWords;
use crate::model::Timestamp;
use crate::serve::api::{ApiError, Parameters};
use crate::serve::page::assets::Asset;
use crate::serve::page::frame::{PageContext, PageFrame, PageReader, Place};
use crate::serve::page::words::{Code, Count, Share, rich};

/// The page.
pub(in crate::serve::page) async fn show(
    State(context): State<PageContext>,
    reader: PageReader,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let form = AudienceForm::read(parameters)?;
    let entity = form.entity.as_deref().unwrap_or("user");
    context.api.note_members(reader.caller()?, entity, form.condition.as_deref())?;
    let facts = AudienceFacts::of(&context.api, &form, AudienceExtent::Everything).await?;
    let body = html! {
        (fields(&reader, &form, &facts, size(&reader, &form, &facts)))
        (parts(&reader, &form, &facts))
    };
    Ok(page(&reader, &facts, body))
}

/// The size alone, or what is wrong.
pub(in crate::serve::page) async fn answer(
    State(context): State<PageContext>,
    reader: PageReader,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let form = AudienceForm { cursor: None, ..AudienceForm::read(parameters)? };
    let facts = AudienceFacts::of(&context.api, &form, AudienceExtent::SizeAlone).await?;
    let body = size(&reader, &form, &facts);
    Ok(page(&reader, &facts, body))
}

fn page(reader: &PageReader, facts: &AudienceFacts, body: Markup) -> Response {
    let title = AudienceWords(reader.language).title();
    let scripts = [Asset::Complete, Asset::Answer];
    PageFrame { reader, place: Place::Audience, title: &title, view: Some(&facts.view), scripts: &scripts, body }
        .render()
}

fn size(reader: &PageReader, form: &AudienceForm, facts: &AudienceFacts) -> Markup {
    let (say, times) = (AudienceWords(reader.language), reader.times(&facts.view));
    html! {
        div id="answer" role="status" aria-live="polite" {
            @match &facts.size {
                Err(trouble) => { (told(reader, trouble)) }
                Ok(size) => {
                    dl.cards {
                        div.card {
                            dt { (say.size()) }
                            dd.size { (Count(size.size)) }
                            dd.quiet { small { (rich(&say.size_of(Share { part: size.size, whole: size.of }, Code(&size.entity)))) } }
                        }
                        @if let Some(at) = facts.at { div.card { dt { (say.in_the_past()) } dd { (times.second(at)) } } }
                    }
                    @for counter in &size.incomplete {
                        @let until = counter.complete_at.as_deref().and_then(|at| Timestamp::parse(at).ok());
                        p.notice {
                            @match until {
                                Some(until) => { (rich(&say.incomplete_until(Code(&counter.counter), &times.minute_text(until)))) }
                                None => { (rich(&say.incomplete(Code(&counter.counter)))) }
                            }
                        }
                    }
                    (links(say, form, facts))
                }
            }
        }
    }
}

/// What can be sent and taken along. The fixed link is of the view's instant.
fn links(say: AudienceWords, form: &AudienceForm, facts: &AudienceFacts) -> Markup {
    let plain = AudienceForm { cursor: None, ..form.clone() };
    let at = facts.at.or_else(|| facts.view.clock()).map(|at| at.to_string());
    let fixed = AudienceForm { as_of: at, ..plain.clone() }.address("/audience");
    let of = AudienceForm { by: Vec::new(), others: Vec::new(), from: None, to: None, ..plain };
    html! {
        ul.links aria-label=(say.links()) {
            li { a href=(fixed) { (say.link_fixed()) } }
            li { a href=(of.address("/audience/members.csv")) download { (say.csv()) } }
            li { a href=(of.address("/audience/members.ndjson")) download { (say.ndjson()) } }
        }
    }
}
