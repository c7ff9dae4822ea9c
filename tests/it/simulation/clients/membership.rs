//! A consumer as its client library runs it: heartbeats, joining, what it is about to ask the application.
//!
//! A revocation is under way from the moment at which it is queued for the application, not only once the application
//! has polled it. Giving up any partition then counts as its answer, as it does in librdkafka.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rdkafka::Timestamp;
use rdkafka::message::OwnedMessage;
use rdkafka::types::RDKafkaErrorCode;
use tagstream::kafka::PartitionId;
use tagstream::kafka::broker::Rebalance;

use crate::simulation::brokers::cluster::Event;
use crate::simulation::brokers::group::{ConsumerId, GroupMetadata, MemberId, Pulse, Sync};
use crate::simulation::scheduler::{ProcessId, State, TaskId};
use crate::simulation::script::START_MS;

/// Where a consumer stands with its group.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    Outside,
    /// It waits for the others.
    Joining,
    Steady,
    /// The application has to take these.
    Assigning {
        rejoin: bool,
    },
    /// The application has to give these up; then there are others to take, or it has lost everything.
    Revoking {
        partitions: BTreeSet<PartitionId>,
        then: BTreeSet<PartitionId>,
        lost: bool,
    },
}

/// Something queued for the application.
#[derive(Clone, Debug)]
enum Ask {
    Assign(BTreeSet<PartitionId>),
    Revoke(BTreeSet<PartitionId>),
}

/// A partition that is fetched.
#[derive(Clone, Copy, Debug)]
pub struct Fetched {
    pub position: i64,
    /// Whether something was read or stepped over.
    pub found: bool,
    pub paused: bool,
}

#[derive(Debug)]
pub struct Membership {
    pub process: ProcessId,
    pub instance: String,
    pub member: Option<MemberId>,
    pub generation: i32,
    standing: Standing,
    owned: BTreeSet<PartitionId>,
    asks: VecDeque<Ask>,
    lost: bool,
    /// What the application has polled, and not taken up yet.
    pub wanted: VecDeque<Rebalance>,
    pub fetched: BTreeMap<PartitionId, Fetched>,
    pub fatal: Option<RDKafkaErrorCode>,
    /// The task that waits in a poll.
    pub waiting: Option<TaskId>,
    /// Whether the next wait, or that of now, is to end at once.
    pub is_woken: bool,
    pub closed: bool,
    /// The application does not answer any more: the client does, for it.
    pub leaving: bool,
    heard_us: u64,
}

impl Membership {
    pub fn new(process: ProcessId, instance: String) -> Membership {
        Membership {
            process,
            instance,
            member: None,
            generation: -1,
            standing: Standing::Outside,
            owned: BTreeSet::new(),
            asks: VecDeque::new(),
            lost: false,
            wanted: VecDeque::new(),
            fetched: BTreeMap::new(),
            fatal: None,
            waiting: None,
            is_woken: false,
            closed: false,
            leaving: false,
            heard_us: 0,
        }
    }

    pub fn metadata(&self) -> GroupMetadata {
        GroupMetadata { instance: self.instance.clone(), member: self.member, generation: self.generation }
    }

    pub fn pause(&mut self, partitions: &[PartitionId]) {
        for partition in partitions {
            if let Some(fetched) = self.fetched.get_mut(partition) {
                fetched.paused = true;
            }
        }
    }

    pub fn resume(&mut self, starts: &[(PartitionId, i64)]) {
        for (partition, position) in starts {
            if let Some(fetched) = self.fetched.get_mut(partition) {
                *fetched = Fetched { position: *position, found: false, paused: false };
            }
        }
    }

    pub fn reads(&self, partition: PartitionId) -> bool {
        self.fetched.get(&partition).is_some_and(|fetched| !fetched.paused)
    }

    /// Whether fetching rests until the application has answered.
    fn rests(&self) -> bool {
        matches!(self.standing, Standing::Assigning { .. } | Standing::Revoking { .. })
    }

    /// Hands what is queued to the application.
    pub fn deliver(&mut self) -> bool {
        let Some(ask) = self.asks.pop_front() else { return false };
        self.wanted.push_back(match ask {
            Ask::Assign(partitions) => Rebalance::Assign(partitions.into_iter().collect()),
            Ask::Revoke(partitions) => {
                Rebalance::Revoke { partitions: partitions.into_iter().collect(), lost: self.lost }
            }
        });
        true
    }
}

impl State {
    fn consumer(&mut self, id: ConsumerId) -> &mut Membership {
        &mut self.cluster.consumers[id]
    }

