//! The group as its coordinator sees it: static members, generations, sessions, cooperative assignments, offsets.

use std::collections::{BTreeMap, BTreeSet};

use rdkafka::types::RDKafkaErrorCode;
use tagstream::kafka::PartitionId;
use tagstream::kafka::broker::CommittedOffset;

use super::log::Pid;

pub type MemberId = u64;
/// A consumer, among all that there ever were.
pub type ConsumerId = usize;

#[derive(Debug)]
struct Member {
    instance: String,
    consumer: ConsumerId,
    expires_us: u64,
    /// Whether it has come to the rebalance that is being prepared.
    joined: bool,
    /// What it says it has, and since which generation it may say so.
    owned: BTreeSet<PartitionId>,
    claims_since: i32,
    assigned: BTreeSet<PartitionId>,
}

/// In whose name offsets are committed: the group as a consumer knew it when the call was made.
#[derive(Clone, Debug)]
pub struct GroupMetadata {
    pub instance: String,
    pub member: Option<MemberId>,
    pub generation: i32,
}

/// What a heartbeat is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulse {
    Fine,
    Rebalancing,
    Unknown,
    Fenced,
}

/// An answer to who joined.
#[derive(Clone, Debug)]
pub struct Sync {
    pub consumer: ConsumerId,
    pub member: MemberId,
    pub generation: i32,
    pub assigned: BTreeSet<PartitionId>,
}

/// The consumer group. It knows who is a member, never who owns a partition when offsets are committed.
#[derive(Debug, Default)]
pub struct Group {
    partitions: Vec<PartitionId>,
    generation: i32,
    members: BTreeMap<MemberId, Member>,
    last_member: MemberId,
    /// Since when a rebalance is being prepared.
    preparing_since_us: Option<u64>,
    pub committed: BTreeMap<PartitionId, CommittedOffset>,
    /// Offsets of transactions without their mark.
    pub pending: BTreeMap<Pid, Vec<(PartitionId, CommittedOffset)>>,
}

impl Group {
    pub fn new(partitions: Vec<PartitionId>) -> Group {
        Group { partitions, ..Group::default() }
    }

    /// JoinGroup. A static member that comes back gets what it had; every other joining begins a rebalance.
    pub fn join(
        &mut self,
        consumer: ConsumerId,
        GroupMetadata { instance, member, generation }: &GroupMetadata,
        owned: &BTreeSet<PartitionId>,
        now_us: u64,
        expires_us: u64,
    ) -> Option<Sync> {
        let known = member.filter(|member| self.members.contains_key(member));
        let namesake = self.members.iter().find(|(_, member)| member.instance == *instance).map(|(id, _)| *id);
        let (id, came_back) = match (known, namesake) {
            (Some(id), _) => (id, false),
            (None, Some(old)) => {
                let member = self.members.remove(&old).expect("it was found");
                self.last_member += 1;
                self.members.insert(self.last_member, member);
                (self.last_member, true)
            }
            (None, None) => {
                self.last_member += 1;
                let (owned, assigned) = Default::default();
                let instance = instance.clone();
                let joining =
                    Member { instance, consumer, expires_us, joined: false, owned, claims_since: -1, assigned };
                self.members.insert(self.last_member, joining);
                (self.last_member, false)
            }
        };
        let is_covered = self.is_covered();
        let member = self.members.get_mut(&id).expect("it was put there");
        member.consumer = consumer;
        member.expires_us = expires_us;
        if came_back && self.preparing_since_us.is_none() && is_covered {
            let assigned = member.assigned.clone();
            return Some(Sync { consumer, member: id, generation: self.generation, assigned });
        }
        member.joined = true;
        member.owned.clone_from(owned);
        member.claims_since = *generation;
        self.preparing_since_us.get_or_insert(now_us);
        None
    }

    /// Whether every partition has an owner. One that a member was to give up has none until that member joins again:
    /// had they died meanwhile and come back, as static members that get what they had, it would stay so for good.
    fn is_covered(&self) -> bool {
        let assigned: usize = self.members.values().map(|member| member.assigned.len()).sum();
        assigned == self.partitions.len()
    }

    pub fn heartbeat(&mut self, id: Option<MemberId>, instance: &str, expires_us: u64) -> Pulse {
        match self.check(id, instance) {
            Err(RDKafkaErrorCode::FencedInstanceId) => Pulse::Fenced,
            Err(_) => Pulse::Unknown,
            Ok(member) => {
                member.expires_us = expires_us;
                let joined = member.joined;
                if self.preparing_since_us.is_some() && !joined { Pulse::Rebalancing } else { Pulse::Fine }
            }
        }
    }

