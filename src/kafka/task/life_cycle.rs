//! A task: one partition in the hands of a worker, and the states that it passes through.

use std::fmt;

use super::running_task::RunningTask;
use crate::kafka::broker::ClientError;
use crate::kafka::state::{Cancel, RecoveryPoint, RestoreError, StateUse};

/// The life cycle of a partition.
///
/// ```text
///             committed offset        state read back from the changelog
///   Assigned ────────────────▶ Restoring ────────────────▶ Running
///      ▲ ▲                       │ │ │                        │ revoked: committed, then dropped
///      │ └───────────────────────┘ │ │ revoked: dropped       │ lost: dropped
///      │   another member committed│ │                        │
///      └───────────────────────────┼─┴────────────────────────┘
///        assigned by the group     ▼ the operator has to act
///                               Stopped
/// ```
///
/// Records are fetched only for a task that runs, and only such a task takes part in a transaction. A stopped task
/// stays assigned, so that no other member tries the same partition; the others go on.
pub(crate) enum Task {
    /// `disagreements`: how many times in a row the state that was read back did not belong to the committed offset.
    Assigned {
        disagreements: u32,
    },
    Restoring(RestoringTask),
    Running(Box<RunningTask>),
    Stopped(PartitionError),
}

impl Task {
    /// Whether something of the partition has to be committed.
    pub(crate) fn is_dirty(&self) -> bool {
        matches!(self, Task::Running(running) if running.is_dirty())
    }

    /// Whether the partition takes part in the next transaction.
    pub(crate) fn is_due(&self) -> bool {
        matches!(self, Task::Running(running) if running.is_due())
    }
}

/// A task whose state is being read back.
pub(crate) struct RestoringTask {
    pub committed: Option<i64>,
    /// The offset from which it will run, unless the records there are gone.
    pub next_offset: i64,
    /// The first offset of the partition, when that was asked.
    pub low: i64,
    pub disagreements: u32,
    pub state_use: StateUse,
    /// How many forwarded bytes its last owner may have been ahead of the other sources.
    pub ahead: usize,
    pub cancel: Cancel,
}

/// Why a partition has stopped until the operator acts.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum PartitionError {
    #[error(
        "the records of partition {} of {} from offset {} on are gone, before they were read: it begins at offset {low} \
         now, so up to {} records were not counted; nothing is skipped silently: to keep the state and go on at the first \
         record, accept the gap at one start with `tagstream run --accept-gap {at}`",
        at.partition, at.topic, at.offset.unwrap_or_default(), low - at.offset.unwrap_or_default()
    )]
    RecordsGone { at: RecoveryPoint, low: i64 },
    #[error(
        "the group stands at offset {offset} of partition {partition} of {topic}, which ends at offset {high}: the brokers \
         have lost its last records (an unclean election of a leader, a restored backup), or the topic was created again; \
         nothing is guessed: {}", without_state(at), partition = at.partition, topic = at.topic,
         offset = at.offset.unwrap_or_default()
    )]
    BeyondEnd { at: RecoveryPoint, high: i64 },
    #[error(transparent)]
    Disagreement(Box<Disagreement>),
    #[error("the topic {topic} had {was} partitions and has {is}: {}", topic_use.advice(*was))]
    Resized { topic: String, was: i32, is: i32, topic_use: TopicUse },
    #[error("the topic {topic} was deleted and created again: {}", topic_use.advice_when_recreated())]
    Recreated { topic: String, topic_use: TopicUse },
    #[error(transparent)]
    Client(ClientError),
    #[error("the state cannot be read back: {error}; {}", ways_on(at, error))]
    Restore { at: RecoveryPoint, error: Box<RestoreError> },
}

/// The ways on without the state of a partition.
fn without_state(at: &RecoveryPoint) -> String {
    format!(
        "count again what the input retains with `tagstream run --recount {at}` (all changes of the partition are sent again), \
         or go on with an empty state with `tagstream run --start-empty {at}` (counters have seen nothing from before), each at one start"
    )
}