    /// When a consumer that is stopped or cut off can act again; `None`: now.
    fn kept_until(&self, process: ProcessId) -> Option<u64> {
        let process = &self.processes[process];
        let until = process.frozen_until_us.max(process.cut_until_us);
        (until > self.now_us).then_some(until)
    }

    /// The group is asked how things are, at intervals.
    pub fn beat(&mut self, id: ConsumerId) {
        let consumer = &self.cluster.consumers[id];
        let (process, instance) = (consumer.process, consumer.instance.clone());
        if consumer.closed || consumer.fatal.is_some() || self.processes[process].dead {
            return;
        }
        let interval = self.cluster.shape.heartbeat_us;
        if let Some(until) = self.kept_until(process) {
            let frozen = self.processes[process].frozen_until_us > self.now_us;
            let silent_for = self.now_us - self.consumer(id).heard_us.min(self.now_us);
            if !frozen && silent_for > self.cluster.shape.session_us {
                self.consumer(id).member = None;
                self.lose(id);
            }
            let at = if frozen { until } else { self.now_us + interval };
            return self.at(at, Event::Beat(id));
        }
        let next = interval / 2 + self.dice.u64(0..interval);
        self.after(next, Event::Beat(id));
        self.consumer(id).heard_us = self.now_us;
        let expires_us = self.now_us + self.cluster.shape.session_us;
        if self.consumer(id).standing == Standing::Joining {
            if !self.cluster.group.hold(id, expires_us) {
                self.join(id);
            }
            return;
        }
        if self.consumer(id).standing == Standing::Outside {
            return self.join(id);
        }
        // Also without a member id: a member whose session has ended, and whose application has not given up yet.
        let member = self.consumer(id).member;
        match self.cluster.group.heartbeat(member, &instance, expires_us) {
            Pulse::Fine => {}
            Pulse::Rebalancing if self.consumer(id).standing == Standing::Steady => self.join(id),
            Pulse::Rebalancing => {}
            Pulse::Unknown => {
                self.consumer(id).member = None;
                self.consumer(id).generation = -1;
                self.lose(id);
            }
            Pulse::Fenced => {
                self.note(format_args!("consumer {id} is fenced as {member:?}"));
                self.consumer(id).fatal = Some(RDKafkaErrorCode::FencedInstanceId);
                self.wake_consumer(id);
            }
        }
    }

    pub fn wake_consumer(&mut self, id: ConsumerId) {
        if let Some(task) = self.cluster.consumers[id].waiting {
            self.wake(task, self.now_us);
        }
    }

    /// Everything may be another member's, for all the client knows. In the middle of a rebalance the application is not told.
    fn lose(&mut self, id: ConsumerId) {
        if self.consumer(id).standing != Standing::Steady {
            return;
        }
        if self.consumer(id).owned.is_empty() {
            self.consumer(id).standing = Standing::Outside;
        } else {
            self.revoke_all(id);
        }
    }

    fn revoke_all(&mut self, id: ConsumerId) {
        let consumer = self.consumer(id);
        let partitions = consumer.owned.clone();
        consumer.lost = true;
        consumer.asks.push_back(Ask::Revoke(partitions.clone()));
        consumer.standing = Standing::Revoking { partitions, then: BTreeSet::new(), lost: true };
        self.note(format_args!("consumer {id} has lost its partitions"));
        self.asked(id);
    }

    /// What was just queued finds the application, or a client that answers for it.
    fn asked(&mut self, id: ConsumerId) {
        if self.consumer(id).leaving {
            self.consumer(id).asks.clear();
            self.consumer(id).fetched.clear();
            self.answer_assign(id);
            self.answer_revoke(id);
        } else {
            self.wake_consumer(id);
        }
    }

    fn join(&mut self, id: ConsumerId) {
        let consumer = &mut self.cluster.consumers[id];
        consumer.standing = Standing::Joining;
        consumer.heard_us = self.now_us;
        let (metadata, owned) = (consumer.metadata(), consumer.owned.clone());
        self.note(format_args!("consumer {id} ({}) joins with {owned:?}", metadata.instance));
        let expires_us = self.now_us + self.cluster.shape.session_us;
        match self.cluster.group.join(id, &metadata, &owned, self.now_us, expires_us) {
            Some(sync) => self.at(self.now_us + 1_000, Event::Sync(sync)),
            None => self.complete_rebalance(),
        }
    }

