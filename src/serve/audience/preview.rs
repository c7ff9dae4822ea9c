//! What another catalog would change on the state as it is: a copy of the partitions switches to it, as workers do.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::{CompiledCatalog, Sink};
use crate::model::{Cause, Scalar, TagChange};
use crate::serve::replica::ReplicaView;

/// How many keys are told of each tag and direction.
const SAMPLE_MAX: usize = 10;

/// What a catalog would change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CatalogPreview {
    /// By entity kind and tag: those that change, are new or are gone.
    pub tags: BTreeMap<(String, String), TagPreview>,
}

/// What would become of one tag.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TagPreview {
    /// Entities that have it now, also where only an earlier catalog has it and its removal waits.
    pub before: u64,
    pub after: u64,
    /// Entities that would get it, lose it, or have it with another value.
    pub entered: u64,
    pub left: u64,
    pub other_value: u64,
    /// Some of their keys.
    pub entered_sample: Vec<String>,
    pub left_sample: Vec<String>,
}

/// What the entities have before and after, as far as it differs.
#[derive(Default)]
struct ChangeCollector {
    /// By kind, tag and key: whether it had the tag at first, and has it at last.
    moved: BTreeMap<(String, String, String), (bool, bool)>,
}

impl Sink for ChangeCollector {
    fn change(&mut self, change: &TagChange<'_>) {
        if change.cause != Cause::Catalog {
            return;
        }
        let has = |value: Scalar<'_>| !value.is_absent();
        let of = (change.entity.to_owned(), change.tag.to_owned(), change.key.to_owned());
        let moved = self.moved.entry(of).or_insert((has(change.previous), false));
        moved.1 = has(change.value);
    }
}

impl CatalogPreview {
    /// Switches a copy of every partition to another catalog, and lets every entity be evaluated. Kinds of entities that only
    /// one of the two has do not appear.
    pub fn of(view: &ReplicaView, other: &CompiledCatalog) -> Self {
        let mut preview = CatalogPreview::default();
        let mut collector = ChangeCollector::default();
        for partition in &view.partitions {
            let name = partition.program().entity();
            let kinds = (0..).map(crate::model::EntityKindId).zip(&other.catalog.entities);
            let Some((kind, _)) = kinds.into_iter().find(|(_, kind)| *kind.name == *name) else { continue };
            let mut count = |tag: &str, entities: u64| {
                preview.tags.entry((name.to_owned(), tag.to_owned())).or_default().before += entities;
            };
            for (id, tag) in (0..).map(crate::catalog::TagId).zip(&view.compiled.catalog.tags) {
                if tag.entity == partition.program().kind {
                    count(&tag.name, partition.with_tag(id).len());
                }
            }
            // Tags of an earlier catalog are no part of the index.
            let mut reader = partition.reader();
            for (_, state, _) in partition.states() {
                reader.open(state);
                reader.each_retired_tag(|tag| count(tag, 1));
            }
            let mut copy = partition.partition();
            copy.switch_catalog(other.of(kind).clone(), BTreeSet::new());
            if let Some(end) = copy.reevaluated_at() {
                copy.advance(end, &mut collector);
            }
        }
        preview.take(collector);
        preview
    }

    fn take(&mut self, collector: ChangeCollector) {
        for ((kind, tag, key), (had, has)) in collector.moved {
            let tag = self.tags.entry((kind, tag)).or_default();
            match (had, has) {
                (false, true) => {
                    tag.entered += 1;
                    sample(&mut tag.entered_sample, key);
                }
                (true, false) => {
                    tag.left += 1;
                    sample(&mut tag.left_sample, key);
                }
                (true, true) => tag.other_value += 1,
                (false, false) => {}
            }
        }
        for tag in self.tags.values_mut() {
            tag.after = tag.before + tag.entered - tag.left;
        }
        self.tags.retain(|_, tag| tag.entered + tag.left + tag.other_value > 0);
    }
}

fn sample(keys: &mut Vec<String>, key: String) {
    if keys.len() < SAMPLE_MAX {
        keys.push(key);
    }
}
