//! The field for an expression, and the names that it can mention, which a script completes.

use maud::{Markup, html};

use super::words::FrameWords;
use crate::model::EntityKindId;
use crate::serve::page::words::Language;
use crate::serve::replica::ReplicaView;

/// A field with the identifier `where`, and the names below it.
pub(in crate::serve::page) fn expression_field(
    language: Language,
    view: &ReplicaView,
    kind: EntityKindId,
    written: &str,
) -> Markup {
    let say = FrameWords(language);
    html! {
        div.expression {
            label for="where" { (say.expression()) }
            input id="where" name="where" type="text" value=(written.replace(['\n', '\r'], " ")) autocomplete="off"
                autocapitalize="none" spellcheck="false" placeholder="tag.active && !tag.churn_risk"
                aria-describedby="where-about" data-complete="names" data-options=(say.suggestions());
            p.hint id="where-about" { (say.expression_about()) }
            details {
                summary { (say.names()) }
                (names(language, view, kind))
            }
        }
    }
}

/// What an expression over a kind of entity can mention.
fn names(language: Language, view: &ReplicaView, kind: EntityKindId) -> Markup {
    let (say, catalog) = (FrameWords(language), &view.compiled.catalog);
    let tags = catalog.tags.iter().filter(|tag| tag.entity == kind).map(|tag| {
        let titles = tag.title.iter().map(|(language, text)| (language.to_string(), text.to_string())).collect();
        (format!("tag.{}", tag.name), language.title(&titles, "").to_owned())
    });
    let attributes = catalog.attributes.iter().filter(|attribute| attribute.entity == kind);
    let attributes = attributes.map(|attribute| (attribute.name.to_string(), say.attribute()));
    let counters = catalog.counters.iter().filter(|counter| counter.entity == kind);
    let counters = counters.map(|counter| (counter.name.to_string(), say.counter()));
    html! {
        ul.names id="names" {
            @for (name, about) in tags.chain(attributes).chain(counters) {
                li data-name=(name) data-about=(about) { code { (name) } @if !about.is_empty() { " " (about) } }
            }
        }
    }
}
