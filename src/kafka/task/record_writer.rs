//! Turns the output of a partition into Kafka records: tag changes, dead letters, forwarded events, current tags and
//! the changelog.

use std::sync::Arc;
use std::time::Instant;

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::BaseRecord;

use super::dead_letter::SentLetter;
use super::output_buffer::{ChangeRecord, DeadLetter, OutputBuffer};
use super::transaction::TransactionManager;
use crate::codec::{ChangeFormat, event_type};
use crate::kafka::broker::{KafkaClients, OutgoingRecord};
use crate::kafka::repartition::repartition_headers;
use crate::kafka::topology::{PartitionId, RepartitionTopic, Topology};
use crate::settings::Settings;

/// The topics of the output, and what the headers need.
pub(crate) struct RecordWriter {
    changes: String,
    tags: Option<String>,
    dead_letters: String,
    topology: Arc<Topology>,
    /// The form of the changes.
    format: ChangeFormat,
    /// A change in that form.
    formatted: Vec<u8>,
    application: String,
    /// Parts of dead letters over this size are cut, since the topic does not take larger ones.
    dead_letter_bytes_max: usize,
    /// The topics to which events are forwarded.
    repartition_topics: Arc<[RepartitionTopic]>,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl RecordWriter {
    pub(crate) fn new(settings: &Settings, topology: Arc<Topology>) -> Self {
        RecordWriter {
            changes: settings.output.changes.clone(),
            tags: settings.output.tags.clone(),
            dead_letters: settings.dead_letter_topic(),
            repartition_topics: topology.repartition_topics(),
            topology,
            format: settings.output.format,
            formatted: Vec::new(),
            application: settings.kafka.application.clone(),
            dead_letter_bytes_max: usize::MAX,
            key: Vec::new(),
            value: Vec::new(),
        }
    }

    /// Lowers the size of dead letters, further with each call. Returns the new limit in bytes.
    pub(crate) fn cut_dead_letters(&mut self) -> usize {
        const FIRST: usize = 900_000;
        const LEAST: usize = 1_000;
        self.dead_letter_bytes_max = (self.dead_letter_bytes_max / 10).clamp(LEAST, FIRST);
        self.dead_letter_bytes_max
    }

    /// Whether the current tags of entities are sent.
    pub(crate) fn writes_tags(&self) -> bool {
        self.tags.is_some()
    }

    /// Sends a sealed output in a transaction of this name.
    pub(crate) fn send<W: KafkaClients>(
        &mut self,
        partition: PartitionId,
        output: &OutputBuffer,
        name: &str,
        transactions: &mut TransactionManager<W>,
        until: Instant,
    ) {
        // Either all changes, or none if they were sent before the transaction.
        for (change, key, value) in output.changes_from(output.sent_early) {
            transactions.send(self.change(change, key, value), until);
        }
        for (dead_letter, key, value) in output.dead_letters() {
            transactions.send(self.dead_letter(dead_letter, key, value), until);
        }
        let source = self.topology.source(partition);
        for (forwarded, key, value) in output.repartition.iter() {
            let headers = repartition_headers(&source, forwarded, &output.repartition);
            let topic = &self.repartition_topics[forwarded.topic].topic;
            let mut record = BaseRecord::to(topic).partition(forwarded.partition).headers(headers);
            (record.key, record.payload) = (key, value);
            transactions.send(record, until);
        }
        if let Some(topic) = &self.tags {
            for (key, value) in output.tags() {
                let mut record = BaseRecord::to(topic).key(key);
                record.payload = value;
                transactions.send(record, until);
            }
        }
        let (changelog, number) = (&self.topology.plan(partition.topic).changelog, partition.number);
        for (key, value) in output.log() {
            let mut record = BaseRecord::to(changelog).partition(number).key(key);
            record.payload = value;
            transactions.send(record, until);
        }
        if let Some(meta) = output.meta() {
            let meta = meta.named(name);
            self.key.clear();
            self.value.clear();
            meta.key().write(&mut self.key);
            meta.write_value(&mut self.value);
            let record = BaseRecord::to(changelog).partition(number).key(&self.key[..]).payload(&self.value[..]);
            transactions.send(record, until);
        }
    }

    /// The record of a dead letter, cut if it is too large for the topic.
    fn dead_letter<'a>(
        &'a self,
        dead_letter: &DeadLetter,
        key: Option<&'a [u8]>,
        value: &'a [u8],
    ) -> OutgoingRecord<'a> {
        let SentLetter { key, value, headers } = dead_letter.headers.fit(key, value, self.dead_letter_bytes_max);
        let mut record = BaseRecord::to(&self.dead_letters).payload(value).headers(headers);
        record.key = key;
        record
    }

    /// The record of a tag change.
    pub(crate) fn change<'a>(
        &'a mut self,
        change: &ChangeRecord,
        key: &'a [u8],
        value: &'a [u8],
    ) -> OutgoingRecord<'a> {
        let mut formatted = value;
        if self.format != ChangeFormat::Tagstream {
            self.formatted.clear();
            self.format.write(value, &self.application, &mut self.formatted);
            formatted = &self.formatted;
        }
        BaseRecord::to(&self.changes).key(key).payload(formatted).headers(self.headers(change))
    }

    /// The headers of the CloudEvents Kafka binding: those of the binary mode, which the structured mode may have, too.
    fn headers(&self, change: &ChangeRecord) -> OwnedHeaders {
        let (id, at) = (format!("{:032x}", change.id), change.at.to_string());
        let source = format!("/tagstream/{}", self.application);
        let headers = [
            ("ce_specversion", "1.0"),
            ("ce_id", &id),
            ("ce_type", event_type(change.change)),
            ("ce_source", &source),
            ("ce_time", &at),
            ("content-type", self.format.content_type()),
        ];
        let empty = OwnedHeaders::new_with_capacity(headers.len());
        headers.into_iter().fold(empty, |headers, (key, value)| headers.insert(Header { key, value: Some(value) }))
    }
}
