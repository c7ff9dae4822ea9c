//! The loop of `tagstream push`: records to their lanes, the group's requests, offsets after their answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::courier::Courier;
use super::lane::{Lane, LaneReport};
use super::monitor::PushMonitor;
use crate::kafka::{
    BrokerError, ChangesMember, ErrorClass, EventListener, MemberError, MemberRequest, OffsetBounds, StopSignal,
};
use crate::settings::{Settings, Start};
use crate::telemetry::{Log, Severity};

/// How long the loop waits for records: a lane may report meanwhile.
const POLL_BUSY: Duration = Duration::from_millis(5);
const POLL_IDLE: Duration = Duration::from_millis(100);
const COMMIT_EVERY: Duration = Duration::from_millis(200);
const LAG_EVERY: Duration = Duration::from_secs(5);
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);
/// Before the group is joined again after a failure.
const REJOIN_AFTER: Duration = Duration::from_secs(2);
/// A partition is paused when this many batches wait, and read on when one is left.
const BATCHES_WAITING_MAX: usize = 10;

/// Why the group has to be joined again.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error(transparent)]
    Member(#[from] MemberError),
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    #[error("the membership in the group has ended")]
    MembershipEnded,
    #[error("the group has failed: {0}")]
    Group(String),
    #[error("the thread of partition {0} has ended; the log says above why")]
    LaneFailed(i32),
    #[error("partition {partition} was read to offset {read_to}, and ends at {high} now")]
    BeyondEnd { partition: i32, read_to: i64, high: i64 },
}

/// What all sessions share.
pub(super) struct Pusher {
    pub settings: Arc<Settings>,
    pub courier: Courier,
    pub monitor: Arc<PushMonitor>,
    pub listener: EventListener,
    pub stop: StopSignal,
}

impl Pusher {
    /// Pushes until it is stopped.
    pub(super) fn run(&self) {
        let log = Log::default();
        while !self.stop.is_given() {
            self.monitor.note_round();
            self.monitor.wait_for(Some("the group has not given this process its partitions"));
            let Err(error) = Session::join(self).and_then(|mut session| session.run()) else { return };
            log.write(Severity::Warn, Some("session".to_owned()), &format!("the group is joined again: {error}"));
            let until = Instant::now() + REJOIN_AFTER;
            while Instant::now() < until && !self.stop.is_given() {
                thread::sleep(POLL_IDLE);
            }
        }
    }
}

/// One membership in the group.
struct Session<'a> {
    pusher: &'a Pusher,
    member: ChangesMember,
    member_id: Option<String>,
    lanes: BTreeMap<i32, Lane>,
    lanes_started: u64,
    reports: Receiver<LaneReport>,
    report_sender: Sender<LaneReport>,
    commit_at: Instant,
    lag_at: Instant,
    log: Log,
}

impl<'a> Session<'a> {
    fn join(pusher: &'a Pusher) -> Result<Self, SessionError> {
        let member =
            ChangesMember::join(&pusher.settings, &pusher.settings.push_group(), Arc::clone(&pusher.listener))?;
        let (report_sender, reports) = channel();
        Ok(Session {
            pusher,
            member,
            member_id: None,
            lanes: BTreeMap::new(),
            lanes_started: 0,
            reports,
            report_sender,
            commit_at: Instant::now(),
            lag_at: Instant::now(),
            log: Log::default(),
        })
    }

    /// Works until it is stopped, or until the group has to be joined again.
    fn run(&mut self) -> Result<(), SessionError> {
        while !self.pusher.stop.is_given() {
            self.pusher.monitor.note_round();
            self.read()?;
            self.check_membership()?;
            while let Some(request) = self.member.next_request() {
                self.answer(request)?;
            }
            self.take_reports();
            self.start_batches()?;
            self.commit_if_due()?;
            self.note_lags();
        }
        self.end()
    }

