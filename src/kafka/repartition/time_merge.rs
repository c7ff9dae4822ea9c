//! Several inputs in the order of time: what comes through a merged partition waits here until nothing earlier can come.
//!
//! # The order
//! Every event has a place in the order: the clock of its source (an input partition) when it was accepted there, then
//! the source, then its offset. A source's clock never goes back, so a source's own events come in order, and of each
//! source r it is known that whatever is still to come from it stands at (clock of r, r) or behind. An event may go as
//! soon as it stands at or before the least of these: at it only where the least is of its own source. Late events go with
//! their source's clock. So the order in which events go depends on what stands in the inputs and on nothing else.
//!
//! # What is kept, and how it comes back
//! What waits stands in Kafka: the group's offset of a merged partition is that of the first record that waits. Records
//! behind it may have gone already; of each source it is therefore written down which offset comes next. A reader that
//! begins again takes everything in up to where the last one had read, letting nothing go meanwhile (the clocks that
//! were written down are as of then), drops what has gone before, and stands as the last one stood.
//!
//! Pure: records in, events out; it knows neither Kafka nor what an event says.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use crate::kafka::topology::SourcePartition;
use crate::model::Timestamp;

/// What is known of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceProgress {
    pub source: SourcePartition,
    /// Nothing that is still to come stands before it; `None`: nothing was heard of the source.
    pub watermark: Option<Timestamp>,
    /// The source's first offset whose event has not gone.
    pub next: i64,
}

/// Where a source stands in a record that came through the merged partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourcePosition<'a> {
    pub topic: &'a str,
    pub partition: i32,
    /// Of the event; of a mark, the first that is not behind it.
    pub offset: i64,
    /// The source's clock, with the event.
    pub clock: Timestamp,
}

/// An event that waits.
#[derive(Debug)]
struct QueuedEvent<T> {
    clock: Timestamp,
    offset: i64,
    /// Its offset in the merged partition.
    place: i64,
    bytes: usize,
    event: T,
}

#[derive(Debug)]
struct SourceQueue<T> {
    source: SourcePartition,
    watermark: Option<Timestamp>,
    next: i64,
    /// Whether it is still an input: nothing is waited for from one that is not.
    counts: bool,
    waiting: VecDeque<QueuedEvent<T>>,
}

/// The sources of one merged partition, and what waits for them.
#[derive(Debug)]
pub struct TimeMerge<T> {
    /// The topics that are inputs.
    inputs: Vec<Arc<str>>,
    /// In the order of the sources.
    queues: Vec<SourceQueue<T>>,
    /// Of each queue where something waits, the first: its clock, and the queue.
    heads: BTreeSet<(Timestamp, usize)>,
    /// The least of the queues' clocks, and the first queue that has it.
    min_watermark: (Option<Timestamp>, usize),
    /// Behind the last record that was taken.
    next_place: i64,
    /// Until it has read up to here, nothing goes.
    resume_at: i64,
    bytes: usize,
}

impl<T> TimeMerge<T> {
    /// `inputs`: the topics, each with its number of partitions.
    pub fn new(inputs: &[(Arc<str>, i32)], next_place: i64) -> Self {
        Self::restored(inputs, &[], next_place, next_place)
    }

    /// As one stood that had read up to `read_to`, and of which what waits is read again from `next_place` on.
    pub fn restored(inputs: &[(Arc<str>, i32)], progress: &[SourceProgress], next_place: i64, read_to: i64) -> Self {
        let mut merge = TimeMerge {
            inputs: inputs.iter().map(|(topic, _)| Arc::clone(topic)).collect(),
            queues: Vec::new(),
            heads: BTreeSet::new(),
            min_watermark: (None, 0),
            next_place,
            resume_at: read_to,
            bytes: 0,
        };
        for (topic, partitions) in inputs {
            for partition in 0..*partitions {
                merge.queue(topic, partition);
            }
        }
        for SourceProgress { source, watermark, next } in progress {
            let index = merge.queue(&source.topic, source.partition);
            (merge.queues[index].watermark, merge.queues[index].next) = (*watermark, *next);
        }
        merge.find_min_watermark();
        merge
    }