fn ways_on(at: &RecoveryPoint, error: &RestoreError) -> String {
    if error.is_of_newer_version() {
        return "run the newer version of tagstream again".to_owned();
    }
    format!(
        "a process that has an intact snapshot of the partition (state.directory) restores it without these records; \
         otherwise {}",
        without_state(at)
    )
}

fn offset_words(offset: Option<i64>) -> String {
    offset.map_or_else(|| "no offset".to_owned(), |offset| format!("offset {offset}"))
}

/// A state that is not of the offset that the group has committed.
#[derive(Clone, Debug)]
pub(crate) struct Disagreement {
    /// Where the group stands.
    pub at: RecoveryPoint,
    pub changelog: String,
    /// Where the state stands; `None`: there is none.
    pub noted: Option<i64>,
    /// The first offset of the partition.
    pub low: i64,
    /// The consumer group.
    pub group: String,
    pub brokers: String,
}

impl std::error::Error for Disagreement {}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Disagreement { at, changelog, noted, low, group, brokers } = self;
        let RecoveryPoint { topic, partition, offset } = at;
        write!(
            f,
            "the group stands at {} of partition {partition} of {topic}, the state in {changelog} at {}: offsets were \
             reset, the changelog was emptied, or a topic was deleted, with its offsets, and created again; nothing is guessed: ",
            offset_words(*offset),
            offset_words(*noted)
        )?;
        match noted {
            Some(noted) if noted < low => write!(
                f,
                "if the topic is the same, keep the state and go on at offset {low}, the first that exists, with \
                 `tagstream run --accept-gap {topic}/{partition}@{noted}` at one start"
            )?,
            Some(noted) => write!(
                f,
                "if the topic is the same, keep the state: stop all processes and set the group's offset to that of the \
                 state with `kafka-consumer-groups --bootstrap-server {brokers} --group {group} --topic {topic}:{partition} \
                 --reset-offsets --to-offset {noted} --execute`"
            )?,
            None => return f.write_str(&without_state(at)),
        }
        write!(f, "; otherwise {}", without_state(at))
    }
}

/// What the service does with a topic whose number of partitions matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TopicUse {
    /// An input whose users are counted where it is read.
    Counted,
    /// An input all of whose events are forwarded.
    Forwarded,
    /// Events that were forwarded for a kind of entity.
    Merged,
    /// The states of partitions.
    Changelog,
    /// Tag changes or current tags.
    Output,
}

impl TopicUse {
    /// What other partitions mean, and what to do.
    fn advice(self, was: i32) -> String {
        match self {
            TopicUse::Counted => format!(
                "partitions that were added to the input have moved users to others, where their counters start from \
                 zero: go back to an input with {was} partitions, or start again under another kafka.application"
            ),
            TopicUse::Forwarded => {
                "events in the new ones would be missing in the order of time: stop all processes of the application for \
                 longer than their session (session.timeout.ms) and start them, so that they read the new ones, too"
                    .to_owned()
            }
            TopicUse::Merged => {
                "with other partitions entities are in others, where their counters start from zero: start again \
                 under another kafka.application"
                    .to_owned()
            }
            TopicUse::Changelog => {
                "a partition's state stands in the one of its number: start again under another kafka.application".to_owned()
            }
            TopicUse::Output => {
                "a key's records would be in two partitions, without an order: restart all processes of the \
                 application; from then on each key has its new partition"
                    .to_owned()
            }
        }
    }

    /// What a topic that was created again means, and what to do.
    fn advice_when_recreated(self) -> &'static str {
        match self {
            TopicUse::Counted | TopicUse::Forwarded | TopicUse::Merged | TopicUse::Output => {
                "offsets and state belong to the old one, and nothing is counted from an offset that means another record: \
                 start again under another kafka.application, which reads the new one from its beginning"
            }
            TopicUse::Changelog => {
                "the states that stood there are gone: start again under another kafka.application, with --rebuild to \
                 count what the input retains"
            }
        }
    }
}
