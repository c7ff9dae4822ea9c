//! The hash of what a catalog computes: the same as long as nothing but words for people changes.

use std::fmt::Write;

use super::compiled::Catalog;

/// Written in front of the text; another number is another hash for every catalog.
const FORM: &str = "tagstream-catalog-1";

/// A 64-bit xxh3 of a canonical text. Titles, groups, descriptions and owners do not enter, nor does formatting.
pub fn of(catalog: &Catalog) -> u64 {
    let mut text = String::from(FORM);
    let zone = catalog.timezone.iana_name().unwrap_or("UTC");
    // Writing to a string does not fail.
    let _ = write!(text, "\n{zone}\n{:?}\n{:?}\n{:?}", catalog.input, catalog.kinds, catalog.paths);
    for attribute in &catalog.attributes {
        let _ = write!(text, "\n{attribute:?}");
    }
    for counter in &catalog.counters {
        let _ = write!(text, "\n{counter:?}");
    }
    for tag in &catalog.tags {
        let _ = write!(text, "\n{:?} {:?}", tag.name, tag.kind);
    }
    let _ = write!(text, "\n{:?}", catalog.order);
    xxhash_rust::xxh3::xxh3_64(text.as_bytes())
}