    /// Takes an event of a source, from this place of the merged partition; `false`: it has been here before.
    pub fn take(&mut self, position: SourcePosition<'_>, place: i64, bytes: usize, event: T) -> bool {
        self.next_place = place + 1;
        let index = self.queue(position.topic, position.partition);
        let queue = &mut self.queues[index];
        let next = queue.waiting.back().map_or(queue.next, |last| last.offset + 1);
        let is_new = position.offset >= next;
        if is_new {
            if queue.waiting.is_empty() {
                self.heads.insert((position.clock, index));
            }
            self.bytes += bytes;
            let SourcePosition { offset, clock, .. } = position;
            queue.waiting.push_back(QueuedEvent { clock, offset, place, bytes, event });
        }
        self.advance_watermark(index, position.clock);
        is_new
    }

    /// Takes word of a source's clock.
    pub fn watermark(&mut self, position: SourcePosition<'_>, place: i64) {
        self.next_place = place + 1;
        let index = self.queue(position.topic, position.partition);
        self.advance_watermark(index, position.clock);
    }

    /// Passes over a record that says nothing.
    pub fn skip(&mut self, place: i64) {
        self.next_place = place + 1;
    }

    /// The clock with which the next event may go; `None`: none may.
    pub fn ready(&self) -> Option<Timestamp> {
        let (clock, queue) = *self.heads.first()?;
        let may_go = !self.is_resuming() && (Some(clock), queue) <= self.min_watermark;
        may_go.then_some(clock)
    }

    /// Lets the next event go, if one may.
    pub fn release(&mut self) -> Option<T> {
        self.ready()?;
        let (_, index) = self.heads.pop_first()?;
        let queue = &mut self.queues[index];
        let gone = queue.waiting.pop_front()?;
        queue.next = gone.offset + 1;
        if let Some(head) = queue.waiting.front() {
            self.heads.insert((head.clock, index));
        }
        self.bytes -= gone.bytes;
        Some(gone.event)
    }

    /// The least of the sources' clocks: nothing before it is still to come or waits, once all that is ready has gone.
    pub fn current_watermark(&self) -> Option<Timestamp> {
        self.min_watermark.0.filter(|_| !self.is_resuming())
    }

    /// Whether it still reads again what the last one had read.
    pub fn is_resuming(&self) -> bool {
        self.next_place < self.resume_at
    }

    /// From where a reader has to begin that is to stand as this one does.
    pub fn first_place(&self) -> i64 {
        let first = self.queues.iter().filter_map(|queue| Some(queue.waiting.front()?.place)).min();
        first.unwrap_or(self.next_place)
    }

    /// Behind the last record that was taken, now or by those before.
    pub fn read_to(&self) -> i64 {
        self.next_place.max(self.resume_at)
    }

    /// Behind the last record that was taken by this one.
    pub fn next_place(&self) -> i64 {
        self.next_place
    }

    pub fn waiting(&self) -> usize {
        self.queues.iter().map(|queue| queue.waiting.len()).sum()
    }

    pub fn waiting_bytes(&self) -> usize {
        self.bytes
    }

    pub fn progress(&self) -> impl Iterator<Item = (&SourcePartition, Option<Timestamp>, i64)> {
        self.queues.iter().map(|queue| (&queue.source, queue.watermark, queue.next))
    }

    /// The queue of a source; a new one where it was not known.
    fn queue(&mut self, topic: &str, partition: i32) -> usize {
        let found = self
            .queues
            .binary_search_by(|queue| (&*queue.source.topic, queue.source.partition).cmp(&(topic, partition)));
        let Err(index) = found else { return found.unwrap_or_default() };
        let input = self.inputs.iter().find(|input| ***input == *topic);
        let source = SourcePartition { topic: input.map_or_else(|| topic.into(), Arc::clone), partition };
        let counts = input.is_some();
        self.queues.insert(index, SourceQueue { source, watermark: None, next: 0, counts, waiting: VecDeque::new() });
        let moved = |(clock, queue): &(Timestamp, usize)| (*clock, queue + usize::from(*queue >= index));
        self.heads = self.heads.iter().map(moved).collect();
        self.find_min_watermark();
        index
    }

    fn advance_watermark(&mut self, index: usize, clock: Timestamp) {
        let queue = &mut self.queues[index];
        if queue.watermark < Some(clock) {
            queue.watermark = Some(clock);
            // Any other can only have been greater.
            if index == self.min_watermark.1 {
                self.find_min_watermark();
            }
        }
    }

    fn find_min_watermark(&mut self) {
        let counting = self.queues.iter().enumerate().filter(|(_, queue)| queue.counts);
        self.min_watermark = counting.map(|(index, queue)| (queue.watermark, index)).min().unwrap_or_default();
    }
}