    /// Takes the records that have come.
    fn read(&mut self) -> Result<(), SessionError> {
        let wait = if self.lanes.values().any(Lane::is_busy) { POLL_BUSY } else { POLL_IDLE };
        let lanes = &mut self.lanes;
        let polled = self.member.poll(wait, |record| {
            if let Some(lane) = lanes.get_mut(&record.partition) {
                lane.take(record);
            }
        });
        match polled {
            Ok(()) => Ok(()),
            Err(error) if error.class == ErrorClass::Fatal => Err(error.into()),
            Err(error) => {
                let line = format!("{} is not read at present: {error}", self.pusher.settings.output.changes);
                self.log.write(Severity::Warn, Some("read".to_owned()), &line);
                self.skip_gaps()
            }
        }
    }

    /// A partition of which the next records are gone is read from its beginning.
    ///
    /// # Errors
    /// A partition is shorter than what was read of it: it has to be assigned again.
    fn skip_gaps(&mut self) -> Result<(), SessionError> {
        for (partition, lane) in &mut self.lanes {
            let Ok(OffsetBounds { low, high }) = self.member.bounds(*partition, ANSWER_PATIENCE) else { return Ok(()) };
            if lane.read_to > high {
                return Err(SessionError::BeyondEnd { partition: *partition, read_to: lane.read_to, high });
            }
            if lane.read_to >= low {
                continue;
            }
            self.pusher.monitor.note_gap(*partition, low - lane.read_to);
            lane.read_to = low;
            self.member.pause(*partition)?;
            self.member.resume(&BTreeMap::from([(*partition, low)]))?;
        }
        Ok(())
    }

    /// librdkafka may join again as if it had its partitions still: only another member id tells.
    fn check_membership(&mut self) -> Result<(), SessionError> {
        let now = self.member.id();
        match (&self.member_id, &now) {
            (Some(before), Some(id)) if before != id => Err(SessionError::MembershipEnded),
            _ => {
                self.member_id = now.or(self.member_id.take());
                Ok(())
            }
        }
    }

    fn answer(&mut self, request: MemberRequest) -> Result<(), SessionError> {
        match request {
            MemberRequest::Assign(partitions) => {
                self.member.accept()?;
                self.assign(&partitions)?;
                self.pusher.monitor.wait_for(None);
                tracing::info!(?partitions, "the group gives this process partitions");
            }
            MemberRequest::Revoke { partitions, is_lost } => {
                tracing::info!(?partitions, is_lost, "the group takes partitions away");
                self.close_lanes(&partitions, is_lost);
                let read: Vec<i32> =
                    partitions.iter().copied().filter(|partition| self.lanes.remove(partition).is_some()).collect();
                self.pusher.monitor.forget(&partitions);
                self.member.give_up(&read)?;
            }
            MemberRequest::Failed(why) => return Err(SessionError::Group(why)),
        }
        Ok(())
    }

    /// Reads new partitions from where the group has committed.
    fn assign(&mut self, partitions: &[i32]) -> Result<(), SessionError> {
        let committed = self.member.committed(partitions, ANSWER_PATIENCE)?;
        let mut starts = BTreeMap::new();
        for partition in partitions {
            let bounds = self.member.bounds(*partition, ANSWER_PATIENCE)?;
            let committed = committed.get(partition).copied().flatten();
            let start = self.start_of(*partition, committed, bounds);
            // An offset behind the end says nothing of the records that are there.
            let committed = committed.filter(|offset| *offset <= bounds.high);
            starts.insert(*partition, start);
            self.lanes_started += 1;
            let (courier, reports) = (self.pusher.courier.clone(), self.report_sender.clone());
            let lane = Lane::start(*partition, self.lanes_started, start, committed, courier, reports)?;
            self.lanes.insert(*partition, lane);
        }
        self.lag_at = Instant::now();
        Ok(self.member.read(&starts)?)
    }

    fn start_of(&self, partition: i32, committed: Option<i64>, OffsetBounds { low, high }: OffsetBounds) -> i64 {
        match committed {
            None if self.pusher.settings.push.start == Start::Latest => high,
            None => low,
            Some(offset) if offset < low => {
                self.pusher.monitor.note_gap(partition, low - offset);
                low
            }
            Some(offset) if offset > high => {
                tracing::warn!(partition, offset, high, "the topic was made anew; it is read from its beginning");
                low
            }
            Some(offset) => offset,
        }
    }