    /// A member that waits for the others to join is kept as long as its connection stands. `false`: it is not here.
    pub fn hold(&mut self, consumer: ConsumerId, expires_us: u64) -> bool {
        let member = self.members.values_mut().find(|member| member.consumer == consumer);
        member.map(|member| member.expires_us = expires_us).is_some()
    }

    fn check(&mut self, id: Option<MemberId>, instance: &str) -> Result<&mut Member, RDKafkaErrorCode> {
        let has_namesake = self.members.values().any(|member| member.instance == instance);
        id.and_then(|id| self.members.get_mut(&id)).ok_or(match has_namesake {
            true => RDKafkaErrorCode::FencedInstanceId,
            false => RDKafkaErrorCode::UnknownMemberId,
        })
    }

    /// TxnOffsetCommit: the member and its generation are checked, and nothing else.
    pub fn offer(
        &mut self,
        pid: Pid,
        group: &GroupMetadata,
        offsets: Vec<(PartitionId, CommittedOffset)>,
    ) -> Result<(), RDKafkaErrorCode> {
        self.check(group.member, &group.instance)?;
        if group.generation != self.generation {
            return Err(RDKafkaErrorCode::IllegalGeneration);
        }
        self.pending.entry(pid).or_default().extend(offsets);
        Ok(())
    }

    /// The mark of a transaction has reached the offsets.
    pub fn mark(&mut self, pid: Pid, commit: bool) {
        let offsets = self.pending.remove(&pid).unwrap_or_default();
        if commit {
            self.committed.extend(offsets);
        }
    }

    pub fn is_pending(&self, partition: PartitionId) -> bool {
        self.pending.values().flatten().any(|(pending, _)| *pending == partition)
    }

    /// Members whose session is over are gone, and so are those that do not come to a rebalance.
    pub fn expire(&mut self, now_us: u64, rebalance_timeout_us: u64) -> usize {
        let too_late = self.preparing_since_us.is_some_and(|since| since + rebalance_timeout_us <= now_us);
        let before = self.members.len();
        self.members.retain(|_, member| member.expires_us > now_us && (member.joined || !too_late));
        let gone = before - self.members.len();
        if gone > 0 {
            self.preparing_since_us.get_or_insert(now_us);
        }
        gone
    }

    /// Ends the rebalance if everybody has come.
    pub fn complete(&mut self) -> Vec<Sync> {
        if self.preparing_since_us.is_none() || !self.members.values().all(|member| member.joined) {
            return Vec::new();
        }
        self.preparing_since_us = None;
        self.generation += 1;
        self.assign();
        let generation = self.generation;
        let sync = |(id, member): (&MemberId, &mut Member)| {
            member.joined = false;
            Sync { consumer: member.consumer, member: *id, generation, assigned: member.assigned.clone() }
        };
        self.members.iter_mut().map(sync).collect()
    }

    /// Sticky and cooperative: who has more than its share gives up some, which are free for others one round later. Of
    /// two who say that they have a partition, the one with the newer generation is right.
    fn assign(&mut self) {
        let partitions = self.partitions.len();
        let count = self.members.len().max(1);
        let (share, rest) = (partitions / count, partitions % count);
        let mut owners: BTreeMap<PartitionId, (i32, MemberId)> = BTreeMap::new();
        for (id, member) in &self.members {
            for partition in &member.owned {
                let claim = (member.claims_since, *id);
                let owner = owners.entry(*partition).or_insert(claim);
                *owner = claim.max(*owner);
            }
        }
        let mut rooms = Vec::new();
        let mut by_claim: Vec<MemberId> = self.members.keys().copied().collect();
        by_claim.sort_by_key(|id| (std::cmp::Reverse(self.members[id].owned.len()), *id));
        for (index, id) in by_claim.into_iter().enumerate() {
            let quota = share + usize::from(index < rest);
            let own = owners.iter().filter(|(_, (_, owner))| *owner == id).map(|(partition, _)| *partition);
            let assigned: BTreeSet<PartitionId> = own.take(quota).collect();
            rooms.push((id, quota - assigned.len()));
            self.members.get_mut(&id).expect("a member").assigned = assigned;
        }
        let mut free = self.partitions.iter().copied().filter(|partition| !owners.contains_key(partition));
        for (id, room) in rooms {
            let member = self.members.get_mut(&id).expect("a member");
            member.assigned.extend(free.by_ref().take(room));
        }
    }

    pub fn is_current(&self, id: MemberId, generation: i32) -> bool {
        self.members.contains_key(&id) && self.generation == generation
    }

    pub fn is_stable(&self) -> bool {
        self.preparing_since_us.is_none()
    }
}
