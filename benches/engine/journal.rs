//! What the changelog costs: journalling every so many events, and making the partition again from what is left.

use std::collections::HashMap;
use std::sync::Arc;

use tagstream::codec::ChangelogRecord;
use tagstream::engine::{ChangelogSink, Partition, Program, Segment, Slot, StateRestorer};

use crate::stream::Stream;
use crate::{Applier, Load, cpu_ns};

pub struct Figures {
    pub ns_an_event: f64,
    pub bytes_an_event: f64,
    /// Bytes written for each byte of a touched entity.
    pub amplification: f64,
    /// Size of the compacted log over the size of the state.
    pub log_share: f64,
    pub users_a_second: f64,
}

/// A compacted log: the latest record of each key, in the order of the log.
#[derive(Default)]
struct Compacted {
    values: HashMap<Slot, (u64, Vec<u8>)>,
    schemas: Vec<(u64, Vec<u8>)>,
    spare: Vec<Vec<u8>>,
    written: u64,
}

impl ChangelogSink for Compacted {
    fn segment(&mut self, segment: Segment<'_>) {
        let mut value = self.spare.pop().unwrap_or_default();
        value.clear();
        ChangelogRecord::Segment(segment).write_value(&mut value);
        self.written += value.len() as u64;
        let before = self.values.insert(segment.slot, (segment.number, value));
        self.spare.extend(before.map(|(_, value)| value));
    }

    fn clear(&mut self, slot: Slot) {
        self.spare.extend(self.values.remove(&slot).map(|(_, value)| value));
    }

    fn schema(&mut self, id: u64, meaning: &[u8]) {
        self.schemas.push((id, meaning.to_vec()));
    }

    fn clear_schema(&mut self, id: u64) {
        self.schemas.retain(|(known, _)| *known != id);
    }
}

/// Goes on with a partition that has its users, for at least as many events as the load has.
pub fn measure(
    program: &Arc<Program>,
    applier: &mut Applier,
    partition: &mut Partition,
    stream: &mut Stream,
    load: Load<'_>,
) -> Figures {
    let mut log = Compacted::default();
    partition.write_changelog(&mut log);
    // Until every segment of that first transaction has been cleaned, there is less to clean than later.
    let settled = partition.extent().next;
    let (mut done, mut total_ns, mut pending, mut before) = (0, 0, 0, log.written);
    loop {
        let is_settled = partition.extent().oldest >= settled;
        if done >= load.events && is_settled {
            break;
        }
        if !is_settled {
            (done, total_ns, pending, before) = (0, 0, 0, log.written);
        }
        for lines in stream.next_batch().chunks(load.transaction) {
            applier.apply(lines, partition);
            pending += partition.pending_bytes();
            let start = cpu_ns();
            partition.write_changelog(&mut log);
            total_ns += cpu_ns() - start;
            done += lines.len();
        }
    }
    let written = (log.written - before) as f64;
    let log_bytes: usize = log.values.values().map(|(_, value)| value.len()).sum();
    Figures {
        ns_an_event: total_ns as f64 / done as f64,
        bytes_an_event: written / done as f64,
        amplification: written / pending as f64,
        log_share: log_bytes as f64 / partition.state_bytes() as f64,
        users_a_second: restore(program, partition, &log),
    }
}

fn restore(program: &Arc<Program>, partition: &Partition, log: &Compacted) -> f64 {
    let mut records: Vec<_> = log.values.iter().collect();
    records.sort_unstable_by_key(|(_, (number, _))| *number);
    let records: Vec<(Vec<u8>, &Vec<u8>)> = records
        .into_iter()
        .map(|(slot, (_, value))| {
            let mut key = Vec::new();
            tagstream::codec::ChangelogKey::Segment(*slot).write(&mut key);
            (key, value)
        })
        .collect();
    let start = cpu_ns();
    let mut restoring = StateRestorer::new(program.clone());
    for (id, meaning) in &log.schemas {
        restoring.schema(*id, meaning).expect("a schema");
    }
    for (key, value) in &records {
        let record = ChangelogRecord::read(key, Some(value)).expect("the record is as it was written");
        if let ChangelogRecord::Segment(segment) = record {
            restoring.segment(segment).expect("a segment");
        }
    }
    let position = partition.checkpoint();
    let restored = restoring.finish(position).expect("the log is whole");
    let ns = cpu_ns() - start;
    assert_eq!(restored.partition.entities(), partition.entities());
    partition.entities() as f64 * 1e9 / ns as f64
}