    fn take_reports(&mut self) {
        while let Ok(report) = self.reports.try_recv() {
            if let Some(lane) = self.lanes.get_mut(&report.partition).filter(|lane| lane.number == report.lane) {
                lane.note(&report);
            }
        }
    }

    fn start_batches(&mut self) -> Result<(), SessionError> {
        let most = self.pusher.settings.push.batch;
        for (partition, lane) in &mut self.lanes {
            if lane.has_failed() {
                return Err(SessionError::LaneFailed(*partition));
            }
            lane.send_batch(most);
            if !lane.is_paused && lane.waiting() >= most * BATCHES_WAITING_MAX {
                self.member.pause(*partition)?;
                lane.is_paused = true;
            } else if lane.is_paused && lane.waiting() <= most {
                self.member.resume(&BTreeMap::from([(*partition, lane.read_to)]))?;
                lane.is_paused = false;
            }
        }
        Ok(())
    }

    fn commit_if_due(&mut self) -> Result<(), SessionError> {
        if Instant::now() < self.commit_at {
            return Ok(());
        }
        self.commit_at = Instant::now() + COMMIT_EVERY;
        // Behind the markers of transactions, where nothing waits.
        for (partition, position) in self.member.positions()? {
            if let Some(lane) = self.lanes.get_mut(&partition).filter(|lane| lane.is_idle() && position >= lane.read_to)
            {
                lane.done_to = lane.done_to.max(position);
            }
        }
        self.commit()
    }

    /// Commits what is done.
    fn commit(&mut self) -> Result<(), SessionError> {
        let new = self.lanes.iter().filter(|(_, lane)| Some(lane.done_to) > lane.committed);
        let next: BTreeMap<i32, i64> = new.map(|(partition, lane)| (*partition, lane.done_to)).collect();
        if next.is_empty() {
            return Ok(());
        }
        match self.member.commit(&next) {
            Ok(()) => {
                for (partition, offset) in next {
                    self.lanes.entry(partition).and_modify(|lane| lane.committed = Some(offset));
                }
                Ok(())
            }
            Err(error) if error.class == ErrorClass::Fatal => Err(error.into()),
            // The next commit carries these offsets, too.
            Err(error) => {
                let line = format!("offsets are not committed, changes may be sent again: {error}");
                self.log.write(Severity::Warn, Some("commit".to_owned()), &line);
                Ok(())
            }
        }
    }

    /// Stops lanes, waits for the requests that are under way, and commits what they came to.
    fn close_lanes(&mut self, partitions: &[i32], is_lost: bool) {
        let mut closed = |of: fn(&mut Lane)| {
            partitions.iter().for_each(|partition| {
                self.lanes.get_mut(partition).map(of);
            });
        };
        // All at once, then one after the other.
        closed(Lane::stop);
        closed(Lane::join);
        self.take_reports();
        if !is_lost && let Err(error) = self.commit() {
            tracing::warn!("offsets are not committed, changes may be sent again: {error}");
        }
    }

    /// The end: requests under way get their answers, and their offsets are committed.
    fn end(&mut self) -> Result<(), SessionError> {
        let all: Vec<i32> = self.lanes.keys().copied().collect();
        self.close_lanes(&all, false);
        self.member.leave();
        Ok(())
    }

    fn note_lags(&mut self) {
        if Instant::now() < self.lag_at {
            return;
        }
        self.lag_at = Instant::now() + LAG_EVERY;
        let partitions: Vec<i32> = self.lanes.keys().copied().collect();
        if let Ok(ends) = self.member.ends(&partitions, ANSWER_PATIENCE) {
            let lag =
                |(partition, lane): (&i32, &Lane)| Some((*partition, (ends.get(partition)? - lane.done_to).max(0)));
            self.pusher.monitor.note_lags(self.lanes.iter().filter_map(lag).collect());
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let all: Vec<i32> = self.lanes.keys().copied().collect();
        self.lanes.values_mut().for_each(Lane::stop);
        self.lanes.values_mut().for_each(Lane::join);
        self.pusher.monitor.forget(&all);
    }
}
