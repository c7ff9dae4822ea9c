//! The hash of what a catalog computes: the same as long as nothing but words for people changes.

use std::fmt::Write;

use super::compiled::{Catalog, EntityKind, History};
use crate::model::EntityKindId;

/// Written in front of the text; another number is another hash for every catalog.
const FORM: &str = "tagstream-catalog-1";

/// A 64-bit xxh3 of a canonical text. Titles, groups, descriptions and owners do not enter, nor does formatting.
///
/// What came later is written only where it is not as it was before there was a choice: a catalog that does without keeps
/// its hash.
pub fn of(catalog: &Catalog) -> u64 {
    let mut text = String::from(FORM);
    let zone = catalog.timezone.iana_name().unwrap_or("UTC");
    // Writing to a string does not fail.
    let _ = write!(text, "\n{zone}\n{:?}\n{:?}\n{:?}", catalog.input, catalog.kinds, catalog.paths);
    if catalog.history == History::Partial {
        text.push_str("\nhistory: partial");
    }
    if !is_user_only(&catalog.entities) {
        let _ = write!(text, "\n{:?}", catalog.entities);
    }
    for attribute in &catalog.attributes {
        let super::Attribute { name, entity, from, value, kind, filter } = attribute;
        let _ = write!(
            text,
            "\nAttribute {{ name: {name:?}, from: {from:?}, value: {value:?}, kind: {kind:?}, filter: {filter:?} }}"
        );
        owner(*entity, catalog, &mut text);
    }
    for counter in &catalog.counters {
        let super::Counter { name, entity, on, filter, aggregate, window } = counter;
        let _ = write!(
            text,
            "\nCounter {{ name: {name:?}, on: {on:?}, filter: {filter:?}, aggregate: {aggregate:?}, window: {window:?} }}"
        );
        owner(*entity, catalog, &mut text);
    }
    for tag in &catalog.tags {
        let _ = write!(text, "\n{:?} {:?}", tag.name, tag.kind);
        owner(tag.entity, catalog, &mut text);
    }
    let _ = write!(text, "\n{:?}", catalog.order);
    xxhash_rust::xxh3::xxh3_64(text.as_bytes())
}

fn is_user_only(entities: &[EntityKind]) -> bool {
    matches!(entities, [EntityKind { key: None, forget_after_ms: None, .. }])
}

fn owner(entity: EntityKindId, catalog: &Catalog, text: &mut String) {
    if entity != catalog.user() {
        text.push_str(" of ");
        text.push_str(&catalog.entity(entity).name);
    }
}
