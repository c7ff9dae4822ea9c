//! Records of one partition that are decoded a few at a time, before the first of them is applied.
//!
//! An event's entity lies anywhere in memory. For several events that are known, what they will read is fetched at once; one
//! by one, each would wait for memory several times.

use std::sync::Arc;
use std::time::Instant;

use rdkafka::message::Message;

use crate::codec::{DecodedRecord, RecordDecoder, SchemaKey};
use crate::engine::Partition;
use crate::kafka::repartition::input_record;
use crate::model::{Event, Timestamp};

/// What a record was decoded to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// A tombstone, or a record that the state has applied already.
    Nothing,
    Record(DecodedRecord),
}

/// For which schema a partition waits, since when, and why.
#[derive(Clone, Debug)]
pub(crate) struct SchemaWait {
    pub schema: SchemaKey,
    pub since: Instant,
    pub why: Arc<str>,
}

/// The next records, in order.
#[derive(Debug, Default)]
pub(crate) struct DecodedAhead {
    outcomes: Vec<Decoded>,
    /// One for each outcome, and more that are kept for their buffers. Of an outcome without an event it is undefined.
    events: Vec<Event>,
    /// The first that was not applied.
    next: usize,
}

impl DecodedAhead {
    /// Forgets what was decoded.
    pub(crate) fn clear(&mut self) {
        self.outcomes.clear();
        self.next = 0;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.next == self.outcomes.len()
    }

    /// The next one.
    pub(crate) fn first(&self) -> Option<(&Decoded, &Event)> {
        Some((self.outcomes.get(self.next)?, &self.events[self.next]))
    }

    /// The wait for the schema of the next one, which begins now.
    pub(crate) fn schema_wait(&self, now: Instant) -> Option<SchemaWait> {
        match self.first()? {
            (Decoded::Record(DecodedRecord::Waits { schema, why }), _) => {
                Some(SchemaWait { schema: *schema, since: now, why: Arc::clone(why) })
            }
            _ => None,
        }
    }

    /// The next one was applied.
    pub(crate) fn pass(&mut self) {
        self.next += 1;
    }

    /// Decodes some more records, each with the present time for it, and fetches what applying them reads.
    pub(crate) fn fill<'a, M: Message + 'a>(
        &mut self,
        records: impl Iterator<Item = (&'a M, Timestamp)>,
        position: i64,
        decoder: &mut RecordDecoder,
        state: &Partition,
    ) {
        self.clear();
        for (record, now) in records.take(Partition::FETCHED) {
            let index = self.outcomes.len();
            if index == self.events.len() {
                self.events.push(Event::default());
            }
            self.outcomes.push(match record.payload().filter(|_| record.offset() >= position) {
                None => Decoded::Nothing,
                Some(payload) => {
                    let input = input_record(record, payload);
                    Decoded::Record(decoder.decode(input, now, &mut self.events[index]))
                }
            });
            if matches!(self.outcomes[index], Decoded::Record(DecodedRecord::Waits { .. })) {
                break;
            }
        }
        let events = self.outcomes.iter().zip(&self.events);
        state.fetch(
            events.filter(|(outcome, _)| **outcome == Decoded::Record(DecodedRecord::Event)).map(|(_, event)| event),
        );
    }
}
