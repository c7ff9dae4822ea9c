//! One case, told to a world: events and time in, and at each expected moment a look at the tags.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::coverage::Coverage;
use super::envelope::record;
use crate::catalog::{Case, Catalog, Expectation, ExpectedChange, TagId, TagKind, TestEvent, did_you_mean};
use crate::cli::replay::{Input, InputError, Replay, each_line};
use crate::cli::shown::{because, reasons, tag_value};
use crate::engine::{CompiledCatalog, Sink};
use crate::model::{CurrentTag, EntityKindId, TagChange, Timestamp, Value};

/// What is not as the case says, in lines for people; the first says where.
pub type Failure = Vec<String>;

/// What came of a case.
pub struct Told {
    pub failures: Vec<Failure>,
    /// What fails nothing and is rarely meant, with its line.
    pub warnings: Vec<(usize, String)>,
}

/// Runs a case; `folder` is what its files are named from.
pub fn run(case: &Case, programs: &CompiledCatalog, folder: &Path, coverage: &mut Coverage) -> Told {
    let catalog = &*programs.catalog;
    let watched = case.changes.iter().flatten().map(|change| (change.key.clone(), change.tag)).collect();
    let mut story = Story {
        // No event of a test lies in the future.
        replay: Replay::new(programs, Timestamp::MAX, None),
        catalog,
        ahead: &case.expectations,
        to_come: &case.events,
        witness: Witness { catalog, coverage, watched, changes: Vec::new(), ended: HashSet::new() },
        seen: vec![HashSet::new(); catalog.entities.len()],
        failures: Vec::new(),
    };
    let files: Vec<PathBuf> = case.input.iter().map(|file| folder.join(file)).collect();
    let told = each_line(&files, |line, input: &Input| {
        story.event(line, || format!("{}, line {}", input.name().display(), input.line_number()));
        Ok::<(), InputError>(())
    });
    if let Err(error) = told {
        return Told { failures: vec![vec![error.to_string()]], warnings: Vec::new() };
    }
    while let Some((event, rest)) = story.to_come.split_first() {
        story.to_come = rest;
        let line = record(event, catalog);
        story.event(&line, || format!("the event in line {}", event.line));
    }
    story.expectations(Timestamp::FOREVER);
    let last_change = case.changes.iter().flatten().map(|change| change.when.at).max();
    if let Some(until) = case.until.max(last_change) {
        story.replay.advance(until, &mut story.witness);
    }
    if let Some(changes) = &case.changes {
        story.compare(changes);
    }
    Told { warnings: story.strangers(&case.expectations), failures: story.failures }
}

struct Story<'a> {
    replay: Replay,
    catalog: &'a Catalog,
    /// Those whose moment has not come yet.
    ahead: &'a [Expectation],
    /// The events that have not arrived yet.
    to_come: &'a [TestEvent],
    witness: Witness<'a>,
    /// By kind of entity, whom events were about.
    seen: Vec<HashSet<String>>,
    failures: Vec<Failure>,
}

/// Sees every change.
struct Witness<'a> {
    catalog: &'a Catalog,
    coverage: &'a mut Coverage,
    /// Whose changes the case wants to know.
    watched: Vec<(String, TagId)>,
    changes: Vec<SeenChange>,
    /// Who was erased or forgotten.
    ended: HashSet<String>,
}

struct SeenChange {
    at: Timestamp,
    key: String,
    tag: TagId,
    value: Option<Value>,
    because: String,
}

