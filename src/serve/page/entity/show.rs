//! The page of an entity, and the search that leads to it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::commands::notice;
use super::forms::forms;
use super::profile::{EntityFacts, Shown};
use super::timeline::{changes, timeline};
use super::words::EntityWords;
use crate::model::{EntityKindId, Timestamp};
use crate::serve::api::{ApiError, Parameters, Profile, cursor, explanations, kind, past_profile, work};
use crate::serve::page::frame::{PageContext, PageFrame, PageReader, Place, entity_path, hidden, instant_in, local_in};
use crate::serve::page::words::{Code, rich, visible};
use crate::serve::replica::ReplicaView;

/// Leads to the page of a key; shows it here where the key cannot stand in a path, or a past instant is asked for.
pub(in crate::serve::page) async fn find(
    State(context): State<PageContext>,
    reader: PageReader,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    let (entity, key) = (parameters.one("kind")?, parameters.one("key")?);
    let (entity, key) = (entity.unwrap_or_else(|| "user".to_owned()), key.unwrap_or_default());
    let path = entity_path(&entity, &key);
    if path.contains('?') || parameters.has("as_of") {
        return entity_page(&context, &reader, entity, key, parameters).await;
    }
    parameters.end()?;
    Ok((StatusCode::SEE_OTHER, [(LOCATION, path)]).into_response())
}

/// The page of an entity.
pub(in crate::serve::page) async fn show(
    State(context): State<PageContext>,
    reader: PageReader,
    Path((entity, key)): Path<(String, String)>,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    entity_page(&context, &reader, entity, key, parameters).await
}

async fn entity_page(
    context: &PageContext,
    reader: &PageReader,
    entity: String,
    key: String,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    let say = EntityWords(reader.language);
    let (done, as_of, row) = (parameters.one("done")?, parameters.one("as_of")?, cursor(&mut parameters)?);
    parameters.end()?;
    let view = context.api.view(None)?;
    let of = kind(&view, &entity)?;
    context.api.note(reader.caller()?, "profile", &entity, &key)?;
    if let Some(text) = as_of.filter(|text| !text.is_empty()) {
        let instant = instant_in(&view.compiled.catalog.timezone, "as_of", &text)?;
        return past_page(context, reader, &view, (of, entity, key), instant).await;
    }
    let (asked, wanted) = (view.clone(), key.clone());
    let facts = work(context.api.scans(), move || {
        let profile = Profile::of(&asked, of, &wanted)?;
        Ok(EntityFacts { profile, explained: explanations(&asked, of, &wanted)? })
    });
    let times = reader.times(&view);
    let shown = Shown { reader, view: &view, times: &times };
    let notice = done.as_deref().and_then(|word| notice(say, word));
    let (status, title, body) = match facts.await {
        Ok(facts) => {
            let changes = changes(&context.api, &entity, &key, Timestamp::FOREVER, row).await?;
            let body = html! {
                @if let Some(notice) = notice { p.notice role="status" { (notice) } }
                (shown.life(&facts))
                (shown.tags(&facts))
                (shown.next(&facts))
                (shown.values(&facts))
                (timeline(shown, &changes))
                (past_form(shown, &entity, &key, None))
                (forms(shown, of, &entity, &key))
            };
            (StatusCode::OK, say.title(&entity, &visible(&key)), body)
        }
        // A tag may be set on somebody who is not known yet.
        Err(ApiError::Unknown(_)) => {
            let body = html! {
                @if let Some(notice) = notice { p.notice role="status" { (notice) } }
                p { (rich(&say.unknown(Code(&entity), Code(&key)))) }
                p.quiet { (say.unknown_hint()) }
                (forms(shown, of, &entity, &key))
            };
            (StatusCode::NOT_FOUND, say.unknown_title(), body)
        }
        Err(error) => return Err(error),
    };
    let frame = PageFrame { reader, place: Place::Elsewhere, title: &title, view: Some(&view), scripts: &[], body };
    Ok((status, frame.render()).into_response())
}

/// The page of an entity as it was.
async fn past_page(
    context: &PageContext,
    reader: &PageReader,
    view: &Arc<ReplicaView>,
    (of, entity, key): (EntityKindId, String, String),
    instant: Timestamp,
) -> Result<Response, ApiError> {
    let times = reader.times(view);
    let shown = Shown { reader, view, times: &times };
    let profile = past_profile(&context.api, Arc::clone(view), of, key.clone(), instant).await?;
    let changes = changes(&context.api, &entity, &key, instant, None).await?;
    let body = html! {
        (shown.past(&profile, instant))
        (timeline(shown, &changes))
        (past_form(shown, &entity, &key, Some(instant)))
    };
    let title = EntityWords(reader.language).title(&entity, &visible(&key));
    let frame = PageFrame { reader, place: Place::Elsewhere, title: &title, view: Some(view), scripts: &[], body };
    Ok(frame.render())
}

/// Asks for a past instant.
fn past_form(shown: Shown<'_>, entity: &str, key: &str, instant: Option<Timestamp>) -> Markup {
    let say = EntityWords(shown.reader.language);
    let instant = instant.map(|instant| local_in(&shown.view.compiled.catalog.timezone, instant));
    html! {
        form.row id="past" method="get" action="/entities" {
            (hidden("kind", entity))
            (hidden("key", key))
            label { (say.past_form()) input name="as_of" type="datetime-local" step="1" required value=[instant]; }
            button type="submit" { (say.past_show()) }
        }
    }
}
