//! What must be true of a history once it has come to rest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use tagstream::codec::{Decoder, write_change, write_current_tags};
use tagstream::engine::{Partition, Program, Sink, TagImpact};
use tagstream::kafka::SourcePartition;
use tagstream::kafka::{PartitionId, Role};
use tagstream::model::{CurrentTag, Event, TagChange, Timestamp};

use super::script::{Catalog, HORIZON_MS, START_MS};
use crate::reference;
use crate::simulation::brokers::cluster::Cluster;
use crate::simulation::brokers::log::Content;
use crate::simulation::brokers::topics::Topic;

/// What is wrong with a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// A change that is not there.
    Lost(String),
    /// A change that is there more than once.
    Repeated(String),
    /// Changes out of order, or that should not be.
    Different(String),
    /// The record of current tags is not what the changes come to.
    Tags(String),
    /// A rejected record without its dead letter, or with two.
    Letters(String),
    /// Something is not finished although nothing keeps it.
    Unrest(String),
    /// A thread has panicked, or a worker has given up.
    Mishap(String),
    /// What replay says is not what the brute-force model says.
    Reference(String),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// What the input comes to.
#[derive(Debug, Default)]
pub struct Expected {
    /// By entity, in order, as written.
    pub changes: BTreeMap<String, Vec<Vec<u8>>>,
    tags: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Topic, partition and offset of what is rejected.
    letters: BTreeSet<(String, String, String)>,
    /// The offset behind the last record, by partition.
    ends: BTreeMap<PartitionId, i64>,
}

/// An event in the order of time: its partition's clock with it, where it stands, and what it is.
type Placed = (Timestamp, SourcePartition, i64, Vec<u8>);

#[derive(Default)]
struct Collected(Vec<(String, Vec<u8>)>);

impl Sink for Collected {
    fn change(&mut self, change: &TagChange<'_>) {
        let mut line = Vec::new();
        write_change(change, &mut line);
        self.0.push((change.key.to_owned(), line));
    }
}

impl Expected {
    /// Replays the input, and lets time pass until nothing can change any more.
    pub fn of(cluster: &Cluster, catalog: &Catalog, last_event_ms: i64) -> Expected {
        let mut expected = Expected::default();
        let until = Timestamp::from_ms(last_event_ms + HORIZON_MS);
        let sources = expected.sources(cluster, catalog, until);
        for (_, plan) in cluster.streams.iter() {
            match plan.role {
                Role::Forwarded => {}
                Role::Direct => {
                    let program = catalog.compiled.user();
                    sources.iter().for_each(|events| expected.replay(program, events.clone(), until));
                }
                Role::Merged(kind) => expected.replay(catalog.compiled.of(kind), sources.concat(), until),
            }
        }
        expected
    }

    /// What events come to in the order of time.
    fn replay(&mut self, program: &Arc<Program>, mut events: Vec<Placed>, until: Timestamp) {
        events.sort();
        let mut decoder = Decoder::new(&program.catalog);
        let mut partition = Partition::new(Arc::clone(program));
        let (mut event, mut collected) = (Event::default(), Collected::default());
        for (clock, _, _, value) in events {
            decoder.decode(&value, until, &mut event).expect("it was decoded before");
            partition.advance(clock, &mut collected);
            partition.apply(&event, &mut collected);
        }
        partition.advance(until, &mut collected);
        for (key, line) in collected.0 {
            self.changes.entry(key).or_default().push(line);
        }
        for key in self.changes.keys() {
            let (kind, mut value) = (program.entity(), Vec::new());
            let write = |tags: &[CurrentTag<'_>]| write_current_tags(kind, key, tags, &mut value);
            if partition.current_tags(key, write).is_some() {
                self.tags.insert(format!("{kind}:{key}").into_bytes(), value);
            }
        }
    }

    /// The accepted events of each input partition.
    fn sources(&mut self, cluster: &Cluster, catalog: &Catalog, until: Timestamp) -> Vec<Vec<Placed>> {
        let mut decoder = Decoder::new(&catalog.compiled.catalog);
        let mut event = Event::default();
        let mut sources = Vec::new();
        for input in cluster.streams.input_partitions() {
            let source = cluster.streams.source(input);
            let (mut clock, mut events) = (Timestamp::MIN, Vec::new());
            for (offset, content) in cluster.input(input).visible() {
                self.ends.insert(input, offset + 1);
                let Some(value) = &content.value else { continue };
                let letter = (source.topic.to_string(), source.partition.to_string(), offset.to_string());
                match decoder.decode(value, until, &mut event) {
                    Ok(()) => {
                        clock = clock.max(event.time);
                        events.push((clock, source.clone(), offset, value.clone()));
                    }
                    Err(_) => drop(self.letters.insert(letter)),
                }
            }
            sources.push(events);
        }
        sources
    }

    pub fn change_count(&self) -> usize {
        self.changes.values().map(Vec::len).sum()
    }

    /// Whether everything was read, as far as the committed offsets say.
    pub fn is_read(&self, cluster: &Cluster) -> bool {
        self.ends.iter().all(|(partition, end)| {
            cluster.group.committed.get(partition).and_then(|committed| committed.offset) >= Some(*end)
        })
    }

    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, cluster: &Cluster) -> Result<(), Flaw> {
        self.check_changes(cluster)?;
        self.check_letters(cluster)?;
        self.check_tags(cluster)
    }

