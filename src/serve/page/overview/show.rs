//! The page: notices, sizes, tags and health, one after the other.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::approvals::approvals;
use super::figures::OverviewFigures;
use super::health::health;
use super::table::tags;
use super::words::OverviewWords;
use crate::serve::access::Scope;
use crate::serve::api::{ApiError, Parameters};
use crate::serve::page::assets::Asset;
use crate::serve::page::frame::{PageContext, PageFrame, PageReader, Place};
use crate::serve::page::words::Count;

/// The overview.
pub(in crate::serve::page) async fn show(
    State(context): State<PageContext>,
    reader: PageReader,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    let say = OverviewWords(reader.language);
    let done = parameters.one("done")?;
    parameters.end()?;
    let view = context.api.view(None)?;
    let figures = match reader.may(Scope::Audience) {
        true => Some(OverviewFigures::of(&context.api, &view).await?),
        false => None,
    };
    let status = context.api.replica().status_now();
    let body = html! {
        @if done.as_deref() == Some("approved") { p.notice role="status" { (say.approved()) } }
        @match &figures {
            Some(figures) => {
                (approvals(&context, &reader, &figures.list))
                (entities(say, figures))
                h2 { (say.tags()) }
                (tags(&reader, figures))
            }
            None => { p.notice { (say.no_scope()) } }
        }
        (health(&reader, &view, &status, figures.as_ref().map(|figures| &figures.reach)))
    };
    let (title, scripts) = (say.title(), [Asset::Refresh, Asset::Filter]);
    let frame = PageFrame {
        reader: &reader,
        place: Place::Overview,
        title: &title,
        view: Some(&view),
        scripts: &scripts,
        body,
    };
    Ok(frame.render())
}

/// How many entities of each kind there are.
fn entities(say: OverviewWords, figures: &OverviewFigures) -> Markup {
    html! {
        dl.cards id="entities" data-live aria-label=(say.entities()) {
            @for (name, size) in &figures.list.entities {
                div.card { dt { code { (name) } } dd { (Count(*size)) } }
            }
        }
    }
}
