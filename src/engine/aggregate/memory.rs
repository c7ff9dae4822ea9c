//! What a series remembers of earlier events beside what it counts.

use crate::catalog::Intake;
use crate::engine::encoding::{ByteReader, put_timestamp, put_unsigned};
use crate::model::Timestamp;

/// The most steps before the last one of a sequence.
const RUNS_MAX: usize = 7;

/// What decides whether the next event counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Memory {
    /// Every event counts.
    Nothing,
    /// The time of the latest reset.
    Reset(Option<Timestamp>),
    /// The greatest time of an event that can begin a session.
    Session(Option<Timestamp>),
    Runs(Runs),
}

/// The unfinished runs of a sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Runs {
    /// The time of the latest event that matched a step and was not passed over.
    latest: Option<Timestamp>,
    /// By step, but for the last: when the latest unfinished run that has reached it began. An earlier run that has
    /// reached the same step cannot end in time where this one does not.
    begins: [Option<Timestamp>; RUNS_MAX],
}

/// What an event did to the runs of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunStep {
    /// It matches no step, or it is older than an earlier one that does.
    PassedOver,
    Noted,
    Completed,
}

impl Memory {
    pub(crate) fn new(intake: &Intake) -> Self {
        match intake {
            Intake::All => Memory::Nothing,
            Intake::Since(_) => Memory::Reset(None),
            Intake::Sessions { .. } => Memory::Session(None),
            Intake::Sequence { .. } => Memory::Runs(Runs::default()),
        }
    }

    pub(crate) fn clear(&mut self) {
        match self {
            Memory::Nothing => {}
            Memory::Reset(time) | Memory::Session(time) => *time = None,
            Memory::Runs(runs) => *runs = Runs::default(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Memory::Nothing => true,
            Memory::Reset(time) | Memory::Session(time) => time.is_none(),
            Memory::Runs(runs) => runs.latest.is_none(),
        }
    }

    /// Whether a reset was seen.
    pub(crate) fn has_reset(&self) -> bool {
        matches!(self, Memory::Reset(Some(_)))
    }

    /// Takes a reset; whether it drops what was counted so far.
    pub(crate) fn reset(&mut self, time: Timestamp) -> bool {
        let Memory::Reset(latest) = self else { return false };
        let is_latest = latest.is_none_or(|latest| time >= latest);
        if is_latest {
            *latest = Some(time);
        }
        is_latest
    }

    /// Whether an event is not older than the latest reset.
    pub(crate) fn admits(&self, time: Timestamp) -> bool {
        !matches!(self, Memory::Reset(Some(latest)) if time < *latest)
    }

    /// Takes an event of a session; whether it begins one. `None` for a late event, which changes nothing.
    pub(crate) fn see_session(&mut self, time: Timestamp, gap_ms: i64) -> Option<bool> {
        let Memory::Session(latest) = self else { return None };
        let begins = match *latest {
            Some(latest) if time <= latest => return None,
            Some(latest) => time.since(latest) > gap_ms,
            None => true,
        };
        *latest = Some(time);
        Some(begins)
    }

    /// Takes an event that matches the steps whose bits are set; the lowest bit is the first step.
    pub(crate) fn see_steps(&mut self, time: Timestamp, matched: u8, steps: usize, within_ms: i64) -> RunStep {
        let Memory::Runs(Runs { latest, begins }) = self else { return RunStep::PassedOver };
        if matched == 0 || latest.is_some_and(|latest| time < latest) {
            return RunStep::PassedOver;
        }
        *latest = Some(time);
        let is_step = |index: usize| matched & 1 << index != 0;
        let in_time = |begin: &Timestamp| time.since(*begin) <= within_ms;
        // From the last step back, so that an event is one step of a run.
        for index in (1..steps).rev().filter(|index| is_step(*index)) {
            let Some(begin) = begins[index - 1].filter(in_time) else { continue };
            if index == steps - 1 {
                *begins = Default::default();
                return RunStep::Completed;
            }
            begins[index] = begins[index].max(Some(begin));
        }
        if is_step(0) {
            begins[0] = Some(time);
        }
        RunStep::Noted
    }

    /// Writes nothing for a series of which every event counts.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Memory::Nothing => {}
            Memory::Reset(time) | Memory::Session(time) => {
                put_unsigned(out, u64::from(time.is_some()));
                time.iter().for_each(|time| put_timestamp(out, *time));
            }
            Memory::Runs(Runs { latest, begins }) => {
                let mask = begins.iter().rev().fold(0, |mask, begin| mask << 1 | u64::from(begin.is_some()));
                put_unsigned(out, mask << 1 | u64::from(latest.is_some()));
                latest.iter().chain(begins.iter().flatten()).for_each(|time| put_timestamp(out, *time));
            }
        }
    }

    pub(crate) fn decode(&mut self, reader: &mut ByteReader<'_>) {
        match self {
            Memory::Nothing => {}
            Memory::Reset(time) | Memory::Session(time) => {
                *time = (reader.unsigned() > 0).then(|| reader.timestamp());
            }
            Memory::Runs(Runs { latest, begins }) => {
                let mask = reader.unsigned();
                *latest = (mask & 1 > 0).then(|| reader.timestamp());
                for (index, begin) in begins.iter_mut().enumerate() {
                    *begin = (mask >> (index + 1) & 1 > 0).then(|| reader.timestamp());
                }
            }
        }
    }
}