    fn check_changes(&self, cluster: &Cluster) -> Result<(), Flaw> {
        self.compare_changes(&changes_by_key(cluster))
    }

    /// Compares changes, by entity, with those that are expected.
    fn compare_changes(&self, found: &BTreeMap<String, Vec<&[u8]>>) -> Result<(), Flaw> {
        let keys: BTreeSet<&String> = found.keys().chain(self.changes.keys()).collect();
        for key in keys {
            let found = found.get(key).map(Vec::as_slice).unwrap_or_default();
            let expected = self.changes.get(key).map(Vec::as_slice).unwrap_or_default();
            if found.iter().eq(expected.iter()) {
                continue;
            }
            let distinct: BTreeSet<&[u8]> = found.iter().copied().collect();
            let wanted: BTreeSet<&[u8]> = expected.iter().map(Vec::as_slice).collect();
            let expected_lines = text(expected.iter().map(Vec::as_slice));
            let detail = format!("of {key}:\n  {}\nexpected:\n  {expected_lines}", text(found.iter().copied()));
            return Err(match (distinct.len() < found.len(), distinct.is_subset(&wanted)) {
                (true, _) => Flaw::Repeated(detail),
                (false, true) if distinct.len() < wanted.len() => Flaw::Lost(detail),
                _ => Flaw::Different(detail),
            });
        }
        Ok(())
    }

    /// # Errors
    /// The first thing that is wrong where a change may stand more than once: one id is one change, and what stands first
    /// of each is in order, unless the client has given a record up.
    pub fn check_at_least_once(&self, cluster: &Cluster) -> Result<(), Flaw> {
        let mut ids: BTreeMap<&[u8], &[u8]> = BTreeMap::new();
        let mut found: BTreeMap<String, Vec<&[u8]>> = BTreeMap::new();
        for content in seen(cluster, Topic::Changes) {
            let value = content.value.as_deref().unwrap_or_default();
            match ids.insert(id(content), value) {
                None => found.entry(key(content)).or_default().push(value),
                Some(first) if first == value => {}
                Some(first) => {
                    let (first, value) = (String::from_utf8_lossy(first), String::from_utf8_lossy(value));
                    return Err(Flaw::Different(format!("one id, two changes:\n  {first}\n  {value}")));
                }
            }
        }
        if cluster.gave_up {
            for (key, lines) in &mut found {
                let expected = self.changes.get(key).map(Vec::as_slice).unwrap_or_default();
                lines.sort_by_key(|line| expected.iter().position(|other| other == line));
            }
        }
        self.compare_changes(&found)?;
        self.check_letters(cluster)?;
        self.check_tags(cluster)
    }

