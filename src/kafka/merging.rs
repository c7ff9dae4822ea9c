//! Merged partitions in a worker: what is read waits, what may go is applied; and sources that are far ahead rest.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::message::Message;

use super::ahead::Ahead;
use super::body::Body;
use super::cycle::Fate;
use super::merge::{Merge, Source};
use super::note::OffsetNote;
use super::notice::Notice;
use super::passing::{Passing, passage};
use super::restore::Sources;
use super::slot::{Bench, Reached, Running, Slot, Taken};
use super::streams::{PartitionId, Role};
use super::wire::{Committed, GroupConsumer, Wire};
use super::worker::Worker;
use crate::engine::Partition;
use crate::model::Timestamp;

/// For one look at the offsets of all inputs.
const COMMITTED_PATIENCE: Duration = Duration::from_millis(400);
/// Whoever accepted an event has seen to it that it is not of the future.
const ACCEPTED: Timestamp = Timestamp::MAX;

impl Running {
    /// Takes a record of a merged partition in, and applies what may go then.
    pub fn take_merged(&mut self, message: &impl Message, bench: &mut Bench) -> Taken {
        if self.is_full() {
            return Taken::Full;
        }
        let Some(merge) = &mut self.merge else { return Taken::Done { accepted: false } };
        let place = message.offset();
        match (passage(message), message.payload()) {
            (Some(passage), Some(payload)) => {
                merge.take(passage, place, payload.len(), payload.into());
            }
            (Some(passage), None) => merge.mark(passage, place),
            (None, _) => {
                // Nobody but us should write there.
                merge.skip(place);
                self.work.unmerged += 1;
            }
        }
        self.apply_merged(bench);
        Taken::Done { accepted: false }
    }

    /// Applies what may go, in its order, and lets time pass up to the clock, as far as the body has room.
    pub fn apply_merged(&mut self, bench: &mut Bench) -> Reached {
        if self.is_sealed() {
            return Reached::Yes;
        }
        while let Some(clock) = self.merge.as_ref().and_then(Merge::ready) {
            if self.advance_to(clock) == Reached::No || self.is_full() {
                return Reached::No;
            }
            let Some(payload) = self.merge.as_mut().and_then(Merge::release) else { break };
            self.unsettled = true;
            match bench.decoder.decode(&payload, ACCEPTED, &mut bench.event) {
                Ok(()) => self.apply(&bench.event),
                // It was an event to whoever passed it on.
                Err(_) => self.work.unmerged += 1,
            }
        }
        match self.merge.as_ref().and_then(Merge::clock) {
            Some(clock) => self.advance_to(clock),
            None => Reached::Yes,
        }
    }
}

impl<W: Wire> Worker<W> {
    /// Runs a partition that only passes events on: all its state stands beside the committed offset.
    pub(super) fn pass_on(&mut self, partition: PartitionId, committed: &Committed, next_offset: i64) {
        let role = self.streams().plan(partition.stream).role;
        let mut state = Partition::new(Arc::clone(role.program(&self.plan.programs)));
        let note = OffsetNote::read(&committed.metadata);
        if let Some(clock) = note.clock {
            state.advance(clock, &mut Body::default());
        }
        let mut running = Running::new(role, state, 0, next_offset, committed.offset);
        self.equip(&mut running, partition, None, note.ahead);
        self.set_going(partition, running, next_offset);
    }

    /// Gives a partition that is about to run what it needs to pass events on, or to merge them. Of what was passed on
    /// before, this many bytes may be `ahead` of the other sources.
    pub(super) fn equip(&self, running: &mut Running, partition: PartitionId, found: Option<Sources>, ahead: usize) {
        let streams = self.streams();
        let inputs = streams.sources();
        if let Role::Merged(_) = streams.plan(partition.stream).role {
            let place = running.next_offset();
            running.merge = Some(match found {
                Some(Sources { read_to, reached }) => Merge::restored(&inputs, &reached, place, read_to),
                None => Merge::new(&inputs, place),
            });
            return;
        }
        let routes = streams.routes();
        if !routes.is_empty() {
            let mut kept = Ahead::new(streams.room());
            if let Some(clock) = running.clock() {
                kept.add(clock, ahead);
            }
            running.passing = Some(Passing::new(streams.source(partition), routes, kept));
        }
    }

    /// Applies what merged partitions have that may go: a body was full, or nothing has come since.
    pub(super) fn go_on_merging(&mut self) {
        if self.held || !matches!(self.fate, Fate::Clear) {
            return;
        }
        let mut full = false;
        let mut merges = false;
        for slot in self.slots.values_mut() {
            if let Slot::Running(running) = slot
                && running.merge.is_some()
            {
                full |= running.apply_merged(&mut self.bench) == Reached::No;
                merges |= running.is_dirty();
            }
        }
        if full {
            self.commit_at = Some(self.wire.now());
        } else if merges {
            self.commit_later();
        }
    }

    /// Has a partition rest that is far ahead of the others. What has been fetched of it already is taken still.
    pub(super) fn rest(&mut self, partition: PartitionId) {
        let Some(Slot::Running(running)) = self.slots.get_mut(&partition) else { return };
        running.rests = true;
        if let Err(error) = self.consumer.pause(&[partition]) {
            self.say(Notice::Trouble { worker: self.plan.id, what: "pausing", why: error.text });
        }
    }

    /// After a commit: others have come on, maybe, and what was passed on of ours is certain.
    pub(super) fn wake_rested(&mut self) {
        if self.slots.values().any(|slot| matches!(slot, Slot::Running(running) if running.rests)) {
            self.keep_pace();
        }
    }

    /// Looks where the other sources are, if one of ours may be far ahead of them, and has those go on that are not.
    pub(super) fn keep_pace(&mut self) {
        let notable = |slot: &Slot| matches!(slot, Slot::Running(running) if running.is_notable());
        if !self.slots.values().any(notable) {
            return;
        }
        let Some((clock, source)) = self.least_source() else { return };
        let mut rested = Vec::new();
        for (partition, slot) in &mut self.slots {
            let Slot::Running(running) = slot else { continue };
            running.settle_ahead((clock, &source));
            if running.rests && !running.is_ahead() {
                running.rests = false;
                rested.push(*partition);
            }
        }
        if self.held || rested.is_empty() {
            return;
        }
        if let Err(error) = self.consumer.resume(&rested) {
            self.say(Notice::Trouble { worker: self.plan.id, what: "pausing", why: error.text });
        }
        // The client fetches again when it wakes up: after half a second, or with any request.
        drop(self.consumer.ends(&rested, COMMITTED_PATIENCE));
    }

    /// The source that is furthest behind, as far as is committed, and what all merged partitions know of its clock.
    fn least_source(&self) -> Option<(Option<Timestamp>, Source)> {
        let streams = self.streams();
        let asked: Vec<PartitionId> = streams.input_partitions();
        // What is about to be committed is only further on.
        let found = self.consumer.noted(&asked, COMMITTED_PATIENCE).ok()?;
        let mut told = Vec::new();
        for partition in asked {
            let committed = found.get(&partition)?;
            told.push((OffsetNote::read(&committed.metadata).told, streams.source(partition)));
        }
        told.into_iter().min()
    }
}
