//! What comes of a form: a command is written, and the page waits a little until the state shows it.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use maud::html;
use serde_json::Value as Json;

use super::words::EntityWords;
use crate::serve::api::{ApiError, Body, CommandAnswer, CommandRequest, Parameters, SetTag};
use crate::serve::page::frame::{PageContext, PageFrame, PageReader, Place, entity_path};
use crate::serve::page::words::{Code, rich, visible};

/// How long a reader waits for the state to show a command.
const WAIT: Duration = Duration::from_secs(5);

/// What a page says after a command, by the word in its address.
pub(super) fn notice(say: EntityWords, word: &str) -> Option<String> {
    match word {
        "applied" => Some(say.done_applied()),
        "later" => Some(say.done_later()),
        _ => None,
    }
}

/// Sets or removes a manual tag, and leads back to the entity.
pub(in crate::serve::page) async fn set_tag(
    State(context): State<PageContext>,
    reader: PageReader,
    body: Body,
) -> Result<Response, ApiError> {
    let mut fields = Parameters::of_form(&body);
    let mut text = |name: &str| -> Result<Option<String>, ApiError> {
        Ok(fields.one(name)?.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))
    };
    let (entity, tag, value) = (text("kind")?, text("tag")?, text("value")?);
    let (valid_for, note, act) = (text("valid_for")?, text("note")?, text("do")?);
    let key = fields.one("key")?.unwrap_or_default();
    fields.end()?;
    let (entity, tag) = (entity.unwrap_or_default(), tag.unwrap_or_default());
    let request =
        CommandRequest { caller: reader.caller()?, entity: entity.clone(), key: key.clone(), note, wait: Some(WAIT) };
    let answer = match act.as_deref() {
        Some("remove") => request.remove_tag(&context.api, &tag).await?,
        Some("set") => {
            let value = value.as_deref().map(typed);
            request.set_tag(&context.api, &tag, SetTag { value, valid_for, note: None }).await?
        }
        _ => return Err(ApiError::Wrong("do is neither set nor remove".to_owned())),
    };
    let path = entity_path(&entity, &key);
    let separator = if path.contains('?') { '&' } else { '?' };
    let done = if answer.applied == Some(true) { "applied" } else { "later" };
    Ok((StatusCode::SEE_OTHER, [(LOCATION, format!("{path}{separator}done={done}"))]).into_response())
}

/// A value as it is typed: true, false, a number, or else a text.
fn typed(text: &str) -> Json {
    match serde_json::from_str::<Json>(text) {
        Ok(value @ (Json::Bool(_) | Json::Number(_) | Json::String(_))) => value,
        _ => Json::from(text),
    }
}

/// Erases an entity, where that was confirmed.
pub(in crate::serve::page) async fn erase(
    State(context): State<PageContext>,
    reader: PageReader,
    body: Body,
) -> Result<Response, ApiError> {
    let mut fields = Parameters::of_form(&body);
    let (entity, key) = (fields.one("kind")?.unwrap_or_default(), fields.one("key")?.unwrap_or_default());
    let (note, sure) = (fields.one("note")?.filter(|note| !note.trim().is_empty()), fields.one("sure")?);
    fields.end()?;
    if sure.as_deref() != Some("yes") {
        return Err(ApiError::Wrong("an erasure has to be confirmed: sure=yes".to_owned()));
    }
    let request = CommandRequest { caller: reader.caller()?, entity, key: key.clone(), note, wait: Some(WAIT) };
    let CommandAnswer { topic, partition, offset, applied } = request.erase(&context.api).await?;
    let say = EntityWords(reader.language);
    let body = html! {
        p role="status" { (if applied == Some(true) { say.done_erased() } else { say.done_erase_later() }) }
        p.quiet { (rich(&say.done_place(Code(&topic), partition, offset))) }
    };
    let title = visible(&key);
    let frame = PageFrame { reader: &reader, place: Place::Elsewhere, title: &title, view: None, scripts: &[], body };
    Ok(frame.render())
}
