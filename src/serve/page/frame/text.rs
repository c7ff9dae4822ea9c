//! Keys, values and paths, written so that no content can pass for the page's own.
//!
//! HTML is escaped by the templates. Beside that, characters that are not seen or that turn the direction of a text are
//! shown by their numbers, and each text of unknown origin is isolated, so that it moves nothing beside it.

use std::fmt::Write;

use maud::{Markup, html};
use serde_json::{Map, Value as Json};

use crate::serve::page::words::visible;

/// Longer texts are cut where they are shown; their whole text is in the title.
const SHOWN_CHARS_MAX: usize = 200;

/// A text of unknown origin: a key, a value, a note.
pub(in crate::serve::page) fn key(text: &str) -> Markup {
    let shown = cut(text);
    html! { bdi.key title=[(text.chars().count() > SHOWN_CHARS_MAX).then(|| visible(text))] { (shown) } }
}

/// The values that a change reports: `workouts_30d = 3`; `None`: it reports none.
pub(in crate::serve::page) fn because(text: &str) -> Option<Markup> {
    let values: Map<String, Json> = serde_json::from_str(text).unwrap_or_default();
    (!values.is_empty()).then(|| {
        html! {
            @for (place, (name, of)) in values.iter().enumerate() {
                @if place > 0 { ", " }
                code { (key(name)) } " = " (value(of))
            }
        }
    })
}

/// A value of a tag, an attribute or a counter, as the catalog writes it.
pub(in crate::serve::page) fn value(value: &Json) -> Markup {
    match value {
        Json::Null => html! { span.absent { "–" } },
        Json::String(text) => key(text),
        other => html! { span.value { (other) } },
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        None => visible(text),
        Some((end, _)) => visible(&text[..end]) + "…",
    }
}

/// A part of a path.
fn segment(text: &str) -> String {
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => path.push(char::from(byte)),
            // A String takes everything.
            other => drop(write!(path, "%{other:02X}")),
        }
    }
    path
}

/// Whether a key can be a part of a path: browsers take these for steps between folders.
fn is_step(text: &str) -> bool {
    matches!(text, "" | "." | "..")
}

/// The page of a tag.
pub(in crate::serve::page) fn tag_path(tag: &str) -> String {
    format!("/tags/{}", segment(tag))
}

/// The page of an entity.
pub(in crate::serve::page) fn entity_path(kind: &str, key: &str) -> String {
    if is_step(key) {
        return format!("/entities?kind={}&key={}", segment(kind), segment(key));
    }
    format!("/entities/{}/{}", segment(kind), segment(key))
}

/// The page of an audience of an expression.
pub(in crate::serve::page) fn audience_path(entity: &str, condition: &str) -> String {
    format!("/audience?entity={}&where={}", segment(entity), segment(condition))
}

/// A path of this site, for where a form leads back to; anything else leads to the overview.
pub(in crate::serve::page) fn local_path(wanted: &str) -> &str {
    let is_local = wanted.starts_with('/') && !wanted.starts_with("//") && !wanted.starts_with("/\\");
    if is_local && wanted.chars().all(|character| character.is_ascii_graphic()) { wanted } else { "/" }
}
