//! The page of a tag.

use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};

use super::figures::TagFacts;
use super::over_time::over_time;
use super::reasons::reasons;
use super::words::TagWords;
use crate::serve::access::Scope;
use crate::serve::api::{ApiError, LabelSize, TagDocument};
use crate::serve::page::assets::Asset;
use crate::serve::page::chart::{Bar, bars};
use crate::serve::page::frame::{PageContext, PageFrame, PageReader, Place, audience_path, entity_path, key, tag_path};
use crate::serve::page::overview::reach_note;
use crate::serve::page::words::{Count, Share};

/// The page.
pub(in crate::serve::page) async fn show(
    State(context): State<PageContext>,
    reader: PageReader,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    let say = TagWords(reader.language);
    let view = context.api.view(None)?;
    let facts = TagFacts::of(&context.api, &view, &name).await?;
    let times = reader.times(&view);
    let title = reader.language.title(&facts.document.title, &name).to_owned();
    let body = html! {
        @if facts.document.held { p.notice { (say.held()) } }
        @if let Some(about) = &facts.document.description { p { (about) } }
        (head(say, &facts))
        @if !facts.document.labels.is_empty() { (labels(say, &facts)) }
        h2 { (say.definition()) }
        pre { code { (facts.written) } }
        @match &facts.history {
            Ok(history) => {
                div id="over-time" data-live { (over_time(&times, history)) }
                div id="reasons" data-live { (reasons(say, &history.figures.reasons)) }
            }
            Err(reach) => { (reach_note(&times, reach)) }
        }
        h2 { (say.forecast()) }
        div data-include=(format!("{}/forecast", tag_path(&name))) data-part="forecast" {
            p { a href=(format!("{}/forecast", tag_path(&name))) { (say.forecast_of(&title)) } }
        }
        (members(&reader, say, &facts))
    };
    let scripts = [Asset::Refresh, Asset::Include];
    let frame = PageFrame {
        reader: &reader,
        place: Place::Elsewhere,
        title: &title,
        view: Some(&view),
        scripts: &scripts,
        body,
    };
    Ok(frame.render())
}

fn head(say: TagWords, facts: &TagFacts) -> Markup {
    let TagFacts { document, of, history, .. } = facts;
    let volatility = history.as_ref().ok().and_then(|history| history.figures.volatility);
    html! {
        dl.cards id="head" data-live {
            div.card {
                dt { (say.size()) }
                dd.size { (Count(document.size)) }
                dd.quiet { small { (say.size_of(Share { part: document.size, whole: *of }, &document.entity)) } }
            }
            div.card { dt { (say.name()) } dd { code { (document.tag) } } }
            div.card { dt { (say.entity()) } dd { code { (document.entity) } } }
            @if let Some(group) = &document.group { div.card { dt { (say.group()) } dd { (group.replace('/', " › ")) } } }
            @if let Some(owner) = &document.owner { div.card { dt { (say.owner()) } dd { (key(owner)) } } }
            @if let Some(volatility) = volatility {
                div.card title=(say.volatility_about()) { dt { (say.volatility()) } dd { (format!("{volatility:.2}")) } }
            }
        }
    }
}

fn labels(say: TagWords, facts: &TagFacts) -> Markup {
    let TagDocument { labels, tag, entity, size, .. } = &facts.document;
    let path = |name: &str| audience_path(entity, &format!("tag.{tag} == {}", serde_json::Value::from(name)));
    let bar = |label: &LabelSize| Bar {
        label: html! { a href=(path(&label.name)) { (key(&label.name)) } },
        size: label.size,
    };
    let rows: Vec<Bar> = labels.iter().map(bar).collect();
    html! { div id="labels" data-live { (bars(&say.labels(), &[&say.label(), &say.size(), &say.share()], &rows, *size)) } }
}

fn members(reader: &PageReader, say: TagWords, facts: &TagFacts) -> Markup {
    let entity = &facts.document.entity;
    html! {
        section id="members" aria-labelledby="members-title" {
            h2 id="members-title" { (say.members()) }
            @if facts.members.is_empty() {
                p.quiet { (say.members_none()) }
            } @else {
                p.quiet { (say.members_first(Count(facts.members.len() as u64))) }
                ul.keys {
                    @for member in &facts.members {
                        li {
                            @if reader.may(Scope::Profile) {
                                a href=(entity_path(entity, member)) { (key(member)) }
                            } @else {
                                (key(member))
                            }
                        }
                    }
                }
                p { a href=(audience_path(entity, &facts.condition)) { (say.members_all()) } }
            }
        }
    }
}
