//! How a worker stands: where its partitions are, for whoever watches it.

use super::notice::Notice;
use super::slot::Slot;
use super::wire::Wire;
use super::worker::Worker;
use crate::model::Timestamp;

/// Where a partition that runs stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub partition: i32,
    /// The offset that the group has committed; `None`: none at all.
    pub committed: Option<i64>,
    /// Records that are not applied yet; `None`: the broker does not tell now.
    pub lag: Option<u64>,
    /// The partition's own time; `None` before its first event.
    pub clock: Option<Timestamp>,
    pub entities: usize,
    pub state_bytes: usize,
}

impl<W: Wire> Worker<W> {
    pub(super) fn standing(&self) -> Notice {
        let running = self.slots.iter().filter_map(|(partition, slot)| match slot {
            Slot::Running(running) => Some((*partition, running)),
            Slot::Assigned => None,
        });
        let partitions = running.map(|(partition, running)| Standing {
            partition,
            committed: running.committed(),
            lag: running.lag,
            clock: running.state().clock(),
            entities: running.state().entities(),
            state_bytes: running.state().bytes(),
        });
        Notice::Standing { worker: self.plan.id, held: self.held, partitions: partitions.collect() }
    }
}