    /// The group tells a member what it is assigned.
    pub fn sync(&mut self, sync: Sync) {
        let id = sync.consumer;
        let process = self.cluster.consumers[id].process;
        if self.cluster.consumers[id].closed || self.processes[process].dead {
            return;
        }
        if let Some(until) = self.kept_until(process) {
            return self.at(until, Event::Sync(sync));
        }
        if self.consumer(id).standing != Standing::Joining {
            return;
        }
        let Sync { member, generation, assigned, .. } = sync;
        if !self.cluster.group.is_current(member, generation) {
            // The group went on meanwhile: SyncGroup is refused.
            let consumer = self.consumer(id);
            (consumer.member, consumer.generation, consumer.standing) = (None, -1, Standing::Steady);
            return self.lose(id);
        }
        let consumer = self.consumer(id);
        consumer.member = Some(member);
        consumer.generation = generation;
        let revoked: BTreeSet<PartitionId> = consumer.owned.difference(&assigned).copied().collect();
        let added: BTreeSet<PartitionId> = assigned.difference(&consumer.owned).copied().collect();
        if !revoked.is_empty() {
            consumer.asks.push_back(Ask::Revoke(revoked.clone()));
            consumer.standing = Standing::Revoking { partitions: revoked, then: added, lost: false };
            self.asked(id);
        } else if !added.is_empty() {
            self.assign(id, added, false);
        } else {
            consumer.standing = Standing::Steady;
        }
    }

    fn assign(&mut self, id: ConsumerId, partitions: BTreeSet<PartitionId>, rejoin: bool) {
        let consumer = self.consumer(id);
        consumer.owned.extend(&partitions);
        consumer.asks.push_back(Ask::Assign(partitions));
        consumer.standing = Standing::Assigning { rejoin };
        self.asked(id);
    }

    /// The application has added partitions, or none: that answers an assignment.
    pub fn answer_assign(&mut self, id: ConsumerId) {
        self.consumer(id).lost = false;
        let Standing::Assigning { rejoin } = self.consumer(id).standing else { return };
        self.consumer(id).standing = Standing::Steady;
        if rejoin {
            self.join(id);
        }
    }

    /// The application has given partitions up, or none: that answers a revocation.
    pub fn answer_revoke(&mut self, id: ConsumerId) {
        let consumer = self.consumer(id);
        consumer.lost = false;
        let Standing::Revoking { partitions, then, lost } = consumer.standing.clone() else { return };
        consumer.owned.retain(|partition| !partitions.contains(partition));
        if lost {
            consumer.standing = Standing::Outside;
            // What is left of the membership is of no use: it joins anew at the next beat.
            consumer.member = None;
        } else {
            self.assign(id, then, true);
        }
    }

    /// The next record for a consumer's application.
    pub fn take_record(&mut self, id: ConsumerId) -> Option<(PartitionId, OwnedMessage)> {
        let consumer = &self.cluster.consumers[id];
        if consumer.rests() || self.kept_until(consumer.process).is_some() {
            return None;
        }
        let readable: Vec<PartitionId> =
            consumer.fetched.keys().copied().filter(|partition| consumer.reads(*partition)).collect();
        let has_more = |partition: &PartitionId| {
            self.cluster.input(*partition).next_visible(consumer.fetched[partition].position).is_some()
        };
        let ready: Vec<PartitionId> = readable.iter().copied().filter(has_more).collect();
        if ready.is_empty() {
            for partition in readable {
                self.step_over(id, partition);
            }
            return None;
        }
        let partition = ready[self.dice.usize(..ready.len())];
        let (topic, number) = self.cluster.place(partition);
        let fetched = self.cluster.consumers[id].fetched.get_mut(&partition).expect("it is fetched");
        let log = &self.cluster.logs[&(topic, number)];
        let (offset, content) = log.next_visible(fetched.position).expect("there is one");
        (fetched.position, fetched.found) = (offset + 1, true);
        let (key, value) = (content.key.clone(), content.value.clone());
        let topic = topic.name().to_owned();
        let headers = content.owned_headers();
        // The brokers' clock is right, whatever those of the processes show.
        let at = Timestamp::LogAppendTime(START_MS + (self.now_us / 1_000) as i64);
        Some((partition, OwnedMessage::new(value, key, topic, at, number, offset, headers)))
    }

    /// The fetcher passes what is not a record.
    fn step_over(&mut self, id: ConsumerId, partition: PartitionId) {
        let place = self.cluster.place(partition);
        let log = &self.cluster.logs[&place];
        let fetched = self.cluster.consumers[id].fetched.get_mut(&partition).expect("it is fetched");
        let behind = log.skip(fetched.position);
        if behind > fetched.position {
            (fetched.position, fetched.found) = (behind, true);
        }
    }
}