    /// # Errors
    /// The first thing that is wrong after the catalog was changed and the history counted again: the changes are those
    /// under the catalog before, then others that lead, one to the next, to what all events come to.
    pub fn check_rebuilt(&self, cluster: &Cluster, before: &Expected) -> Result<(), Flaw> {
        let found = changes_by_key(cluster);
        let firsts = found.iter().map(|(key, lines)| {
            let count = before.changes.get(key).map_or(0, Vec::len).min(lines.len());
            (key.clone(), lines[..count].to_vec())
        });
        before.compare_changes(&firsts.collect())?;
        self.check_led_to(cluster)
    }

    /// # Errors
    /// The first thing that is wrong where the way is not known: each change follows from the one before it, and they lead
    /// to what all events come to.
    pub fn check_led_to(&self, cluster: &Cluster) -> Result<(), Flaw> {
        let changes = changes_by_key(cluster);
        let mut led_to: BTreeMap<Vec<u8>, Values> = BTreeMap::new();
        for (key, lines) in &changes {
            let values = led_to.entry(format!("user:{key}").into_bytes()).or_default();
            for (line, seq) in lines.iter().zip(1_u64..) {
                let change: Value = serde_json::from_slice(line).unwrap_or_default();
                let tag = change["tag"].as_str().unwrap_or_default();
                let text = || String::from_utf8_lossy(line).into_owned();
                if change["seq"] != seq {
                    return Err(Flaw::Repeated(format!("number {seq} of {key} is {}", text())));
                }
                if change["previous"] != values.get(tag).cloned().unwrap_or_default() {
                    return Err(Flaw::Different(format!("follows from nothing: {}", text())));
                }
                match &change["value"] {
                    Value::Null => drop(values.remove(tag)),
                    value => drop(values.insert(tag.to_owned(), value.clone())),
                }
            }
        }
        for (key, expected) in &self.tags {
            let (found, expected) = (led_to.get(key).cloned().unwrap_or_default(), values(expected));
            if found != expected {
                let key = String::from_utf8_lossy(key);
                let lines = text(changes.get(key.trim_start_matches("user:")).into_iter().flatten().copied());
                return Err(Flaw::Different(format!("of {key}:\n  {lines}\nlead to {found:?}, expected {expected:?}")));
            }
        }
        self.check_letters(cluster)?;
        self.compare_tags(cluster, |found, expected| values(found) == values(expected))
    }

    fn check_letters(&self, cluster: &Cluster) -> Result<(), Flaw> {
        let mut missing = self.letters.clone();
        for content in seen(cluster, Topic::Letters) {
            let header = |name: &str| {
                let value = content.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_slice());
                String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
            };
            let from = (header("tagstream-topic"), header("tagstream-partition"), header("tagstream-offset"));
            if !missing.remove(&from) {
                return Err(Flaw::Letters(format!("a dead letter too many: {from:?}")));
            }
        }
        match missing.pop_first() {
            Some(from) => Err(Flaw::Letters(format!("no dead letter of {from:?}"))),
            None => Ok(()),
        }
    }

    fn check_tags(&self, cluster: &Cluster) -> Result<(), Flaw> {
        self.compare_tags(cluster, |found, expected| found == expected)
    }

    fn compare_tags(&self, cluster: &Cluster, is_same: impl Fn(&[u8], &[u8]) -> bool) -> Result<(), Flaw> {
        let last: BTreeMap<&[u8], &[u8]> = seen(cluster, Topic::Tags)
            .map(|content| (content.key.as_deref().unwrap_or_default(), content.value.as_deref().unwrap_or_default()))
            .collect();
        for (key, expected) in &self.tags {
            let found = last.get(key.as_slice()).copied().unwrap_or_default();
            if !is_same(found, expected) {
                let (found, expected) = (String::from_utf8_lossy(found), String::from_utf8_lossy(expected));
                return Err(Flaw::Tags(format!("{found}\nexpected {expected}")));
            }
        }
        Ok(())
    }
}

/// Lines for people.
fn text<'a>(lines: impl Iterator<Item = &'a [u8]>) -> String {
    lines.map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n  ")
}

/// The values of tags by their names.
type Values = BTreeMap<String, Value>;

