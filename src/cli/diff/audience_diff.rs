//! The entities that enter and leave each audience from one catalog to another.

use std::collections::HashMap;

use super::catalog_run::CatalogRun;
use crate::cli::output::audiences::{Audience, Audiences};
use crate::engine::{Partition, PartitionSet};
use crate::model::{CurrentTag, Scalar};

/// The difference of one audience.
#[derive(Clone, Debug, Default)]
pub(crate) struct AudienceDiff {
    /// `None`: the catalog has no such audience.
    pub before: Option<u64>,
    pub after: Option<u64>,
    pub enter: u64,
    pub leave: u64,
    /// Of a tag without bands and stages: the entities that have another value.
    pub other_value: u64,
    pub entering: Vec<String>,
    pub leaving: Vec<String>,
}

impl AudienceDiff {
    pub(crate) fn differs(&self) -> bool {
        self.before != self.after || self.enter + self.leave + self.other_value > 0
    }
}

/// The audiences of both catalogs: the new one's in its order, then those that only the old one has.
pub(crate) struct AudienceDiffs {
    audiences: Vec<Audience>,
    diffs: Vec<AudienceDiff>,
    samples: usize,
}

/// One catalog's audiences, and the index of each in the list of both catalogs.
struct AudienceIndex<'a> {
    audiences: &'a Audiences,
    places: Vec<usize>,
}

impl AudienceIndex<'_> {
    /// By index, the tag's value in the audiences that the entity is in.
    fn values<'t>(&self, tags: &[CurrentTag<'t>], places: usize) -> Vec<Option<Scalar<'t>>> {
        let mut values = vec![None; places];
        for tag in tags {
            if let Some(at) = self.audiences.find(tag.tag, tag.value) {
                values[self.places[at]] = Some(tag.value);
            }
        }
        values
    }
}

impl AudienceDiffs {
    /// Compares every entity under both catalogs.
    pub(crate) fn between(old: &mut CatalogRun, new: &mut CatalogRun, samples: usize) -> Self {
        let mut audiences = new.audiences.list().to_vec();
        audiences
            .extend(old.audiences.list().iter().filter(|audience| !new.audiences.list().contains(audience)).cloned());
        let places: HashMap<&Audience, usize> = audiences.iter().zip(0..).collect();
        let placed = |audiences: &'_ Audiences| audiences.list().iter().map(|audience| places[audience]).collect();
        let (old_places, new_places): (Vec<usize>, Vec<usize>) = (placed(&old.audiences), placed(&new.audiences));
        let mut diffs = vec![AudienceDiff::default(); audiences.len()];
        old_places.iter().for_each(|at| diffs[*at].before = Some(0));
        new_places.iter().for_each(|at| diffs[*at].after = Some(0));
        let before = AudienceIndex { audiences: &old.audiences, places: old_places };
        let after = AudienceIndex { audiences: &new.audiences, places: new_places };
        let mut diffs = AudienceDiffs { audiences, diffs, samples };
        diffs.compare((old.replay.partition_set_mut(), &before), (new.replay.partition_set_mut(), &after));
        diffs
    }

    fn compare(
        &mut self,
        (old, before_places): (&mut PartitionSet, &AudienceIndex<'_>),
        (new, after_places): (&mut PartitionSet, &AudienceIndex<'_>),
    ) {
        let all = self.audiences.len();
        for after in new.partitions_mut() {
            let mut before = same_kind(old, after);
            after.each_entity(|key, after| {
                let after = after_places.values(after, all);
                let known = before.as_mut().and_then(|before| {
                    before
                        .current_tags(key, |before| self.count_entity(key, &before_places.values(before, all), &after))
                });
                if known.is_none() {
                    self.count_entity(key, &before_places.values(&[], all), &after);
                }
            });
        }
        // With another `input`, other records may be events.
        for before in old.partitions_mut() {
            let mut after = same_kind(new, before);
            before.each_entity(|key, before| {
                if after.as_mut().and_then(|after| after.current_tags(key, |_| ())).is_none() {
                    self.count_entity(key, &before_places.values(before, all), &after_places.values(&[], all));
                }
            });
        }
    }

    /// Counts one entity; `before` and `after` are its values by index.
    fn count_entity(&mut self, key: &str, before: &[Option<Scalar<'_>>], after: &[Option<Scalar<'_>>]) {
        for (row, values) in self.diffs.iter_mut().zip(before.iter().zip(after)) {
            row.before = row.before.map(|n| n + u64::from(values.0.is_some()));
            row.after = row.after.map(|n| n + u64::from(values.1.is_some()));
            match values {
                (Some(before), Some(after)) => row.other_value += u64::from(before != after),
                (Some(_), None) => {
                    row.leave += 1;
                    sample(&mut row.leaving, key, self.samples);
                }
                (None, Some(_)) => {
                    row.enter += 1;
                    sample(&mut row.entering, key, self.samples);
                }
                (None, None) => {}
            }
        }
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = (&Audience, &AudienceDiff)> {
        self.audiences.iter().zip(&self.diffs)
    }
}

/// The partition with the same kind of entity as `other`.
fn same_kind<'a>(partitions: &'a mut PartitionSet, other: &Partition) -> Option<&'a mut Partition> {
    let name = other.program().entity();
    partitions.partitions_mut().iter_mut().find(|partition| partition.program().entity() == name)
}

fn sample(samples: &mut Vec<String>, key: &str, most: usize) {
    if samples.len() < most {
        samples.push(key.to_owned());
    }
}
