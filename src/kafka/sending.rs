//! From a partition's body to Kafka records: tag changes, current tags, dead letters, with their headers, and the
//! changelog.

use std::sync::Arc;
use std::time::Instant;

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::BaseRecord;

use super::body::ChangeRecord;
use super::merge::Merge;
use super::slot::Running;
use super::streams::{PartitionId, Streams};
use super::transactor::Transactor;
use super::wire::{Outgoing, Wire};
use crate::codec::{ChangelogRecord, SourceEntry, write_current_tags};
use crate::model::ChangeType;
use crate::settings::Settings;

/// Where records go, and how they are addressed.
pub struct Outlet {
    changes: String,
    tags: Option<String>,
    dead_letters: String,
    streams: Arc<Streams>,
    /// The `ce_source` of every change.
    source: String,
    /// Dead letters over this size are cut: the topic does not take them whole.
    letter_bytes_max: usize,
    key: Vec<u8>,
    value: Vec<u8>,
    entries: Vec<u8>,
}

impl Outlet {
    pub fn new(settings: &Settings, streams: Arc<Streams>) -> Self {
        Outlet {
            changes: settings.output.changes.clone(),
            tags: settings.output.tags.clone(),
            dead_letters: settings.dead_letter_topic(),
            streams,
            source: format!("/tagstream/{}", settings.kafka.application),
            letter_bytes_max: usize::MAX,
            key: Vec::new(),
            value: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Cuts dead letters from now on, each call to less. Returns to how many bytes.
    pub fn cut_letters(&mut self) -> usize {
        const FIRST: usize = 900_000;
        const LEAST: usize = 1_000;
        self.letter_bytes_max = (self.letter_bytes_max / 10).clamp(LEAST, FIRST);
        self.letter_bytes_max
    }

    /// Sends everything that a partition has to say in a transaction of this name.
    pub fn send<W: Wire>(
        &mut self,
        partition: PartitionId,
        running: &mut Running,
        name: &str,
        transactor: &mut Transactor<W>,
        until: Instant,
    ) {
        running.seal();
        // All of them, or none where they have been sent before.
        for (change, key, value) in running.body.changes_from(running.body.heralded) {
            transactor.send(self.change(change, key, value), until);
        }
        for (letter, key, value) in running.body.letters() {
            let mut headers = letter.headers.clone();
            let mut kept = value;
            if value.len() > self.letter_bytes_max {
                kept = &value[..self.letter_bytes_max];
                let length = value.len().to_string();
                headers = headers.insert(Header { key: "tagstream-truncated-from", value: Some(&length) });
            }
            let mut record = BaseRecord::to(&self.dead_letters).payload(kept).headers(headers);
            record.key = key;
            transactor.send(record, until);
        }
        if let Some(passing) = &running.passing {
            for (passed, key, value) in running.body.passed() {
                let (topic, headers) = passing.address(passed);
                let mut record = BaseRecord::to(topic).partition(passed.partition).headers(headers);
                (record.key, record.payload) = (key, value);
                transactor.send(record, until);
            }
        }
        if !running.keeps_state() {
            return;
        }
        self.send_tags(running, transactor, until);
        let (changelog, number) = (&self.streams.plan(partition.stream).changelog, partition.number);
        for (key, value) in running.body.log() {
            let mut record = BaseRecord::to(changelog).partition(number).key(key);
            record.payload = value;
            transactor.send(record, until);
        }
        let mut entries = std::mem::take(&mut self.entries);
        if let Some(merge) = &running.merge {
            self.send_log(partition, &sources(merge, &mut entries), transactor, until);
        }
        self.entries = entries;
        let notes = running.state().notes();
        self.send_log(partition, &ChangelogRecord::Meta(running.meta(name, &notes)), transactor, until);
    }

    /// Sends one of the records that each transaction has in the changelog.
    fn send_log<W: Wire>(
        &mut self,
        partition: PartitionId,
        record: &ChangelogRecord<'_>,
        transactor: &mut Transactor<W>,
        until: Instant,
    ) {
        self.key.clear();
        self.value.clear();
        record.key().write(&mut self.key);
        record.write_value(&mut self.value);
        let changelog = &self.streams.plan(partition.stream).changelog;
        let record = BaseRecord::to(changelog).partition(partition.number).key(&self.key[..]).payload(&self.value[..]);
        transactor.send(record, until);
    }

    fn send_tags<W: Wire>(&mut self, running: &mut Running, transactor: &mut Transactor<W>, until: Instant) {
        let Some(topic) = &self.tags else { return };
        let touched: Vec<Box<str>> = running.body.touched().map(Box::from).collect();
        let program = Arc::clone(running.state().program());
        let kind = program.entity();
        for key in touched {
            self.key.clear();
            self.key.extend_from_slice(kind.as_bytes());
            self.key.push(b':');
            self.key.extend_from_slice(key.as_bytes());
            let value = &mut self.value;
            value.clear();
            let known = running.current_tags(&key, |tags| write_current_tags(kind, &key, tags, value));
            let mut record = BaseRecord::to(topic).key(self.key.as_slice());
            // Of an entity that is gone a tombstone.
            record.payload = known.map(|()| self.value.as_slice());
            transactor.send(record, until);
        }
    }

    /// The record of a tag change.
    pub fn change<'a>(&'a self, change: &ChangeRecord, key: &'a [u8], value: &'a [u8]) -> Outgoing<'a> {
        BaseRecord::to(&self.changes).key(key).payload(value).headers(self.headers(change))
    }

    /// As the CloudEvents Kafka binding has them, in binary mode.
    fn headers(&self, change: &ChangeRecord) -> OwnedHeaders {
        let (id, at) = (format!("{:032x}", change.id), change.at.to_string());
        let kind = match change.kind {
            ChangeType::Added => "tagstream.tag.added",
            ChangeType::Changed => "tagstream.tag.changed",
            ChangeType::Removed => "tagstream.tag.removed",
        };
        let headers = [
            ("ce_specversion", "1.0"),
            ("ce_id", &id),
            ("ce_type", kind),
            ("ce_source", &self.source),
            ("ce_time", &at),
            ("content-type", "application/json"),
        ];
        let empty = OwnedHeaders::new_with_capacity(headers.len());
        headers.into_iter().fold(empty, |headers, (key, value)| headers.insert(Header { key, value: Some(value) }))
    }
}

/// The record of how far a merged partition's sources are.
fn sources<'a>(merge: &Merge<Box<[u8]>>, entries: &'a mut Vec<u8>) -> ChangelogRecord<'a> {
    entries.clear();
    for (source, clock, next) in merge.reached() {
        SourceEntry { topic: &source.topic, partition: source.partition, clock, next }.write(entries);
    }
    ChangelogRecord::Sources { read_to: merge.read_to(), entries }
}
