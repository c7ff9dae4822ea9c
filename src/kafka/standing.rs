//! How a worker stands: where its partitions are, for whoever watches it.

use super::merge::Merge;
use super::notice::Notice;
use super::slot::Slot;
use super::wire::Wire;
use super::worker::Worker;
use crate::model::Timestamp;

/// Where a partition stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its committed offset is looked for.
    Starting,
    /// Its state is read back from the changelog.
    Restoring,
    Running(Figures),
    /// It does not go on until a person has done something, for this reason.
    Stopped(String),
}

/// Figures of a partition that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// The offset that the group has committed; `None`: none at all.
    pub committed: Option<i64>,
    /// Records that are not applied yet; `None`: the broker does not tell now.
    pub lag: Option<u64>,
    /// The partition's own time; `None` before its first event.
    pub clock: Option<Timestamp>,
    pub entities: usize,
    /// Bytes of events that wait for other inputs; `None`: it is no partition where they do.
    pub waiting_bytes: Option<usize>,
    pub state_bytes: usize,
}

impl<W: Wire> Worker<W> {
    pub(super) fn standing(&self) -> Notice {
        let partitions = self.slots.iter().map(|(partition, slot)| (self.streams().name(*partition), standing(slot)));
        Notice::Standing { worker: self.plan.id, held: self.held, partitions: partitions.collect() }
    }
}

fn standing(slot: &Slot) -> Standing {
    match slot {
        Slot::Assigned { .. } => Standing::Starting,
        Slot::Restoring(_) => Standing::Restoring,
        Slot::Running(running) => Standing::Running(Figures {
            committed: running.committed(),
            lag: running.lag,
            clock: running.state().clock(),
            entities: running.state().entities(),
            waiting_bytes: running.merge.as_ref().map(Merge::waiting_bytes),
            state_bytes: running.state().bytes(),
        }),
        Slot::Stopped(error) => Standing::Stopped(error.to_string()),
    }
}
