//! A test file as it is written: every key, each with its place; nothing is resolved or checked yet.
//!
//! The doc comments of the fields are what editors show while somebody types (`tagstream test --schema`).

use super::relative_time::{AbsoluteTime, TestTime};
use super::short_form::{AnyJson, KeyText, ShortForm, ShortFormKeys, TextList};
use crate::catalog::raw::DurationMs;
use crate::catalog::yaml::{NameMap, Spanned, yaml_struct};

yaml_struct! {
    /// Unit tests of a tagstream catalog: events in, tags expected at given instants.
    RawTestFile("a test file") {
        /// The catalog under test: a path from this file's folder.
        catalog: String,
        /// The instant that durations such as `14d` are counted from; 2026-01-01T00:00:00Z by default.
        base: AbsoluteTime,
        /// The tests, each with users and other entities of its own.
        cases: Vec<Spanned<RawTestCase>>,
    }
}

yaml_struct! {
    /// One test: events, and what must have come of them.
    RawTestCase("a case") {
        /// What it shows, in a few words.
        name: String,
        /// The instant that this case's durations are counted from; by default the file's.
        base: AbsoluteTime,
        /// Files of recorded events (NDJSON, plain, gzip or zstd), paths from this file's folder; they come before `events`.
        input: TextList,
        /// Events in the order in which they arrive: `[at, user, type, properties]`, or maps.
        events: Vec<Spanned<ShortForm<RawEvent>>>,
        /// Time passes up to here; by default up to the last moment that anything is expected at.
        until: TestTime,
        /// What tags are at given moments: `[at, key, tags]`, or maps.
        expect: Vec<Spanned<ShortForm<RawExpectation>>>,
        /// All changes of every tag of an entity that is mentioned here: `[at, key, tag, value]`, or maps.
        changes: Vec<Spanned<ShortForm<RawChange>>>,
    }
}

yaml_struct! {
    /// An event of a user.
    RawEvent("an event") {
        /// When: a duration after the base, or an instant.
        at: TestTime,
        /// Whose.
        user: KeyText,
        /// The keys of the other entities that it is about, by entity; those that its properties hold need no mention.
        keys: NameMap<KeyText>,
        /// What happened; `$tag` and `$erase` are commands.
        r#type: String,
        /// Its properties.
        properties: AnyJson,
        /// Its id, for de-duplication.
        id: KeyText,
        /// So many events, each at its time, among the entries that follow; 1 by default.
        times: u64,
        /// The time from each to the next.
        every: DurationMs,
    }
}

impl ShortFormKeys for RawEvent {
    const NAMES: &'static [&'static str] = &["at", "user", "type", "properties"];
    const NEEDED: usize = 3;
}

yaml_struct! {
    /// What tags of an entity must be once everything up to a moment has happened.
    RawExpectation("an expectation") {
        /// When: a duration after the base, or an instant.
        at: TestTime,
        /// Whose tags: the key of the entity that they are put on.
        key: KeyText,
        /// Whose tags: a user's key, instead of `key`.
        user: KeyText,
        /// What `key` is of; by default what the tags are put on.
        entity: String,
        /// By tag: `true`, the name of a band or stage, or a value; `false` or `null` for a tag that it must not have.
        tags: NameMap<AnyJson>,
        /// As `tags`, and all other tags of its kind it must not have.
        exactly: NameMap<AnyJson>,
    }
}

impl ShortFormKeys for RawExpectation {
    const NAMES: &'static [&'static str] = &["at", "key", "tags"];
    const NEEDED: usize = 3;
}

yaml_struct! {
    /// A change of a tag that must come.
    RawChange("a change") {
        /// When: a duration after the base, or an instant.
        at: TestTime,
        /// Whose tag: the key of the entity that it is put on.
        key: KeyText,
        /// Whose tag: a user's key, instead of `key`.
        user: KeyText,
        /// What `key` is of: what the tag is put on.
        entity: String,
        /// Which.
        tag: String,
        /// To what: `true`, the name of a band or stage, or a value; `false`, `null` or not written when it is removed.
        value: AnyJson,
    }
}

impl ShortFormKeys for RawChange {
    const NAMES: &'static [&'static str] = &["at", "key", "tag", "value"];
    const NEEDED: usize = 3;
    const NULLABLE: Option<&'static str> = Some("value");
}
