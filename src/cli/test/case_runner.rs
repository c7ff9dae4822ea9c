//! Runs one case: applies its events, lets time pass, and compares the tags at each instant of an expectation.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::coverage::Coverage;
use super::event_record::record;
use crate::catalog::{Catalog, Expectation, ExpectedChange, TagDefinition, TagId, TestCase, TestEvent, did_you_mean};
use crate::cli::input::lines::each_line;
use crate::cli::output::escape::escaped;
use crate::cli::output::format::{because, reasons, tag_value};
use crate::codec::InputRecord;
use crate::engine::{CompiledCatalog, Sink};
use crate::model::{CurrentTag, EntityKindId, TagChange, Timestamp, Value};
use crate::replay::{ReadError, Replay};

/// A difference from what the case expects, in lines for people; the first line says where.
pub(crate) type Failure = Vec<String>;

/// The result of a case.
pub(crate) struct CaseResult {
    pub failures: Vec<Failure>,
    /// Line numbers and messages: what does not fail the case, but is rarely intended.
    pub warnings: Vec<(usize, String)>,
}

/// Runs a case; paths in it are relative to `folder`.
pub(crate) fn run(case: &TestCase, compiled: &CompiledCatalog, folder: &Path, coverage: &mut Coverage) -> CaseResult {
    let catalog = &*compiled.catalog;
    let watched = case.changes.iter().flatten().map(|change| (change.key.clone(), change.tag)).collect();
    let mut runner = CaseRunner {
        // No event of a test is in the future.
        replay: Replay::new(compiled, Timestamp::MAX, None),
        catalog,
        pending_expectations: &case.expectations,
        pending_events: &case.events,
        sink: RecordingSink { catalog, coverage, watched, changes: Vec::new(), ended: HashSet::new() },
        seen: vec![HashSet::new(); catalog.entities.len()],
        failures: Vec::new(),
    };
    let files: Vec<PathBuf> = case.input.iter().map(|file| folder.join(file)).collect();
    let read = each_line(&files, |line, number, path| {
        runner.event(InputRecord::line(line), || format!("{}, line {number}", path.display()));
        Ok::<(), ReadError>(())
    });
    if let Err(error) = read {
        return CaseResult { failures: vec![vec![error.to_string()]], warnings: Vec::new() };
    }
    while let Some((event, rest)) = runner.pending_events.split_first() {
        runner.pending_events = rest;
        let record = record(event, catalog);
        runner.event(record.borrowed(), || format!("the event in line {}", event.line));
    }
    runner.check_expectations_before(Timestamp::FOREVER);
    let last_change = case.changes.iter().flatten().map(|change| change.when.at).max();
    if let Some(until) = case.until.max(last_change) {
        runner.replay.advance(until, &mut runner.sink);
    }
    if let Some(changes) = &case.changes {
        runner.compare_changes(changes);
    }
    CaseResult { warnings: runner.unknown_entities(&case.expectations), failures: runner.failures }
}

struct CaseRunner<'a> {
    replay: Replay,
    catalog: &'a Catalog,
    /// The expectations whose instant has not been reached yet.
    pending_expectations: &'a [Expectation],
    /// The events that have not been applied yet.
    pending_events: &'a [TestEvent],
    sink: RecordingSink<'a>,
    /// By kind of entity, the keys that events were about.
    seen: Vec<HashSet<String>>,
    failures: Vec<Failure>,
}

/// Records the changes that the case expects to compare, and the coverage of all.
struct RecordingSink<'a> {
    catalog: &'a Catalog,
    coverage: &'a mut Coverage,
    /// The entities and tags whose changes the case compares.
    watched: Vec<(String, TagId)>,
    changes: Vec<ObservedChange>,
    /// The keys of entities that were erased or forgotten.
    ended: HashSet<String>,
}

struct ObservedChange {
    at: Timestamp,
    key: String,
    tag: TagId,
    value: Option<Value>,
    because: String,
}

impl Sink for RecordingSink<'_> {
    fn change(&mut self, change: &TagChange<'_>) {
        self.coverage.record(change);
        let is_it = |(key, tag): &&(String, TagId)| key == change.key && *self.catalog.tag(*tag).name == *change.tag;
        if let Some((_, tag)) = self.watched.iter().find(is_it) {
            let because = because(change.because.iter().map(|(label, value)| (*label, value.to_value())));
            self.changes.push(ObservedChange {
                at: change.at,
                key: change.key.to_owned(),
                tag: *tag,
                value: change.value.to_value(),
                because,
            });
        }
    }

    fn ended(&mut self, key: &str) {
        self.ended.insert(key.to_owned());
    }
}

