//! A member of the simulated group, as a worker calls it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::message::OwnedMessage;
use tagstream::kafka::PartitionId;
use tagstream::kafka::broker::{
    BrokerError, CommittedOffset, ErrorClass, GroupConsumer, OffsetBounds, Rebalance, RecordBatch,
};

use super::membership::{Fetched, Membership};
use super::producer_state::wire_error;
use super::sim_clients::{SimClients, gone, micros};
use crate::simulation::brokers::cluster::Event;
use crate::simulation::brokers::group::ConsumerId;
use crate::simulation::planted::Planted;
use crate::simulation::scheduler::State;

/// A member of the simulated group.
pub struct SimConsumer {
    pub clients: SimClients,
    pub id: ConsumerId,
}

impl SimConsumer {
    fn local<T>(&self, work: impl FnOnce(&mut State, ConsumerId) -> T) -> Result<T, BrokerError> {
        let Some(mut held) = self.clients.world.enter() else { return Err(gone()) };
        Ok(work(&mut held, self.id))
    }

    fn membership<T>(&self, work: impl FnOnce(&mut Membership) -> T) -> Result<T, BrokerError> {
        self.local(|state, id| work(&mut state.cluster.consumers[id]))
    }
}

/// More records are not taken at a time.
const BATCH_MAX: usize = 8;

impl SimConsumer {
    /// Serves the group, then has `take` take what is there; waits if that is nothing.
    fn poll_each(
        &self,
        wait: Duration,
        mut take: impl FnMut(&mut State, ConsumerId) -> bool,
    ) -> Result<(), BrokerError> {
        let world = &*self.clients.world;
        let Some(mut held) = world.enter() else { return Ok(()) };
        let us = held.dice.u64(5..50);
        held = world.pass(held, us);
        for wait_us in [micros(wait), 0] {
            if let Some(code) = held.cluster.consumers[self.id].fatal {
                return Err(wire_error(ErrorClass::Fatal, code));
            }
            let is_woken = std::mem::take(&mut held.cluster.consumers[self.id].is_woken);
            if held.cluster.consumers[self.id].deliver() || take(&mut held, self.id) || is_woken {
                return Ok(());
            }
            if wait_us > 0 {
                held.cluster.consumers[self.id].waiting = Some(held.own_task());
                held = world.pass(held, wait_us);
                held.cluster.consumers[self.id].waiting = None;
            }
        }
        Ok(())
    }
}

impl GroupConsumer for SimConsumer {
    type Record = OwnedMessage;

    fn join(&self) -> Result<(), BrokerError> {
        self.local(|state, id| {
            let us = state.dice.u64(1_000..50_000);
            state.after(us, Event::Beat(id));
        })
    }

    fn poll_group(&self, wait: Duration) -> Result<(), BrokerError> {
        self.poll_each(wait, |_, _| false)
    }

    fn poll(&self, wait: Duration, batch: &mut RecordBatch<OwnedMessage>) -> Result<(), BrokerError> {
        let most = self.local(|state, _| state.dice.usize(1..BATCH_MAX)).unwrap_or(1);
        self.poll_each(wait, |state, id| {
            for taken in 0..most {
                let Some((partition, record)) = state.take_record(id) else { return taken > 0 };
                let offset = rdkafka::Message::offset(&record);
                state.note(format_args!("consumer {id} takes {partition:?} {offset}"));
                state.overlaps += u64::from(state.has_open_transaction(&self.clients.name));
                batch.push(partition, record);
            }
            true
        })
    }

    fn waker(&self) -> Box<dyn Fn() + Send> {
        let (world, id) = (Arc::clone(&self.clients.world), self.id);
        Box::new(move || {
            if let Some(mut held) = world.enter() {
                held.cluster.consumers[id].is_woken = true;
                held.wake_consumer(id);
            }
        })
    }

    fn next_rebalance(&self) -> Option<Rebalance> {
        let early = self.clients.planted == Some(Planted::AnswersEarly);
        self.local(|state, id| {
            let rebalance = state.cluster.consumers[id].wanted.pop_front()?;
            state.note(format_args!("consumer {id} is asked: {rebalance:?}"));
            if early && let Rebalance::Revoke { .. } = rebalance {
                state.answer_revoke(id);
                state.answer_assign(id);
            }
            Some(rebalance)
        })
        .ok()?
    }

    fn member(&self) -> Option<String> {
        self.membership(|consumer| consumer.member.map(|member| member.to_string())).ok()?
    }

    fn accept(&self) -> Result<(), BrokerError> {
        self.local(State::answer_assign)
    }