/// The values in a record of current tags.
fn values(record: &[u8]) -> Values {
    let record: Value = serde_json::from_slice(record).unwrap_or_default();
    let tags = record["tags"].as_object().into_iter().flatten();
    tags.map(|(name, tag)| (name.clone(), tag["value"].clone())).collect()
}

fn key(content: &Content) -> String {
    String::from_utf8_lossy(content.key.as_deref().unwrap_or_default()).into_owned()
}

/// The id of a change.
fn id(content: &Content) -> &[u8] {
    let header = content.headers.iter().find(|(key, _)| key == "ce_id");
    header.map(|(_, value)| value.as_slice()).unwrap_or_default()
}

/// What a read_committed reader of a topic sees.
fn seen(cluster: &Cluster, topic: Topic) -> impl Iterator<Item = &Content> {
    (0..cluster.shape.partitions)
        .flat_map(move |partition| cluster.log(topic, partition).visible().map(|(_, content)| content))
}

/// The changes of each entity, in the order in which they stand.
fn changes_by_key(cluster: &Cluster) -> BTreeMap<String, Vec<&[u8]>> {
    let mut found: BTreeMap<String, Vec<&[u8]>> = BTreeMap::new();
    for content in seen(cluster, Topic::Changes) {
        found.entry(key(content)).or_default().push(content.value.as_deref().unwrap_or_default());
    }
    found
}

/// Changes that a read_committed reader sees now.
pub fn change_count(cluster: &Cluster) -> usize {
    seen(cluster, Topic::Changes).count()
}

/// The same, each id once.
pub fn distinct_count(cluster: &Cluster) -> usize {
    seen(cluster, Topic::Changes).map(id).collect::<BTreeSet<_>>().len()
}

/// Checks that tags that wait for approval have not changed because of the catalog.
///
/// # Errors
/// One that has.
pub fn check_held(cluster: &Cluster, held: &[(Box<str>, TagImpact)]) -> Result<(), Flaw> {
    for content in seen(cluster, Topic::Changes) {
        let change: Value = serde_json::from_slice(content.value.as_deref().unwrap_or_default()).unwrap_or_default();
        let is_held = held.iter().any(|(name, _)| change["tag"] == **name);
        if is_held && change["cause"] == "catalog" {
            return Err(Flaw::Different(format!("it waits for approval, and went out before: {change}")));
        }
    }
    Ok(())
}

/// The brute-force model's changes, against those that the engine is expected to have made.
///
/// # Errors
/// Where they differ.
pub fn check_reference(
    expected: &Expected,
    cluster: &Cluster,
    catalog: &Catalog,
    last_event_ms: i64,
) -> Result<(), Flaw> {
    let until = Timestamp::from_ms(last_event_ms + HORIZON_MS);
    let sources = Expected::default().sources(cluster, catalog, until);
    let merges = cluster.streams.iter().any(|(_, plan)| plan.role != Role::Direct);
    let mut replayed = if merges { vec![sources.concat()] } else { sources };
    for events in &mut replayed {
        events.sort();
        let lines: Vec<Vec<u8>> = events.iter().map(|(_, _, _, value)| value.clone()).collect();
        let now_ms = START_MS + 3_600_000;
        let outcome = reference::replay(catalog.yaml, &lines, now_ms, Some(last_event_ms + HORIZON_MS));
        let mut seqs: BTreeMap<String, usize> = BTreeMap::new();
        for change in outcome.changes {
            let key = change["key"].as_str().unwrap_or_default().to_owned();
            let seq = seqs.entry(key.clone()).or_default();
            let line = expected.changes.get(&key).and_then(|lines| lines.get(*seq)).map(Vec::as_slice);
            let ours: serde_json::Value = serde_json::from_slice(line.unwrap_or(b"null")).unwrap_or_default();
            let same = ["tag", "value", "previous", "at", "seq", "cause"].iter().all(|field| {
                ours[field] == change[field] || ours[field].as_f64().is_some_and(|n| change[field].as_f64() == Some(n))
            });
            if !same {
                return Err(Flaw::Reference(format!("{ours}\nthe model says {change}")));
            }
            *seq += 1;
        }
    }
    Ok(())
}
