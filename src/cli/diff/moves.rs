//! Who enters and leaves each audience between two catalogs.

use std::collections::HashMap;

use super::side::Side;
use crate::cli::audiences::{Audience, Audiences};
use crate::engine::{Partition, PartitionSet};
use crate::model::{CurrentTag, Scalar};

/// What becomes of one audience.
#[derive(Clone, Debug, Default)]
pub struct Move {
    /// `None`: that catalog has no such audience.
    pub before: Option<u64>,
    pub after: Option<u64>,
    pub enter: u64,
    pub leave: u64,
    /// Of a tag without bands and stages: who has another value.
    pub other_value: u64,
    pub entering: Vec<String>,
    pub leaving: Vec<String>,
}

impl Move {
    pub fn differs(&self) -> bool {
        self.before != self.after || self.enter + self.leave + self.other_value > 0
    }
}

/// The audiences of both catalogs: the new one's in its order, then those that only the old one has.
pub struct Moves {
    audiences: Vec<Audience>,
    moves: Vec<Move>,
    samples: usize,
}

/// One side's audiences, and which of all they are.
struct Placed<'a> {
    audiences: &'a Audiences,
    places: Vec<usize>,
}

impl Placed<'_> {
    /// By place, the value of the tag of those that an entity is in.
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

impl Moves {
    /// Looks at every entity under both catalogs.
    pub fn between(old: &mut Side, new: &mut Side, samples: usize) -> Self {
        let mut audiences = new.audiences.list().to_vec();
        audiences
            .extend(old.audiences.list().iter().filter(|audience| !new.audiences.list().contains(audience)).cloned());
        let places: HashMap<&Audience, usize> = audiences.iter().zip(0..).collect();
        let placed = |audiences: &'_ Audiences| audiences.list().iter().map(|audience| places[audience]).collect();
        let (old_places, new_places): (Vec<usize>, Vec<usize>) = (placed(&old.audiences), placed(&new.audiences));
        let mut moves = vec![Move::default(); audiences.len()];
        old_places.iter().for_each(|at| moves[*at].before = Some(0));
        new_places.iter().for_each(|at| moves[*at].after = Some(0));
        let before = Placed { audiences: &old.audiences, places: old_places };
        let after = Placed { audiences: &new.audiences, places: new_places };
        let mut moves = Moves { audiences, moves, samples };
        moves.compare((old.replay.world_mut(), &before), (new.replay.world_mut(), &after));
        moves
    }

    fn compare(
        &mut self,
        (old, before_places): (&mut PartitionSet, &Placed<'_>),
        (new, after_places): (&mut PartitionSet, &Placed<'_>),
    ) {
        let all = self.audiences.len();
        for after in new.partitions_mut() {
            let mut before = same_kind(old, after);
            after.each_entity(|key, after| {
                let after = after_places.values(after, all);
                let known = before.as_mut().and_then(|before| {
                    before.current_tags(key, |before| self.entity(key, &before_places.values(before, all), &after))
                });
                if known.is_none() {
                    self.entity(key, &before_places.values(&[], all), &after);
                }
            });
        }
        // Another `input` may take other records for events.
        for before in old.partitions_mut() {
            let mut after = same_kind(new, before);
            before.each_entity(|key, before| {
                if after.as_mut().and_then(|after| after.current_tags(key, |_| ())).is_none() {
                    self.entity(key, &before_places.values(before, all), &after_places.values(&[], all));
                }
            });
        }
    }

    /// Counts one entity, by place the values that it has and will have.
    fn entity(&mut self, key: &str, before: &[Option<Scalar<'_>>], after: &[Option<Scalar<'_>>]) {
        for (row, values) in self.moves.iter_mut().zip(before.iter().zip(after)) {
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

    pub fn rows(&self) -> impl Iterator<Item = (&Audience, &Move)> {
        self.audiences.iter().zip(&self.moves)
    }
}

/// The partition of a world that holds the kind of entity of another's.
fn same_kind<'a>(world: &'a mut PartitionSet, other: &Partition) -> Option<&'a mut Partition> {
    let name = other.program().entity();
    world.partitions_mut().iter_mut().find(|partition| partition.program().entity() == name)
}

fn sample(samples: &mut Vec<String>, key: &str, most: usize) {
    if samples.len() < most {
        samples.push(key.to_owned());
    }
}
