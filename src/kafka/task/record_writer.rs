//! From a partition's body to Kafka records: tag changes, current tags, dead letters, with their headers, and the
//! changelog.

use std::sync::Arc;
use std::time::Instant;

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::BaseRecord;

use super::output_buffer::ChangeRecord;
use super::running_task::RunningTask;
use super::transaction::TransactionManager;
use crate::codec::{ChangelogRecord, SourceEntry, write_current_tags};
use crate::kafka::broker::{KafkaClients, OutgoingRecord};
use crate::kafka::repartition::TimeMerge;
use crate::kafka::topology::{PartitionId, Topology};
use crate::model::ChangeKind;
use crate::settings::Settings;

/// Where records go, and how they are addressed.
pub struct RecordWriter {
    changes: String,
    tags: Option<String>,
    dead_letters: String,
    topology: Arc<Topology>,
    /// The `ce_source` of every change.
    source: String,
    /// Dead letters over this size are cut: the topic does not take them whole.
    dead_letter_bytes_max: usize,
    key: Vec<u8>,
    value: Vec<u8>,
    entries: Vec<u8>,
}

impl RecordWriter {
    pub fn new(settings: &Settings, topology: Arc<Topology>) -> Self {
        RecordWriter {
            changes: settings.output.changes.clone(),
            tags: settings.output.tags.clone(),
            dead_letters: settings.dead_letter_topic(),
            topology,
            source: format!("/tagstream/{}", settings.kafka.application),
            dead_letter_bytes_max: usize::MAX,
            key: Vec::new(),
            value: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Cuts dead letters from now on, each call to less. Returns to how many bytes.
    pub fn cut_dead_letters(&mut self) -> usize {
        const FIRST: usize = 900_000;
        const LEAST: usize = 1_000;
        self.dead_letter_bytes_max = (self.dead_letter_bytes_max / 10).clamp(LEAST, FIRST);
        self.dead_letter_bytes_max
    }

    /// Sends everything that a partition has to say in a transaction of this name.
    pub fn send<W: KafkaClients>(
        &mut self,
        partition: PartitionId,
        running: &mut RunningTask,
        name: &str,
        transactions: &mut TransactionManager<W>,
        until: Instant,
    ) {
        running.seal();
        // All of them, or none where they have been sent before.
        for (change, key, value) in running.output.changes_from(running.output.sent_early) {
            transactions.send(self.change(change, key, value), until);
        }
        for (dead_letter, key, value) in running.output.dead_letters() {
            let mut headers = dead_letter.headers.clone();
            let mut kept = value;
            if value.len() > self.dead_letter_bytes_max {
                kept = &value[..self.dead_letter_bytes_max];
                let length = value.len().to_string();
                headers = headers.insert(Header { key: "tagstream-truncated-from", value: Some(&length) });
            }
            let mut record = BaseRecord::to(&self.dead_letters).payload(kept).headers(headers);
            record.key = key;
            transactions.send(record, until);
        }
        if let Some(repartitioner) = &running.repartitioner {
            for (forwarded, key, value) in running.output.repartition.iter() {
                let (topic, headers) = repartitioner.address(forwarded);
                let mut record = BaseRecord::to(topic).partition(forwarded.partition).headers(headers);
                (record.key, record.payload) = (key, value);
                transactions.send(record, until);
            }
        }
        if !running.keeps_state() {
            return;
        }
        self.send_tags(running, transactions, until);
        let (changelog, number) = (&self.topology.plan(partition.topic).changelog, partition.number);
        for (key, value) in running.output.log() {
            let mut record = BaseRecord::to(changelog).partition(number).key(key);
            record.payload = value;
            transactions.send(record, until);
        }
        let mut entries = std::mem::take(&mut self.entries);
        if let Some(merge) = &running.merge {
            self.send_log(partition, &sources(merge, &mut entries), transactions, until);
        }
        self.entries = entries;
        let notes = running.state().notes();
        self.send_log(partition, &ChangelogRecord::Meta(running.meta(name, &notes)), transactions, until);
    }

    /// Sends one of the records that each transaction has in the changelog.
    fn send_log<W: KafkaClients>(
        &mut self,
        partition: PartitionId,
        record: &ChangelogRecord<'_>,
        transactions: &mut TransactionManager<W>,
        until: Instant,
    ) {
        self.key.clear();
        self.value.clear();
        record.key().write(&mut self.key);
        record.write_value(&mut self.value);
        let changelog = &self.topology.plan(partition.topic).changelog;
        let record = BaseRecord::to(changelog).partition(partition.number).key(&self.key[..]).payload(&self.value[..]);
        transactions.send(record, until);
    }

    fn send_tags<W: KafkaClients>(
        &mut self,
        running: &mut RunningTask,
        transactions: &mut TransactionManager<W>,
        until: Instant,
    ) {
        let Some(topic) = &self.tags else { return };
        let touched: Vec<Box<str>> = running.output.touched().map(Box::from).collect();
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
            transactions.send(record, until);
        }
    }

    /// The record of a tag change.
    pub fn change<'a>(&'a self, change: &ChangeRecord, key: &'a [u8], value: &'a [u8]) -> OutgoingRecord<'a> {
        BaseRecord::to(&self.changes).key(key).payload(value).headers(self.headers(change))
    }

    /// As the CloudEvents Kafka binding has them, in binary mode.
    fn headers(&self, change: &ChangeRecord) -> OwnedHeaders {
        let (id, at) = (format!("{:032x}", change.id), change.at.to_string());
        let kind = match change.kind {
            ChangeKind::Added => "tagstream.tag.added",
            ChangeKind::Changed => "tagstream.tag.changed",
            ChangeKind::Removed => "tagstream.tag.removed",
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
fn sources<'a>(merge: &TimeMerge<Box<[u8]>>, entries: &'a mut Vec<u8>) -> ChangelogRecord<'a> {
    entries.clear();
    for (source, clock, next) in merge.progress() {
        SourceEntry { topic: &source.topic, partition: source.partition, clock, next }.write(entries);
    }
    ChangelogRecord::Sources { read_to: merge.read_to(), entries }
}
