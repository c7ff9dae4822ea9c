//! Takes one batch to the receiver, until each of its changes is accepted or a dead letter.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::answer::Answer;
use super::backoff::Backoff;
use super::monitor::PushMonitor;
use super::request::{RequestForm, is_change};
use super::webhook::Webhook;
use crate::kafka::{BrokerError, SubscribedRecord};

/// Many receivers take no body over 500 kB.
const BODY_BYTES_MAX: usize = 400_000;

/// Why a change is a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterReason {
    /// The receiver does not want it.
    Refused,
    /// The receiver has not taken it for as long as `push.give_up_after` says.
    GivenUp,
    /// The record is not a tag change.
    NotAChange,
}

impl LetterReason {
    /// All reasons, so that their metrics can be exported before the first occurrence.
    pub const ALL: [LetterReason; 3] = [LetterReason::Refused, LetterReason::GivenUp, LetterReason::NotAChange];

    /// The reason as headers and metrics have it.
    pub fn code(self) -> &'static str {
        match self {
            LetterReason::Refused => "refused",
            LetterReason::GivenUp => "given_up",
            LetterReason::NotAChange => "not_a_change",
        }
    }
}

/// How a batch has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// Each change is accepted or a dead letter.
    All,
    /// The lane was stopped; all changes have to be sent again.
    Stopped,
}

/// Ends the pauses of a lane.
pub struct LaneStop(Receiver<()>);

impl LaneStop {
    /// Dropping the first ends all pauses.
    pub fn new() -> (Sender<()>, LaneStop) {
        let (stop, stopped) = channel();
        (stop, LaneStop(stopped))
    }

    /// Waits; whether the lane was stopped.
    fn pause(&self, pause: Duration) -> bool {
        !matches!(self.0.recv_timeout(pause), Err(RecvTimeoutError::Timeout))
    }
}

/// Writes a dead letter, and waits until the brokers have it.
pub type WriteLetter = dyn Fn(&SubscribedRecord, LetterReason, &str) -> Result<(), BrokerError> + Send + Sync;

/// What takes batches to a receiver.
#[derive(Clone)]
pub struct Courier {
    webhook: Arc<Webhook>,
    form: RequestForm,
    write_letter: Arc<WriteLetter>,
    give_up_after: Option<Duration>,
    monitor: Arc<PushMonitor>,
}

impl Courier {
    pub fn new(
        webhook: Webhook,
        form: RequestForm,
        write_letter: Arc<WriteLetter>,
        give_up_after: Option<Duration>,
        monitor: Arc<PushMonitor>,
    ) -> Self {
        Courier { webhook: Arc::new(webhook), form, write_letter, give_up_after, monitor }
    }

    /// Delivers records of one partition in their order. A request that is refused is cut in halves until the changes are
    /// found that the receiver does not want; the others arrive.
    pub fn deliver(&self, records: &[SubscribedRecord], stop: &LaneStop) -> Delivered {
        let mut parts = vec![records];
        while let Some(part) = parts.pop() {
            let (part, rest) = part.split_at(fitting(part));
            if part.is_empty() {
                continue;
            }
            parts.push(rest);
            match self.deliver_part(part, stop) {
                None => return Delivered::Stopped,
                Some(PartOutcome::Done) => {}
                Some(PartOutcome::Halve) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
            }
        }
        Delivered::All
    }

    /// `None`: the lane was stopped.
    fn deliver_part(&self, part: &[SubscribedRecord], stop: &LaneStop) -> Option<PartOutcome> {
        let (changes, others): (Vec<_>, Vec<_>) = part.iter().partition(|record| is_change(record));
        if !changes.is_empty()
            && let PartOutcome::Halve = self.post(&changes, part.len() > 1, stop)?
        {
            return Some(PartOutcome::Halve);
        }
        // Not before: in a half they would come again.
        for record in others {
            self.bury(record, LetterReason::NotAChange, "the record is not a tag change", stop)?;
        }
        Some(PartOutcome::Done)
    }

    /// Posts changes until they are done with, or refused together with others.
    fn post(&self, changes: &[&SubscribedRecord], can_halve: bool, stop: &LaneStop) -> Option<PartOutcome> {
        let partition = changes[0].partition;
        let request = self.form.request(changes.iter().copied());
        let (began, mut backoff) = (Instant::now(), Backoff::default());
        loop {
            let sent = Instant::now();
            let answer = self.webhook.post(&request);
            self.monitor.note_answer(partition, &answer, sent.elapsed());
            match answer {
                Answer::Accepted => {
                    self.monitor.note_accepted(changes.len());
                    return Some(PartOutcome::Done);
                }
                Answer::Refused { .. } if can_halve => return Some(PartOutcome::Halve),
                Answer::Refused { status, words } => {
                    let detail = format!("the receiver answers {status}: {words}");
                    self.bury(changes[0], LetterReason::Refused, detail.trim_end_matches([':', ' ']), stop)?;
                    return Some(PartOutcome::Done);
                }
                Answer::Postponed { why, .. } if self.give_up_after.is_some_and(|most| began.elapsed() >= most) => {
                    for record in changes {
                        self.bury(record, LetterReason::GivenUp, &why, stop)?;
                    }
                    return Some(PartOutcome::Done);
                }
                Answer::Postponed { pause, .. } => {
                    let left = self.give_up_after.map_or(Duration::MAX, |most| most.saturating_sub(began.elapsed()));
                    if stop.pause(backoff.pause(pause).min(left)) {
                        return None;
                    }
                }
            }
        }
    }

    /// Writes a dead letter, as often as it takes. `None`: the lane was stopped.
    fn bury(&self, record: &SubscribedRecord, reason: LetterReason, detail: &str, stop: &LaneStop) -> Option<()> {
        let mut backoff = Backoff::default();
        while let Err(error) = (self.write_letter)(record, reason, detail) {
            self.monitor.note_stall(record.partition, &format!("a dead letter cannot be written: {error}"));
            if stop.pause(backoff.pause(None)) {
                return None;
            }
        }
        self.monitor.note_letter(record.partition, reason, detail);
        Some(())
    }
}

/// How one request's part of a batch has ended.
enum PartOutcome {
    /// Each change is accepted or a dead letter.
    Done,
    /// The receiver refuses something in it.
    Halve,
}

/// How many records, from the first on, one request takes: one at least, if there is one.
fn fitting(records: &[SubscribedRecord]) -> usize {
    let mut bytes = 0;
    let fits = |record: &&SubscribedRecord| {
        bytes += record.value.len() + 1;
        bytes <= BODY_BYTES_MAX
    };
    records.iter().take_while(fits).count().max(1).min(records.len())
}