impl Sink for Witness<'_> {
    fn change(&mut self, change: &TagChange<'_>) {
        self.coverage.note(change);
        let is_it = |(key, tag): &&(String, TagId)| key == change.key && *self.catalog.tag(*tag).name == *change.tag;
        if let Some((_, tag)) = self.watched.iter().find(is_it) {
            let because = because(change.because.iter().map(|(label, value)| (*label, value.to_value())));
            self.changes.push(SeenChange {
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

impl Story<'_> {
    /// Applies an event, after looking at everything that is expected before it.
    fn event(&mut self, line: &[u8], place: impl Fn() -> String) {
        match self.replay.read(line) {
            Ok(event) => {
                let time = event.time;
                for (kind, seen) in (0..).map(EntityKindId).zip(&mut self.seen) {
                    seen.extend(event.key_of(kind).map(str::to_owned));
                }
                self.expectations(time);
                self.replay.apply(&mut self.witness);
            }
            Err(reject) => {
                let detail = self.replay.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
                self.failures.push(vec![format!("{} is rejected: {}{detail}", place(), reject.code())]);
            }
        }
    }

    /// Looks at what is expected at moments before `limit`. Events of one instant all come before the look at it.
    fn expectations(&mut self, limit: Timestamp) {
        while let Some((expectation, rest)) = self.ahead.split_first()
            && expectation.when.at < limit
        {
            self.ahead = rest;
            self.replay.advance(expectation.when.at, &mut self.witness);
            self.look(expectation);
        }
    }

    fn look(&mut self, expectation: &Expectation) {
        let catalog = self.catalog;
        let mut failure = Vec::new();
        let owned = |tags: &[CurrentTag<'_>]| {
            tags.iter().map(|tag| (tag.tag.to_owned(), tag.value.to_value())).collect::<HashMap<_, _>>()
        };
        let partition = self.replay.world_mut().partition_mut(expectation.entity);
        let current = partition.current_tags(&expectation.key, owned).unwrap_or_default();
        for (tag, expected) in &expectation.tags {
            let name = &catalog.tag(*tag).name;
            let found = current.get(&**name).cloned().flatten();
            if found == *expected {
                continue;
            }
            let kind = &catalog.tag(*tag).kind;
            let (expected, found) = (tag_value(expected.as_ref()), tag_value(found.as_ref()));
            failure.push(format!("  {name}: expected {expected}, got {found}"));
            if expected == "false" && found == "off" {
                failure.push(format!(
                    "    write `null` where {}`{name}` must be off; `false` is a value of it",
                    manual(kind)
                ));
            }
            match partition.explain(&expectation.key, *tag) {
                Some(why) => {
                    failure.extend(reasons(&why, kind).iter().map(|line| format!("    {line}")));
                }
                None if self.witness.ended.contains(&expectation.key) => {
                    failure.push(format!("    {} was erased or forgotten before", expectation.key));
                }
                None => failure.push(format!("    no event of {} was seen so far", expectation.key)),
            }
        }
        if !failure.is_empty() {
            let Expectation { when, entity, key, line, .. } = expectation;
            let entity = &catalog.entity(*entity).name;
            let at = if when.written.contains(':') { String::new() } else { format!(" = {}", when.at) };
            failure.insert(0, format!("at {}{at}, {entity} {key} (line {line})", when.written));
            if let Some(late) = self.to_come.iter().find(|event| event.at <= when.at && bears(event, key)) {
                failure.push(format!(
                    "  the event in line {} stands behind later ones: it comes too late for this",
                    late.line
                ));
            }
            self.failures.push(failure);
        }
    }

    /// Expectations of somebody whom no event is about: true of anybody who is spelt wrong.
    fn strangers(&self, expectations: &[Expectation]) -> Vec<(usize, String)> {
        let mut told = HashSet::new();
        let mut warnings = Vec::new();
        for Expectation { entity, key, line, .. } in expectations {
            let seen = &self.seen[entity.index()];
            if seen.contains(key) || !told.insert((entity, key)) {
                continue;
            }
            let mut known: Vec<&str> = seen.iter().map(String::as_str).collect();
            known.sort_unstable();
            let help = did_you_mean(key, known.into_iter()).map(|help| format!("; {help}")).unwrap_or_default();
            let entity = &self.catalog.entity(*entity).name;
            warnings.push((*line, format!("no event of this case is about the {entity} `{key}`{help}")));
        }
        warnings
    }

    /// Lays the expected changes beside those that came: `-` is missing, `+` was not expected.
    fn compare(&mut self, expected: &[ExpectedChange]) {
        let mut missing: Vec<&ExpectedChange> = expected.iter().collect();
        let mut rows = Vec::new();
        for seen in &self.witness.changes {
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
        format!("{at}  {key}  {}  {}", self.catalog.tag(tag).name, tag_value(value))
    }
}

/// What to call a tag of this kind, where that is worth a word.
fn manual(kind: &TagKind) -> &'static str {
    if matches!(kind, TagKind::Manual { .. }) { "the manual tag " } else { "" }
}

/// Whether an event may be about whoever has this key.
fn bears(event: &TestEvent, key: &str) -> bool {
    event.user == key
        || event.keys.iter().any(|(_, other)| other == key)
        || event.properties.values().any(|value| value == key)
}
