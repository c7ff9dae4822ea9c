//! When entities are due: coarse buckets that are sorted only when they open.
//!
//! The store has an entity's due time; the timers are only a way to find it. A bucket (an hour for far instants, a
//! minute for near ones) lists entities without order. When it opens, each entity is looked up, and an entry that no
//! longer agrees with the store is dropped; so no entry is ever searched for. After Varghese and Lauck, "Hashed and
//! Hierarchical Timing Wheels", 1987: the cascade of their scheme 7, with lazy deletion.

use std::collections::{BTreeMap, BTreeSet};

use super::store::{EntityId, Store};
use crate::model::{HOUR_MS, MINUTE_MS, Timestamp};

/// Timers nearer than this are filed by the minute.
const NEAR_MS: i64 = 48 * HOUR_MS;

#[derive(Debug, Default)]
pub(crate) struct Timers {
    /// By the first instant of the bucket.
    buckets: BTreeMap<Timestamp, Vec<EntityId>>,
    /// Entities from buckets that have opened.
    open: BTreeSet<(Timestamp, EntityId)>,
    /// The number of entries in the buckets, outdated ones included.
    filed: usize,
    /// Nothing is due before this instant; most events need no more than this.
    earliest: Timestamp,
}

impl Timers {
    /// Files an entity whose due time in the store has been set to `due`.
    pub(crate) fn file(&mut self, entity: EntityId, due: Timestamp, now: Timestamp) {
        if due == Timestamp::FOREVER {
            return;
        }
        let length_ms = if due.since(now) < NEAR_MS { MINUTE_MS } else { HOUR_MS };
        let start = Timestamp::from_ms(due.ms() - due.ms().rem_euclid(length_ms));
        self.earliest = self.earliest.min(start);
        if start <= now {
            self.open.insert((due, entity));
        } else {
            self.buckets.entry(start).or_default().push(entity);
            self.filed += 1;
        }
    }

    /// Takes out all entities that are due at the earliest instant up to `limit`. Returns that instant.
    pub(crate) fn pop(&mut self, limit: Timestamp, store: &Store, due: &mut Vec<EntityId>) -> Option<Timestamp> {
        due.clear();
        let first = self.first_due(limit, store)?;
        while let Some((at, entity)) = self.open.first().copied()
            && at == first
        {
            self.open.pop_first();
            if store.due(entity) == at {
                due.push(entity);
            }
        }
        Some(first)
    }

    /// The earliest instant up to `limit` at which an entity is due.
    pub(crate) fn first_due(&mut self, limit: Timestamp, store: &Store) -> Option<Timestamp> {
        if limit < self.earliest {
            return None;
        }
        loop {
            let first = self.open.first().map_or(Timestamp::FOREVER, |(at, _)| *at);
            if let Some(bucket) = self.buckets.first_entry()
                && *bucket.key() <= first.min(limit)
            {
                let (start, entities) = bucket.remove_entry();
                self.open_bucket(start, &entities, store);
                continue;
            }
            if first > limit || first == Timestamp::FOREVER {
                self.earliest = self.next();
                return None;
            }
            if let Some((at, entity)) = self.open.first().copied() {
                if store.due(entity) == at {
                    return Some(at);
                }
                self.open.pop_first();
            }
        }
    }

    fn open_bucket(&mut self, start: Timestamp, entities: &[EntityId], store: &Store) {
        self.filed -= entities.len();
        for entity in entities {
            let due = store.due(*entity);
            if due < start || due >= start.plus(HOUR_MS) {
                continue;
            }
            if due < start.plus(MINUTE_MS) {
                self.open.insert((due, *entity));
            } else {
                self.file(*entity, due, start);
            }
        }
    }

    /// Files all entities anew when most entries are outdated.
    pub(crate) fn tidy(&mut self, store: &Store, now: Timestamp) {
        const SPARE: usize = 4_096;
        if self.filed <= 3 * store.len() + SPARE {
            return;
        }
        *self = Timers::default();
        for entity in store.entities() {
            self.file(entity, store.due(entity), now);
        }
    }

    /// Bytes held by the buckets.
    pub(crate) fn bytes(&self) -> usize {
        self.buckets.values().map(|bucket| bucket.capacity() * size_of::<EntityId>()).sum::<usize>()
            + self.open.len() * size_of::<(Timestamp, EntityId)>()
    }

    /// The start of the first bucket or the first open timer: nothing is due before it.
    pub(crate) fn next(&self) -> Timestamp {
        let bucket = self.buckets.first_key_value().map_or(Timestamp::FOREVER, |(start, _)| *start);
        self.open.first().map_or(bucket, |(at, _)| bucket.min(*at))
    }
}
