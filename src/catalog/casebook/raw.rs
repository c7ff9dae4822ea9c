//! A test file as it is written: every key, each with its place; nothing is resolved or checked yet.
//!
//! The doc comments of the fields are what editors show while somebody types (`tagstream test --schema`).

use super::moment::{Instant, Moment};
use super::short::{Json, Key, Positions, Short, Texts};
use crate::catalog::duration::Duration;
use crate::catalog::read::{At, Named};
use crate::catalog::record::record;

record! {
    /// Unit tests of a tagstream catalog: events in, tags expected at given instants.
    RawCasebook("a test file") {
        /// The catalog under test: a path from this file's folder.
        catalog: String,
        /// The instant that durations such as `14d` are counted from; 2026-01-01T00:00:00Z by default.
        base: Instant,
        /// The tests, each with users and other entities of its own.
        cases: Vec<At<RawCase>>,
    }
}

record! {
    /// One test: events, and what must have come of them.
    RawCase("a case") {
        /// What it shows, in a few words.
        name: String,
        /// The instant that this case's durations are counted from; by default the file's.
        base: Instant,
        /// Files of recorded events (NDJSON, plain, gzip or zstd), paths from this file's folder; they come before `events`.
        input: Texts,
        /// Events in the order in which they arrive: `[at, user, type, properties]`, or maps.
        events: Vec<At<Short<RawEvent>>>,
        /// Time passes up to here; by default up to the last moment that anything is expected at.
        until: Moment,
        /// What tags are at given moments: `[at, key, tags]`, or maps.
        expect: Vec<At<Short<RawExpectation>>>,
        /// All changes of every tag of an entity that is mentioned here: `[at, key, tag, value]`, or maps.
        changes: Vec<At<Short<RawChange>>>,
    }
}

record! {
    /// An event of a user.
    RawEvent("an event") {
        /// When: a duration after the base, or an instant.
        at: Moment,
        /// Whose.
        user: Key,
        /// The keys of the other entities that it is about, by entity; those that its properties hold need no mention.
        keys: Named<Key>,
        /// What happened; `$tag` and `$erase` are commands.
        r#type: String,
        /// Its properties.
        properties: Json,
        /// Its id, for de-duplication.
        id: Key,
        /// So many events, each at its time, among the entries that follow; 1 by default.
        times: u64,
        /// The time from each to the next.
        every: Duration,
    }
}

impl Positions for RawEvent {
    const NAMES: &'static [&'static str] = &["at", "user", "type", "properties"];
    const NEEDED: usize = 3;
}

record! {
    /// What tags of an entity must be once everything up to a moment has happened.
    RawExpectation("an expectation") {
        /// When: a duration after the base, or an instant.
        at: Moment,
        /// Whose tags: the key of the entity that they are put on.
        key: Key,
        /// Whose tags: a user's key, instead of `key`.
        user: Key,
        /// What `key` is of; by default what the tags are put on.
        entity: String,
        /// By tag: `true`, the name of a band or stage, or a value; `false` or `null` for a tag that it must not have.
        tags: Named<Json>,
        /// As `tags`, and all other tags of its kind it must not have.
        exactly: Named<Json>,
    }
}

impl Positions for RawExpectation {
    const NAMES: &'static [&'static str] = &["at", "key", "tags"];
    const NEEDED: usize = 3;
}

record! {
    /// A change of a tag that must come.
    RawChange("a change") {
        /// When: a duration after the base, or an instant.
        at: Moment,
        /// Whose tag: the key of the entity that it is put on.
        key: Key,
        /// Whose tag: a user's key, instead of `key`.
        user: Key,
        /// What `key` is of: what the tag is put on.
        entity: String,
        /// Which.
        tag: String,
        /// To what: `true`, the name of a band or stage, or a value; `false`, `null` or not written when it is removed.
        value: Json,
    }
}

impl Positions for RawChange {
    const NAMES: &'static [&'static str] = &["at", "key", "tag", "value"];
    const NEEDED: usize = 3;
    const NULLABLE: Option<&'static str> = Some("value");
}
