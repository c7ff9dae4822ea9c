//! The tag changes of an entity, the newest first.

use maud::{Markup, html};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::profile::{Shown, json_text};
use super::words::EntityWords;
use crate::model::{Cause, ChangeType, Timestamp};
use crate::serve::api::{ApiContext, ApiError, ChangesAnswer, read};
use crate::serve::history::{ChangeQuery, StoredChange};
use crate::serve::page::frame::{because, entity_path};
use crate::serve::page::overview::{HistoryReach, await_history, no_history, reach_note};
use crate::serve::page::words::{Code, rich};

/// Changes of one page.
const LIMIT: usize = 50;

/// The changes of an entity up to an instant, from a row of the history on.
pub(super) async fn changes(
    api: &ApiContext,
    entity: &str,
    key: &str,
    to: Timestamp,
    row: Option<i64>,
) -> Result<Result<ChangesAnswer, HistoryReach>, ApiError> {
    let answer = async {
        await_history(api).await?;
        let (entity, key) = (entity.to_owned(), key.to_owned());
        read(api, move |history| {
            let query =
                ChangeQuery { kind: &entity, key: &key, from: Timestamp::MIN, to, tag: None, row, limit: LIMIT };
            ChangesAnswer::of(history, query)
        })
        .await
    };
    match answer.await {
        Ok(answer) => Ok(Ok(answer)),
        Err(error) => no_history(error).map(Err),
    }
}

/// The time line.
pub(super) fn timeline(shown: Shown<'_>, answer: &Result<ChangesAnswer, HistoryReach>) -> Markup {
    let say = EntityWords(shown.reader.language);
    html! {
        section id="changes" aria-labelledby="changes-title" {
            h2 id="changes-title" { (say.changes()) }
            @match answer {
                Err(reach) => { (reach_note(shown.times, reach)) }
                Ok(answer) => {
                    @if answer.changes.is_empty() { p.quiet { (say.changes_none()) } }
                    ol.steps { @for change in &answer.changes { (step(shown, change)) } }
                    @if let Some(cursor) = &answer.cursor {
                        p { a href=(earlier(answer, cursor)) { (say.changes_earlier()) } }
                    }
                    @let reaches = answer.reaches.as_deref().and_then(|reaches| Timestamp::parse(reaches).ok());
                    @if let Some(reaches) = reaches { (reach_note(shown.times, &HistoryReach::Since(Some(reaches)))) }
                }
            }
        }
    }
}

/// The page with the changes before these.
fn earlier(answer: &ChangesAnswer, cursor: &str) -> String {
    let path = entity_path(&answer.entity, &answer.key);
    let separator = if path.contains('?') { '&' } else { '?' };
    format!("{path}{separator}cursor={cursor}#changes")
}

fn step(shown: Shown<'_>, change: &StoredChange) -> Markup {
    let (say, tag) = (EntityWords(shown.reader.language), shown.title_of(&change.tag));
    let (to, from) = (parsed(&change.value), parsed(&change.previous));
    let is = |of: ChangeType| of.name() == change.change;
    let sentence = match () {
        () if is(ChangeType::Removed) => say.went(&tag),
        () if is(ChangeType::Changed) => say.changed(&tag, Code(&json_text(&from)), Code(&json_text(&to))),
        () if to == Json::Bool(true) => say.came(&tag),
        () => say.came_with(&tag, Code(&json_text(&to))),
    };
    html! {
        li data-change=(change.id) {
            (shown.times.second(change.at)) ": " strong { (rich(&sentence)) } ", " (say.by(&cause(say, change.cause)))
            @if let Some(because) = because(change.because.get()) { " (" (because) ")" }
        }
    }
}

fn parsed(text: &RawValue) -> Json {
    serde_json::from_str(text.get()).unwrap_or_default()
}

fn cause(say: EntityWords, name: &str) -> String {
    match Cause::named(name) {
        Some(Cause::Event) => say.cause_event(),
        Some(Cause::Timer) => say.cause_timer(),
        Some(Cause::Catalog) => say.cause_catalog(),
        Some(Cause::Command) => say.cause_command(),
        Some(Cause::Erased) => say.cause_erased(),
        Some(Cause::Forgotten) => say.cause_forgotten(),
        None => name.to_owned(),
    }
}