impl CaseRunner<'_> {
    /// Applies an event, after checking the expectations before it.
    fn event(&mut self, record: InputRecord<'_>, place: impl Fn() -> String) {
        match self.replay.read(record) {
            Ok(event) => {
                let time = event.time;
                for (kind, seen) in (0..).map(EntityKindId).zip(&mut self.seen) {
                    seen.extend(event.key_of(kind).map(str::to_owned));
                }
                self.check_expectations_before(time);
                self.replay.apply(&mut self.sink);
            }
            Err(reject) => {
                let detail = self.replay.detail().map(|detail| format!(": {}", escaped(detail))).unwrap_or_default();
                self.failures.push(vec![format!("{} is rejected: {}{detail}", place(), reject.code())]);
            }
        }
    }

    /// Checks the expectations at instants before `limit`. All events of an instant are applied before its check.
    fn check_expectations_before(&mut self, limit: Timestamp) {
        while let Some((expectation, rest)) = self.pending_expectations.split_first()
            && expectation.when.at < limit
        {
            self.pending_expectations = rest;
            self.replay.advance(expectation.when.at, &mut self.sink);
            self.check_expectation(expectation);
        }
    }

    fn check_expectation(&mut self, expectation: &Expectation) {
        let catalog = self.catalog;
        let mut failure = Vec::new();
        let owned = |tags: &[CurrentTag<'_>]| {
            tags.iter().map(|tag| (tag.tag.to_owned(), tag.value.to_value())).collect::<HashMap<_, _>>()
        };
        let partition = self.replay.partition_set_mut().partition_mut(expectation.entity);
        let current = partition.current_tags(&expectation.key, owned).unwrap_or_default();
        for (tag, expected) in &expectation.tags {
            let name = &catalog.tag(*tag).name;
            let found = current.get(&**name).cloned().flatten();
            if found == *expected {
                continue;
            }
            let definition = &catalog.tag(*tag).definition;
            let (expected, found) = (tag_value(expected.as_ref()), tag_value(found.as_ref()));
            failure.push(format!("  {name}: expected {expected}, got {found}"));
            if expected == "false" && found == "off" {
                failure.push(format!(
                    "    write `null` where {}`{name}` must be off; `false` is a value of it",
                    manual(definition)
                ));
            }
            match partition.explain(&expectation.key, *tag) {
                Some(why) => {
                    failure.extend(reasons(&why, definition).iter().map(|line| format!("    {line}")));
                }
                None if self.sink.ended.contains(&expectation.key) => {
                    failure.push(format!("    {} was erased or forgotten before", escaped(&expectation.key)));
                }
                None => failure.push(format!("    there was no event of {} so far", escaped(&expectation.key))),
            }
        }
        if !failure.is_empty() {
            let Expectation { when, entity, key, line, .. } = expectation;
            let entity = &catalog.entity(*entity).name;
            let key = escaped(key);
            let at = if when.written.contains(':') { String::new() } else { format!(" = {}", when.at) };
            failure.insert(0, format!("at {}{at}, {entity} {key} (line {line})", when.written));
            if let Some(late) =
                self.pending_events.iter().find(|event| event.at <= when.at && may_be_about(event, &expectation.key))
            {
                failure.push(format!(
                    "  the event in line {} is after later events in the file: it is too late for this expectation",
                    late.line
                ));
            }
            self.failures.push(failure);
        }
    }

    /// Warnings about expectations of entities that no event is about: their keys may be misspelt.
    fn unknown_entities(&self, expectations: &[Expectation]) -> Vec<(usize, String)> {
        let mut warned = HashSet::new();
        let mut warnings = Vec::new();
        for Expectation { entity, key, line, .. } in expectations {
            let seen = &self.seen[entity.index()];
            if seen.contains(key) || !warned.insert((entity, key)) {
                continue;
            }
            let mut known: Vec<&str> = seen.iter().map(String::as_str).collect();
            known.sort_unstable();
            let help = did_you_mean(key, known.into_iter()).map(|help| format!("; {help}")).unwrap_or_default();
            let entity = &self.catalog.entity(*entity).name;
            warnings.push((
                *line,
                format!("no event of this case is about the {entity} `{}`{}", escaped(key), escaped(&help)),
            ));
        }
        warnings
    }

    /// Compares the expected changes with the observed ones: `-` is missing, `+` was not expected.
    fn compare_changes(&mut self, expected: &[ExpectedChange]) {
        let mut missing: Vec<&ExpectedChange> = expected.iter().collect();
        let mut rows = Vec::new();
        for seen in &self.sink.changes {
            let same = |change: &&ExpectedChange| {
                (change.when.at, &change.key, change.tag, &change.value) == (seen.at, &seen.key, seen.tag, &seen.value)
            };
            let found = missing.iter().position(same).map(|at| missing.remove(at));
            let sign = if found.is_some() { ' ' } else { '+' };
            let because = if found.is_some() { String::new() } else { format!("   {}", seen.because) };
            rows.push((seen.at, sign, self.change_line(seen.at, &seen.key, seen.tag, seen.value.as_ref()) + &because));
        }
        for change in missing {
            let line = self.change_line(change.when.at, &change.key, change.tag, change.value.as_ref());
            rows.push((change.when.at, '-', line));
        }
        if rows.iter().all(|(_, sign, _)| *sign == ' ') {
            return;
        }
        rows.sort_by_key(|(at, sign, _)| (*at, *sign == '+'));
        let mut failure = vec!["changes (- is missing, + was not expected)".to_owned()];
        failure.extend(rows.iter().map(|(_, sign, line)| format!("  {sign} {line}").trim_end().to_owned()));
        self.failures.push(failure);
    }

    fn change_line(&self, at: Timestamp, key: &str, tag: TagId, value: Option<&Value>) -> String {
        format!("{at}  {}  {}  {}", escaped(key), self.catalog.tag(tag).name, tag_value(value))
    }
}

/// The words before the name of a manual tag.
fn manual(definition: &TagDefinition) -> &'static str {
    if matches!(definition, TagDefinition::Manual { .. }) { "the manual tag " } else { "" }
}

/// Whether an event may be about an entity with this key.
fn may_be_about(event: &TestEvent, key: &str) -> bool {
    event.user == key
        || event.keys.iter().any(|(_, other)| other == key)
        || event.properties.values().any(|value| value == key)
}
