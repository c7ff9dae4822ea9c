//! Events on their way to the merged partitions of their entities, and word of the clock to those that get none.
//!
//! An event goes on as it came, once for each kind of entity that it is something to, in the partition of that entity's
//! key. Two headers say where it stood and which clock its partition had with it. A merged partition has to know of each
//! source how far it is, so those that got no event in a transaction get a mark: a record without key and value, but with
//! the headers. There is none where the clock has not moved, and one a transaction at most.

use std::sync::Arc;

use rdkafka::message::{Header, Headers, Message, OwnedHeaders};

use super::ahead::Ahead;
use super::body::{Body, Passed};
use super::merge::{Passage, Source};
use super::murmur2;
use crate::model::{EntityKindId, Event, Timestamp};

const SOURCE: &str = "tagstream-source";
const CLOCK: &str = "tagstream-clock";

/// A merged stream, as those see it that pass events on to it.
#[derive(Clone, Debug)]
pub struct Route {
    pub topic: Arc<str>,
    pub kind: EntityKindId,
    pub partitions: i32,
}

/// What one input partition passes on.
#[derive(Debug)]
pub struct Passing {
    source: Source,
    routes: Arc<[Route]>,
    /// By route and partition: the clock that was passed on last, as far as we know.
    told: Vec<Vec<Option<Timestamp>>>,
    /// The least of them.
    told_least: Option<Timestamp>,
    pub ahead: Ahead,
}

impl Passing {
    pub fn new(source: Source, routes: Arc<[Route]>, ahead: Ahead) -> Self {
        let told = routes.iter().map(|route| vec![None; route.partitions.max(0) as usize]).collect();
        Passing { source, routes, told, told_least: None, ahead }
    }

    pub fn source(&self) -> &Source {
        &self.source
    }

    /// What all merged partitions were told.
    pub fn told(&self) -> Option<Timestamp> {
        self.told_least
    }

    /// Whether some merged partition does not know the clock.
    pub fn is_behind(&self, clock: Option<Timestamp>) -> bool {
        self.told_least < clock
    }

    /// Passes an accepted event on; `clock` is the partition's, with it.
    pub fn pass(&mut self, event: &Event, payload: &[u8], offset: i64, clock: Timestamp, body: &mut Body) {
        let mut value = None;
        for (number, route) in self.routes.iter().enumerate() {
            let Some(key) = event.key_of(route.kind) else { continue };
            let partition = murmur2::partition(key.as_bytes(), route.partitions);
            let value = value.get_or_insert_with(|| body.keep(payload)).clone();
            let key = Some(body.keep(key.as_bytes()));
            body.pass(Passed { route: number, partition, key, value: Some(value), offset, clock });
            self.told[number][partition as usize] = Some(clock);
            self.ahead.add(clock, payload.len());
        }
    }

    /// Adds the marks to a body that is about to be sent.
    pub fn mark(&mut self, clock: Option<Timestamp>, next_offset: i64, body: &mut Body) {
        let Some(clock) = clock.filter(|clock| self.told_least < Some(*clock)) else { return };
        // Who got an event in this transaction knows more than before; the next transaction without events tells the rest.
        let is_busy = body.passes_on();
        for (number, told) in self.told.iter_mut().enumerate() {
            for (partition, told) in told.iter_mut().enumerate() {
                if *told < Some(clock) && (!is_busy || *told <= self.told_least) {
                    *told = Some(clock);
                    let (partition, offset) = (partition as i32, next_offset);
                    body.pass(Passed { route: number, partition, key: None, value: None, offset, clock });
                }
            }
        }
        self.told_least = self.told.iter().flatten().min().copied().unwrap_or(Some(clock));
    }

    /// Where a record goes, and with which headers.
    pub fn address(&self, passed: &Passed) -> (&str, OwnedHeaders) {
        let Source { topic, partition } = &self.source;
        let (source, clock) = (format!("{topic}/{partition}/{}", passed.offset), passed.clock.ms().to_string());
        let headers = OwnedHeaders::new_with_capacity(2)
            .insert(Header { key: SOURCE, value: Some(&source) })
            .insert(Header { key: CLOCK, value: Some(&clock) });
        (&self.routes[passed.route].topic, headers)
    }
}

/// Reads what the headers of a record say; `None`: it was not passed on by us.
pub fn passage(message: &impl Message) -> Option<Passage<'_>> {
    let headers = message.headers()?;
    let text = |name: &str| {
        let header = headers.iter().find(|header| header.key == name)?;
        std::str::from_utf8(header.value?).ok()
    };
    let mut source = text(SOURCE)?.rsplitn(3, '/');
    let (offset, partition) = (source.next()?.parse().ok()?, source.next()?.parse().ok()?);
    let clock = Timestamp::from_ms(text(CLOCK)?.parse().ok()?);
    Some(Passage { topic: source.next()?, partition, offset, clock })
}