    fn give_up(&self, fetched: &[PartitionId]) -> Result<(), BrokerError> {
        self.local(|state, id| {
            state.note(format_args!("consumer {id} gives up {fetched:?}"));
            let consumer = &mut state.cluster.consumers[id];
            consumer.fetched.retain(|partition, _| !fetched.contains(partition));
            state.answer_revoke(id);
        })
    }

    fn fetch(&self, starts: &[(PartitionId, i64)]) -> Result<(), BrokerError> {
        self.local(|state, id| {
            state.note(format_args!("consumer {id} fetches {starts:?}"));
            let start = |(partition, position): &(PartitionId, i64)| {
                (*partition, Fetched { position: *position, found: false, paused: false })
            };
            state.cluster.consumers[id].fetched.extend(starts.iter().map(start));
            state.answer_assign(id);
        })
    }

    fn pause(&self, partitions: &[PartitionId]) -> Result<(), BrokerError> {
        self.membership(|consumer| consumer.pause(partitions))
    }

    fn resume(&self, starts: &[(PartitionId, i64)]) -> Result<(), BrokerError> {
        self.membership(|consumer| consumer.resume(starts))
    }

    fn committed(
        &self,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, Result<CommittedOffset, BrokerError>>, BrokerError> {
        let unstable = self.clients.planted == Some(Planted::ReadsUnstableOffsets);
        let forgets = self.clients.planted == Some(Planted::ForgetsClocks);
        self.clients.ask(patience, |state| {
            let group = &state.cluster.group;
            if !unstable && partitions.iter().any(|partition| group.is_pending(*partition)) {
                return None;
            }
            let committed = |partition: &PartitionId| {
                let mut found = group.committed.get(partition).cloned().unwrap_or_default();
                if forgets && let Some(at) = found.metadata.find(" clock") {
                    found.metadata.truncate(at);
                }
                found
            };
            Some(partitions.iter().map(|partition| (*partition, Ok(committed(partition)))).collect())
        })
    }

    fn committed_unstable(
        &self,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, CommittedOffset>, BrokerError> {
        let hurries = self.clients.planted == Some(Planted::NeverRests);
        self.clients.ask(patience, |state| {
            let committed = &state.cluster.group.committed;
            let noted = |partition: &PartitionId| {
                let mut found = committed.get(partition).cloned().unwrap_or_default();
                if hurries {
                    found.metadata = found.metadata.replace(" told ", " told 9");
                }
                (*partition, found)
            };
            Some(partitions.iter().map(noted).collect())
        })
    }

    fn bounds(&self, partition: PartitionId, patience: Duration) -> Result<OffsetBounds, BrokerError> {
        self.clients.ask(patience, |state| Some(OffsetBounds { low: 0, high: state.cluster.input(partition).stable() }))
    }

    fn ends(&self, partitions: &[PartitionId], patience: Duration) -> Result<BTreeMap<PartitionId, i64>, BrokerError> {
        let takes_stable = self.clients.planted == Some(Planted::TakesStableForEnd);
        self.clients.ask(patience, |state| {
            let end = |partition: &PartitionId| {
                let log = state.cluster.input(*partition);
                (*partition, if takes_stable { log.stable() } else { log.end() })
            };
            Some(partitions.iter().map(end).collect())
        })
    }

    fn stable_ends(
        &self,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, i64>, BrokerError> {
        self.clients.ask(patience, |state| {
            let end = |partition: &PartitionId| (*partition, state.cluster.input(*partition).stable());
            Some(partitions.iter().map(end).collect())
        })
    }

    fn input_end(&self, patience: Duration) -> Result<i64, BrokerError> {
        self.clients.ask(patience, |state| {
            let cluster = &state.cluster;
            let inputs = cluster.streams.input_partitions();
            Some(inputs.into_iter().map(|partition| cluster.input(partition).end()).sum())
        })
    }

    fn positions(&self) -> Result<BTreeMap<PartitionId, i64>, BrokerError> {
        self.membership(|consumer| {
            let found = consumer.fetched.iter().filter(|(_, fetched)| fetched.found);
            found.map(|(partition, fetched)| (*partition, fetched.position)).collect()
        })
    }

    fn leave(&self) -> Result<(), BrokerError> {
        self.local(|state, id| {
            let consumer = &mut state.cluster.consumers[id];
            consumer.leaving = true;
            consumer.fetched.clear();
            state.answer_assign(id);
            state.answer_revoke(id);
        })
    }
}

impl Drop for SimConsumer {
    fn drop(&mut self) {
        // A static member does not say that it leaves.
        if let Some(mut held) = self.clients.world.enter() {
            held.cluster.consumers[self.id].closed = true;
        }
    }
}
