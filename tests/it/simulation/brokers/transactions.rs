//! The coordinator of transactions, as Kafka's protocol stood before its transactions were given an epoch each.

use std::collections::BTreeSet;

use super::log::Pid;
use super::topics::Topic;

/// Where a transaction leaves something: it is ended there by a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Log(Topic, i32),
    /// The group's offsets.
    Offsets,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Empty,
    Ongoing {
        since_us: u64,
    },
    /// The end is decided; marks are on their way.
    Ending {
        commit: bool,
    },
    Ended {
        commit: bool,
    },
}

/// What the coordinator refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// CONCURRENT_TRANSACTIONS: come again.
    Concurrent,
    /// INVALID_PRODUCER_EPOCH: a newer producer has the transactional id.
    Fenced,
    /// INVALID_TXN_STATE.
    WrongState,
}

/// A transactional id.
#[derive(Debug)]
pub struct Transactional {
    pub epoch: i16,
    pub stage: Stage,
    pub places: BTreeSet<Place>,
    /// Places whose mark is not written yet.
    unmarked: BTreeSet<Place>,
}

/// All transactional ids, by producer id.
#[derive(Debug, Default)]
pub struct Transactions(pub Vec<Transactional>);

/// Marks to be written.
pub struct Marks {
    pub pid: Pid,
    pub commit: bool,
    pub places: Vec<Place>,
}

impl Transactions {
    pub fn register(&mut self) -> Pid {
        let (places, unmarked) = Default::default();
        self.0.push(Transactional { epoch: -1, stage: Stage::Empty, places, unmarked });
        self.0.len() - 1
    }

    /// InitProducerId: fences older producers and ends what they have left open, which has to be waited for.
    pub fn init(&mut self, pid: Pid) -> Result<i16, Option<Marks>> {
        match self.0[pid].stage {
            Stage::Empty | Stage::Ended { .. } => {
                let transactional = &mut self.0[pid];
                transactional.stage = Stage::Empty;
                transactional.epoch += 1;
                Ok(transactional.epoch)
            }
            Stage::Ongoing { .. } => Err(Some(self.fence(pid))),
            Stage::Ending { .. } => Err(None),
        }
    }

    /// Aborts what is open, and fences its producer.
    fn fence(&mut self, pid: Pid) -> Marks {
        self.0[pid].epoch += 1;
        self.close(pid, false)
    }

    fn close(&mut self, pid: Pid, commit: bool) -> Marks {
        let transactional = &mut self.0[pid];
        let places: Vec<Place> = transactional.places.iter().copied().collect();
        transactional.unmarked = std::mem::take(&mut transactional.places);
        transactional.stage = Stage::Ending { commit };
        if places.is_empty() {
            transactional.stage = Stage::Ended { commit };
        }
        Marks { pid, commit, places }
    }

    /// AddPartitionsToTxn and AddOffsetsToTxn.
    pub fn add(&mut self, pid: Pid, epoch: i16, place: Place, now_us: u64) -> Result<(), Refusal> {
        let transactional = &mut self.0[pid];
        if transactional.epoch != epoch {
            return Err(Refusal::Fenced);
        }
        match transactional.stage {
            Stage::Ending { .. } => return Err(Refusal::Concurrent),
            Stage::Empty | Stage::Ended { .. } => transactional.stage = Stage::Ongoing { since_us: now_us },
            Stage::Ongoing { .. } => {}
        }
        transactional.places.insert(place);
        Ok(())
    }

    /// Whether a leader may open a transaction: brokers verify that since KIP-890's first part.
    pub fn verify(&self, pid: Pid, epoch: i16, place: Place) -> Result<(), Refusal> {
        let transactional = &self.0[pid];
        if transactional.epoch != epoch {
            return Err(Refusal::Fenced);
        }
        match transactional.stage {
            Stage::Ongoing { .. } if transactional.places.contains(&place) => Ok(()),
            _ => Err(Refusal::WrongState),
        }
    }

    /// EndTxn. It is obeyed whenever the epoch is right, whichever transaction it was meant for.
    pub fn end(&mut self, pid: Pid, epoch: i16, commit: bool) -> Result<Option<Marks>, Refusal> {
        if self.0[pid].epoch != epoch {
            return Err(Refusal::Fenced);
        }
        match self.0[pid].stage {
            Stage::Ongoing { .. } => Ok(Some(self.close(pid, commit))),
            Stage::Ending { commit: decided } if decided == commit => Err(Refusal::Concurrent),
            Stage::Ended { commit: decided } if decided == commit => Ok(None),
            _ => Err(Refusal::WrongState),
        }
    }

    /// A mark was written.
    pub fn marked(&mut self, pid: Pid, place: Place) {
        let Some(transactional) = self.0.get_mut(pid) else { return };
        transactional.unmarked.remove(&place);
        if let Stage::Ending { commit } = transactional.stage
            && transactional.unmarked.is_empty()
        {
            transactional.stage = Stage::Ended { commit };
        }
    }

    /// Aborts transactions that have been open for too long.
    pub fn expire(&mut self, now_us: u64, timeout_us: u64) -> Vec<Marks> {
        let old = |transactional: &Transactional| matches!(transactional.stage, Stage::Ongoing { since_us } if since_us + timeout_us <= now_us);
        let expired: Vec<Pid> = (0..self.0.len()).filter(|pid| old(&self.0[*pid])).collect();
        expired.into_iter().map(|pid| self.fence(pid)).collect()
    }

    pub fn is_quiet(&self) -> bool {
        self.0.iter().all(|transactional| matches!(transactional.stage, Stage::Empty | Stage::Ended { .. }))
    }
}
