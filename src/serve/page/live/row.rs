//! A change as a row of the list.

use maud::{Markup, html};
use serde_json::Value as Json;

use crate::serve::access::Scope;
use crate::serve::api::titles;
use crate::serve::history::StoredChange;
use crate::serve::page::frame::{PageReader, because, entity_path, key, tag_path, value};
use crate::serve::page::tag::{TagWords, cause, change_word};
use crate::serve::page::words::Times;
use crate::serve::replica::ReplicaView;

pub(super) fn row(reader: &PageReader, view: &ReplicaView, times: &Times, change: &StoredChange) -> Markup {
    let say = TagWords(reader.language);
    let parsed = |text: &str| serde_json::from_str::<Json>(text).unwrap_or_default();
    let (new, old) = (parsed(change.value.get()), parsed(change.previous.get()));
    let tag = view.compiled.catalog.tags.iter().find(|tag| *tag.name == *change.tag);
    let titles = tag.map(titles).unwrap_or_default();
    let title = reader.language.title(&titles, &change.tag);
    html! {
        li data-row=(change.row) {
            (times.second(change.at)) " "
            @if reader.entities.len() > 1 { code { (change.entity) } " " }
            @if reader.may(Scope::Profile) {
                a href=(entity_path(&change.entity, &change.key)) { (key(&change.key)) }
            } @else {
                (key(&change.key))
            }
            " "
            span.chip { (change_word(say, change.change)) }
            " "
            a href=(tag_path(&change.tag)) { (title) }
            // Of a tag that is on or off there is nothing more to say.
            @if [&new, &old].iter().any(|value| !value.is_boolean() && !value.is_null()) {
                " " (value(&old)) " → " (value(&new))
            }
            span.quiet {
                " (" (cause(say, change.cause))
                @if let Some(because) = because(change.because.get()) { ": " (because) }
                ")"
            }
        }
    }
}
