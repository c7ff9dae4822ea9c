//! Merges several sources in the order of time: an event waits here until no source can still send an earlier one.
//!
//! # The order
//! Every event has a place in the order: the clock of its source (an input partition) when it was accepted there, then
//! the source, then its offset. A source's clock never goes back, so its events come in order, and its watermark w says
//! that everything that is still to come from source r stands at (w, r) or behind. An event is ready when it stands at
//! or before the lowest of these places; at it only if it is of that source. Late events stand at their source's clock.
//! So the order depends on the contents of the inputs and on nothing else.
//!
//! # What is kept, and how it comes back
//! Events wait in Kafka: the group's offset of a merged partition is that of the first record that waits. Records
//! behind it may have been released already; so for each source the next offset is stored. A reader that starts again
//! reads everything up to where the last one had read, and releases nothing meanwhile (the stored watermarks are of
//! that time). It drops what was released before, and then stands as the last one stood.
//!
//! Pure: records in, events out. It knows neither Kafka nor the content of an event.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use crate::kafka::topology::SourcePartition;
use crate::model::Timestamp;

/// What is known of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceProgress {
    pub source: SourcePartition,
    /// Everything that is still to come stands here or behind; `None`: nothing has come from the source.
    pub watermark: Option<Timestamp>,
    /// The source's first offset whose event was not released.
    pub next: i64,
}

/// The place of a record in its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourcePosition<'a> {
    pub topic: &'a str,
    pub partition: i32,
    /// The offset of the event; of a watermark, the source's next offset.
    pub offset: i64,
    /// The source's clock at this record.
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
    /// Whether it is an input still: others are not waited for.
    counts: bool,
    waiting: VecDeque<QueuedEvent<T>>,
}

/// The sources of one merged partition, and the events that wait.
#[derive(Debug)]
pub struct TimeMerge<T> {
    /// The topics that are inputs.
    inputs: Vec<Arc<str>>,
    /// Sorted by source.
    queues: Vec<SourceQueue<T>>,
    /// Of each queue that is not empty, the first event: its clock, and the index of the queue.
    heads: BTreeSet<(Timestamp, usize)>,
    /// The lowest watermark of the queues, and the first queue that has it.
    min_watermark: (Option<Timestamp>, usize),
    /// The offset behind the last record that was read.
    next_place: i64,
    /// Nothing is released before it has read up to here.
    resume_at: i64,
    bytes: usize,
}

impl<T> TimeMerge<T> {
    /// `inputs`: the topics, each with its number of partitions.
    pub fn new(inputs: &[(Arc<str>, i32)], next_place: i64) -> Self {
        Self::restored(inputs, &[], next_place, next_place)
    }

    /// As one stood that had read up to `read_to`; the events that wait are read again from `next_place` on.
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

    /// Takes an event from this offset of the merged partition. Returns `false` if the event was here before.
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

    /// Takes a watermark of a source.
    pub fn watermark(&mut self, position: SourcePosition<'_>, place: i64) {
        self.next_place = place + 1;
        let index = self.queue(position.topic, position.partition);
        self.advance_watermark(index, position.clock);
    }

    /// Skips a record that is neither event nor watermark.
    pub fn skip(&mut self, place: i64) {
        self.next_place = place + 1;
    }

    /// The clock of the next event that is ready; `None`: none is.
    pub fn ready(&self) -> Option<Timestamp> {
        let (clock, queue) = *self.heads.first()?;
        let may_go = !self.is_resuming() && (Some(clock), queue) <= self.min_watermark;
        may_go.then_some(clock)
    }

    /// Releases the next event, if one is ready.
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

    /// The lowest watermark: nothing before it is still to come or waits, once everything that is ready was released.
    pub fn current_watermark(&self) -> Option<Timestamp> {
        self.min_watermark.0.filter(|_| !self.is_resuming())
    }

    /// Whether it still reads what was read before.
    pub fn is_resuming(&self) -> bool {
        self.next_place < self.resume_at
    }

    /// The offset from which a new reader has to begin, to stand as this one does.
    pub fn first_place(&self) -> i64 {
        let first = self.queues.iter().filter_map(|queue| Some(queue.waiting.front()?.place)).min();
        first.unwrap_or(self.next_place)
    }

    /// The offset behind the last record that was read, by this reader or by those before it.
    pub fn read_to(&self) -> i64 {
        self.next_place.max(self.resume_at)
    }

    /// The offset behind the last record that this reader has read.
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

    /// The queue of a source; it is added if the source is new.
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
            // The lowest one can only have changed in this queue.
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
