//! Which catalog was in force when, as the changelog tells: every transaction says under which one it was written, and how
//! far its partition was. A model that never stops goes from one to the next at the same places.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fs;
use std::sync::Arc;

use rdkafka::message::Message;
use tagstream::codec::{ChangelogRecord, Decoder, SourceEntry, write_change};
use tagstream::engine::{CompiledCatalog, Partition, Sink};
use tagstream::model::{EntityKindId, TagChange, Timestamp};

use crate::fixture::client::{create_topic, read_each};
use crate::support::service::Bootstrap;
use crate::support::service::Setup;

/// How far a partition was at the end of a transaction.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    pub next_offset: i64,
    pub clock: Option<Timestamp>,
    /// Of a merged partition: by input topic and partition, the first offset whose event was not counted.
    pub sources: HashMap<(String, i32), i64>,
}

/// A time under one catalog.
#[derive(Clone, Debug)]
pub struct Era {
    /// The catalog's fingerprint.
    pub catalog: u64,
    /// Where the partition stood when it began.
    pub from: Standing,
}

/// Creates a changelog that keeps all that is written: the eras are told by records that compaction would remove.
pub fn create_changelog(brokers: &impl Bootstrap, name: &str, partitions: i32) {
    create_topic(brokers, name, partitions, &[("cleanup.policy", "compact"), ("min.compaction.lag.ms", "3600000")]);
}

/// By partition: its eras, in order; none where nothing was written.
pub fn eras(brokers: &impl Bootstrap, changelog: &str, partitions: usize) -> Vec<Vec<Era>> {
    let mut eras: Vec<Vec<Era>> = vec![Vec::new(); partitions];
    let mut standings = vec![Standing::default(); partitions];
    let mut sources = vec![HashMap::new(); partitions];
    read_each(brokers, changelog, |record| {
        let index = record.partition() as usize;
        match ChangelogRecord::read(record.key().expect("a key"), record.payload()).expect("a readable record") {
            // It comes before the meta record of its transaction, which tells whether an era began before both.
            ChangelogRecord::Sources { entries, .. } => {
                let entries = SourceEntry::read_all(entries).expect("readable entries");
                let next = |entry: SourceEntry<'_>| ((entry.topic.to_owned(), entry.partition), entry.next);
                sources[index] = entries.into_iter().map(next).collect();
            }
            ChangelogRecord::Meta(meta) => {
                let (clock, next_offset) = (meta.clock, meta.next_offset);
                let standing = Standing { next_offset, clock, sources: sources[index].clone() };
                let from = std::mem::replace(&mut standings[index], standing);
                if eras[index].last().is_none_or(|era| era.catalog != meta.catalog) {
                    eras[index].push(Era { catalog: meta.catalog, from });
                }
            }
            _ => {}
        }
    });
    eras
}

/// Whether all partitions have written something under a catalog last.
pub fn is_in_force(brokers: &impl Bootstrap, changelog: &str, partitions: usize, catalog: &str) -> bool {
    let fingerprint = Catalogs::of([catalog]).present.catalog.fingerprint;
    let eras = eras(brokers, changelog, partitions);
    eras.iter().all(|eras| eras.last().is_some_and(|era| era.catalog == fingerprint))
}

/// Catalogs by their fingerprints.
pub struct Catalogs {
    pub present: Arc<CompiledCatalog>,
    all: HashMap<u64, Arc<CompiledCatalog>>,
}

impl Catalogs {
    /// The last one is the present one.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let compile = |text| {
            let loaded = tagstream::catalog::load(text);
            CompiledCatalog::new(loaded.catalog.expect("a catalog without problems"))
        };
        let all: Vec<Arc<CompiledCatalog>> = texts.into_iter().map(compile).collect();
        let present = all.last().expect("a catalog").clone();
        Catalogs { present, all: all.into_iter().map(|programs| (programs.catalog.fingerprint, programs)).collect() }
    }

    /// Those of a service whose present one stands in its file.
    pub fn of_setup(earlier: &[String], setup: &Setup) -> Self {
        let present = fs::read_to_string(setup.folder.join("catalog.yaml")).expect("the catalog");
        Catalogs::of(earlier.iter().map(String::as_str).chain([&*present]))
    }

    pub fn of_fingerprint(&self, fingerprint: u64) -> &Arc<CompiledCatalog> {
        self.all.get(&fingerprint).unwrap_or_else(|| panic!("no catalog of the test is {fingerprint:016x}"))
    }
}

/// A partition that is never interrupted, and adopts each catalog where the one in Kafka did.
pub struct Model {
    pub partition: Partition,
    pub decoder: Decoder,
    kind: EntityKindId,
    to_come: VecDeque<(Standing, Arc<CompiledCatalog>)>,
}

impl Model {
    /// `kind`: of the partition's entities, in all of the catalogs.
    pub fn new(catalogs: &Catalogs, kind: EntityKindId, eras: &[Era]) -> Model {
        let programs = |era: &Era| (era.from.clone(), Arc::clone(catalogs.of_fingerprint(era.catalog)));
        let mut to_come: VecDeque<_> = eras.iter().map(programs).collect();
        let first = to_come.pop_front().map_or_else(|| Arc::clone(&catalogs.present), |(_, programs)| programs);
        // Where nothing was written since the last one came, it begins at the end.
        let last = to_come.back().map_or(&first, |(_, programs)| programs);
        if last.catalog.fingerprint != catalogs.present.catalog.fingerprint {
            let end = Standing { next_offset: i64::MAX, ..Standing::default() };
            to_come.push_back((end, Arc::clone(&catalogs.present)));
        }
        let decoder = Decoder::new(&first.catalog);
        let partition = Partition::new(Arc::clone(first.of(kind)));
        Model { partition, decoder, kind, to_come }
    }

    /// Whether there was more than one catalog.
    pub fn changes_catalog(&self) -> bool {
        !self.to_come.is_empty()
    }

    /// Before the next event is looked at: adopts the catalogs that were adopted before it was counted.
    pub fn before(&mut self, was_counted: impl Fn(&Standing) -> bool, sink: &mut impl Sink) {
        while let Some((from, _)) = self.to_come.front()
            && !was_counted(from)
        {
            let (Standing { clock, .. }, programs) = self.to_come.pop_front().expect("there is one");
            clock.into_iter().for_each(|clock| self.partition.advance(clock, sink));
            self.partition.switch_catalog(Arc::clone(programs.of(self.kind)), BTreeSet::new());
            self.decoder = Decoder::new(&programs.catalog);
        }
    }
}

/// Changes as they are written, one after the other.
#[derive(Default)]
pub struct Lines(pub Vec<String>);

impl Sink for Lines {
    fn change(&mut self, change: &TagChange<'_>) {
        let mut line = Vec::new();
        write_change(change, &mut line);
        self.0.push(String::from_utf8(line).expect("UTF-8"));
    }
}
