//! A test file as it is written: every key, each with its place; nothing is resolved or checked yet.
//!
//! The doc comments of the fields are what editors show while the author types (`tagstream test --schema`).

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
    /// One test: events, and what must come of them.
    RawTestCase("a case") {
        /// What the case shows, in a few words.
        name: String,
        /// The instant that this case's durations are counted from; by default the file's.
        base: AbsoluteTime,
        /// Files of recorded events (NDJSON, plain, gzip or zstd), paths from this file's folder; they come before
        /// `events`.
        input: TextList,
        /// Events in the order in which they arrive: `[at, user, type, properties]`, or maps.
        events: Vec<Spanned<ShortForm<RawEvent>>>,
        /// The time at which the case ends; by default that of the last expectation.
        until: TestTime,
        /// The tags of entities at given times: `[at, key, tags]`, or maps.
        expect: Vec<Spanned<ShortForm<RawExpectation>>>,
        /// All changes of every tag of an entity that is mentioned here: `[at, key, tag, value]`, or maps.
        changes: Vec<Spanned<ShortForm<RawChange>>>,
    }
}

yaml_struct! {
    /// An event of a user.
    RawEvent("an event") {
        /// The time: a duration after the base, or an instant.
        at: TestTime,
        /// The user's key.
        user: KeyText,
        /// The keys of its other entities, by entity, unless its properties hold them.
        keys: NameMap<KeyText>,
        /// The event type; `$tag` and `$erase` are commands.
        r#type: String,
        /// Its properties.
        properties: AnyJson,
        /// Its id, for de-duplication.
        id: KeyText,
        /// The number of events; repeats arrive at their times, among the entries that follow; 1 by default.
        times: u64,
        /// The time from one repeat to the next.
        every: DurationMs,
    }
}

impl ShortFormKeys for RawEvent {
    const NAMES: &'static [&'static str] = &["at", "user", "type", "properties"];
    const NEEDED: usize = 3;
}

yaml_struct! {
    /// The tags of an entity after everything up to a time has happened.
    RawExpectation("an expectation") {
        /// The time: a duration after the base, or an instant.
        at: TestTime,
        /// The key of the entity that the tags are put on.
        key: KeyText,
        /// A user's key, instead of `key`.
        user: KeyText,
        /// The kind of entity of `key`; by default that of the tags.
        entity: String,
        /// By tag: `true`, the name of a band or stage, or a value; `false` or `null` for a tag that it must not have.
        tags: NameMap<AnyJson>,
        /// As `tags`, and the entity must not have any other tag.
        exactly: NameMap<AnyJson>,
    }
}

impl ShortFormKeys for RawExpectation {
    const NAMES: &'static [&'static str] = &["at", "key", "tags"];
    const NEEDED: usize = 3;
}

yaml_struct! {
    /// A tag change that must happen.
    RawChange("a change") {
        /// The time: a duration after the base, or an instant.
        at: TestTime,
        /// The key of the entity that the tag is put on.
        key: KeyText,
        /// A user's key, instead of `key`.
        user: KeyText,
        /// The kind of entity of `key`: that of the tag.
        entity: String,
        /// The tag.
        tag: String,
        /// The new value: `true`, the name of a band or stage, or a value; `false`, `null` or not written when it is
        /// removed.
        value: AnyJson,
    }
}

impl ShortFormKeys for RawChange {
    const NAMES: &'static [&'static str] = &["at", "key", "tag", "value"];
    const NEEDED: usize = 3;
    const NULLABLE: Option<&'static str> = Some("value");
}
