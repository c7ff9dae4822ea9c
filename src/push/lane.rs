//! One partition: the changes that wait, the thread that posts them, and the offset behind what is done.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use super::courier::{Courier, Delivered, LaneStop};
use crate::kafka::SubscribedRecord;

/// What a lane's thread reports: a batch is done.
pub(super) struct LaneReport {
    pub partition: i32,
    /// Which lane of the partition, since the group may have given it twice.
    pub lane: u64,
    pub delivered: Delivered,
    pub next_offset: i64,
}

/// A partition that the group has given to this member.
pub(super) struct Lane {
    pub number: u64,
    waiting: VecDeque<SubscribedRecord>,
    /// The offset behind the last record that has come.
    pub read_to: i64,
    /// The offset behind the last record that is done.
    pub done_to: i64,
    /// What the group has committed, if it has.
    pub committed: Option<i64>,
    is_busy: bool,
    pub is_paused: bool,
    batches: Option<Sender<Vec<SubscribedRecord>>>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Lane {
    /// Starts the thread of a partition, of which everything before an offset is done. `committed`: what the group has
    /// committed, if it has.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn start(
        partition: i32,
        number: u64,
        offset: i64,
        committed: Option<i64>,
        courier: Courier,
        reports: Sender<LaneReport>,
    ) -> io::Result<Self> {
        let (batches, received) = channel();
        let (stop, stopped) = LaneStop::new();
        let work = LaneThread { partition, lane: number, courier, received, stopped, reports };
        let thread = thread::Builder::new().name(format!("push-{partition}")).spawn(move || work.run())?;
        Ok(Lane {
            number,
            waiting: VecDeque::new(),
            read_to: offset,
            done_to: offset,
            committed,
            is_busy: false,
            is_paused: false,
            batches: Some(batches),
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Takes a record that has come. One that has come before is left out.
    pub(super) fn take(&mut self, record: SubscribedRecord) {
        if record.offset >= self.read_to {
            self.read_to = record.offset + 1;
            self.waiting.push_back(record);
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_idle(&self) -> bool {
        !self.is_busy && self.waiting.is_empty()
    }

    pub(super) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Hands the next changes to the thread, if it has none.
    pub(super) fn send_batch(&mut self, most: usize) {
        if self.is_busy || self.waiting.is_empty() {
            return;
        }
        let batch: Vec<SubscribedRecord> = self.waiting.drain(..most.min(self.waiting.len())).collect();
        let sent = self.batches.as_ref().map(|batches| batches.send(batch));
        self.is_busy = matches!(sent, Some(Ok(())));
    }

    /// The thread is done with its batch.
    pub(super) fn note(&mut self, report: &LaneReport) {
        self.is_busy = false;
        if report.delivered == Delivered::All {
            self.done_to = report.next_offset;
        }
    }

    /// No further batch is begun, and no pause goes on; the request that is under way ends.
    pub(super) fn stop(&mut self) {
        self.waiting.clear();
        drop((self.stop.take(), self.batches.take()));
    }

    /// Whether the thread has ended without being told, by a panic.
    pub(super) fn has_failed(&self) -> bool {
        self.stop.is_some() && self.thread.as_ref().is_some_and(JoinHandle::is_finished)
    }

    /// Waits for the end of the thread, which has been stopped. Its last report is in the channel.
    pub(super) fn join(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            // A panic has been logged already.
            let _ = thread.join();
        }
    }
}

struct LaneThread {
    partition: i32,
    lane: u64,
    courier: Courier,
    received: Receiver<Vec<SubscribedRecord>>,
    stopped: LaneStop,
    reports: Sender<LaneReport>,
}

impl LaneThread {
    fn run(self) {
        while let Ok(batch) = self.received.recv() {
            let delivered = self.courier.deliver(&batch, &self.stopped);
            let next_offset = batch.last().map_or(0, |record| record.offset + 1);
            let report = LaneReport { partition: self.partition, lane: self.lane, delivered, next_offset };
            if self.reports.send(report).is_err() {
                return;
            }
        }
    }
}
