//! An engine, the changelog that it writes, and a follower that shows it.

use std::sync::Arc;

use tagstream::catalog;
use tagstream::codec::{ChangelogKey, ChangelogRecord, Decoder, Meta};
use tagstream::engine::{ChangelogSink, Checkpoint, CompiledCatalog, Partition, Segment, Sink, Slot};
use tagstream::kafka::PartitionName;
use tagstream::model::{Event, TagChange, Timestamp};
use tagstream::serve::replica::{PartitionFollower, Replica, ReplicaView};

const CATALOG: &str = include_str!("../engine/catalog.yaml");

/// The engine, the records of its transactions, and a follower that reads them.
pub struct Followed {
    compiled: Arc<CompiledCatalog>,
    partition: Partition,
    decoder: Decoder,
    event: Event,
    records: Records,
    follower: PartitionFollower,
    offset: i64,
    pub replica: Arc<Replica>,
}

/// The records of one transaction: key and value.
#[derive(Default)]
struct Records(Vec<(Vec<u8>, Option<Vec<u8>>)>);

impl Records {
    fn push(&mut self, record: &ChangelogRecord<'_>) {
        let (mut key, mut value) = (Vec::new(), Vec::new());
        record.key().write(&mut key);
        let has_value = record.write_value(&mut value);
        self.0.push((key, has_value.then_some(value)));
    }
}

impl ChangelogSink for Records {
    fn segment(&mut self, segment: Segment<'_>) {
        self.push(&ChangelogRecord::Segment(segment));
    }

    fn clear(&mut self, slot: Slot) {
        self.push(&ChangelogRecord::Cleared(ChangelogKey::Segment(slot)));
    }

    fn schema(&mut self, id: u64, meaning: &[u8]) {
        self.push(&ChangelogRecord::Schema { id, meaning });
    }

    fn clear_schema(&mut self, id: u64) {
        self.push(&ChangelogRecord::Cleared(ChangelogKey::Schema(id)));
    }
}

struct Nothing;

impl Sink for Nothing {
    fn change(&mut self, _: &TagChange<'_>) {}
}

impl Followed {
    pub fn new() -> Self {
        let compiled = CompiledCatalog::new(catalog::load(CATALOG).catalog.expect("the catalog is right"));
        let program = Arc::clone(compiled.user());
        let mut follower = PartitionFollower::new(PartitionName::from(0), Arc::clone(&program), 0);
        follower.reach(0).expect("an empty changelog is whole");
        Followed {
            decoder: Decoder::new(&program.catalog),
            partition: Partition::new(program),
            event: Event::default(),
            records: Records::default(),
            follower,
            offset: 0,
            replica: Arc::default(),
            compiled,
        }
    }

    /// One transaction of the engine.
    pub fn transact(&mut self, lines: &[Vec<u8>]) {
        for line in lines {
            self.decoder.decode(line, Timestamp::MAX, &mut self.event).expect("the event is right");
            self.partition.apply(&self.event, &mut Nothing);
        }
        self.partition.write_changelog(&mut self.records);
        let Checkpoint { clock, extent, catalog, schema, notes } = self.partition.checkpoint();
        let meta = Meta {
            log: 7,
            next_offset: 0,
            clock,
            extent,
            catalog,
            schema,
            transaction: "t",
            facts: &[],
            notes: &notes,
        };
        self.records.push(&ChangelogRecord::Meta(meta));
    }

    /// The follower takes what was written, and shows it.
    pub fn follow(&mut self) -> Arc<ReplicaView> {
        for (key, value) in self.records.0.drain(..) {
            self.follower.take(self.offset, &key, value.as_deref()).expect("the changelog is whole");
            self.offset += 1;
        }
        let view = self.follower.view().expect("it has caught up");
        self.replica.show(&self.compiled, vec![Arc::new(view)]);
        self.replica.view().expect("something is shown")
    }
}
