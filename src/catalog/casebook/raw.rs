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
        /// The tests, each with users of its own.
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
        /// What tags are at given moments: `[at, user, tags]`, or maps.
        expect: Vec<At<Short<RawExpectation>>>,
        /// All changes of every tag of a user that is mentioned here: `[at, user, tag, value]`, or maps.
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
        /// What happened.
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
    /// What tags of a user must be once everything up to a moment has happened.
    RawExpectation("an expectation") {
        /// When: a duration after the base, or an instant.
        at: Moment,
        /// Whose tags.
        user: Key,
        /// By tag: `true`, the name of a band or stage, or a value; `false` or `null` for a tag that the user must not have.
        tags: Named<Json>,
        /// As `tags`, and all other tags the user must not have.
        exactly: Named<Json>,
    }
}

impl Positions for RawExpectation {
    const NAMES: &'static [&'static str] = &["at", "user", "tags"];
    const NEEDED: usize = 3;
}

record! {
    /// A change of a tag that must come.
    RawChange("a change") {
        /// When: a duration after the base, or an instant.
        at: Moment,
        /// Whose tag.
        user: Key,
        /// Which.
        tag: String,
        /// To what: `true`, the name of a band or stage, or a value; `false`, `null` or not written when it is removed.
        value: Json,
    }
}

impl Positions for RawChange {
    const NAMES: &'static [&'static str] = &["at", "user", "tag", "value"];
    const NEEDED: usize = 3;
    const NULLABLE: Option<&'static str> = Some("value");
}
