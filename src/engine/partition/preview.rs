//! What a new catalog would change, counted before it does (spec 8).
//!
//! A preview evaluates every entity under the new catalog, a few at a time, and changes nothing. The stream goes on
//! under the old catalog meanwhile, so the numbers are those of a moving instant; they are close enough for a share.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Partition;
use crate::engine::aggregate::{Now, Pane};
use crate::engine::changelog::Migration;
use crate::engine::expr::{Coverage, Evaluator, TextArena, load_inputs};
use crate::engine::program::{Program, SeriesId};
use crate::engine::tags::{NextState, step};

/// What a new catalog would do to one tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TagImpact {
    /// Entities of the kind that can have the tag.
    pub entities: u64,
    /// Entities that have it.
    pub had: u64,
    /// Of these, entities that would lose it or get another value.
    pub differ: u64,
    /// Entities that would get it.
    pub added: u64,
}

impl TagImpact {
    /// Adds the impact in another partition.
    pub fn add(&mut self, other: TagImpact) {
        self.entities += other.entities;
        self.had += other.had;
        self.differ += other.differ;
        self.added += other.added;
    }

    /// Whether more than a share of the entities that have the tag, or of all entities, would see it change.
    pub fn exceeds(self, share: f64) -> bool {
        self.exceeds_of_those_who_have_it(share) || self.exceeds_of_all(share)
    }

    /// Whether more than a share of the entities that have the tag would lose it or get another value.
    pub fn exceeds_of_those_who_have_it(self, share: f64) -> bool {
        self.differ as f64 > share * self.had as f64
    }

    /// Whether more than a share of all entities would lose it, get it, or get another value.
    pub fn exceeds_of_all(self, share: f64) -> bool {
        (self.differ + self.added) as f64 > share * self.entities as f64
    }
}

/// What a new catalog would do to all tags, in one partition or in several of the same kind of entity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeImpact {
    /// Entities that were evaluated.
    pub entities: u64,
    /// By tag, retired ones included.
    pub tags: BTreeMap<Box<str>, TagImpact>,
}

impl ChangeImpact {
    /// Adds the impact in another partition. All entities of both count for a tag, also where one of them has no
    /// entity with it.
    pub fn add(&mut self, other: &ChangeImpact) {
        self.entities += other.entities;
        for (name, impact) in &other.tags {
            self.tags.entry(name.clone()).or_default().add(*impact);
        }
        self.tags.values_mut().for_each(|impact| impact.entities = self.entities);
    }

    /// The tags that would change for at least one entity.
    pub fn changed(&self) -> impl Iterator<Item = &Box<str>> {
        self.tags.iter().filter(|(_, impact)| impact.differ + impact.added > 0).map(|(name, _)| name)
    }

    /// The tags of which more than a share would change.
    pub fn exceeding(&self, share: f64) -> impl Iterator<Item = (&str, TagImpact)> {
        let tags = self.tags.iter().map(|(name, impact)| (&**name, *impact));
        tags.filter(move |(_, impact)| impact.exceeds(share))
    }
}

/// Evaluates a partition's entities under another program, one after another.
#[derive(Debug)]
pub struct ImpactPreview {
    /// Under the new program, without entities of its own.
    stage: Partition,
    /// Present while the partition is still under another program.
    migration: Option<Migration>,
    /// Of series whose window becomes longer: the first pane that is kept.
    first_panes: Vec<(SeriesId, Pane)>,
    next: u32,
    /// The number of entities evaluated so far.
    entities: u64,
    impact_of_all: ChangeImpact,
    /// By place in the order of evaluation.
    impacts: Vec<TagImpact>,
}

impl ImpactPreview {
    /// For a partition that has switched to the program, or that is to switch to it.
    pub fn new(partition: &Partition, program: &Arc<Program>) -> Self {
        let is_current = partition.program.catalog.fingerprint == program.catalog.fingerprint;
        let mut stage = Partition::new(Arc::clone(program));
        stage.coverage = match partition.clock() {
            _ if is_current => partition.coverage.clone(),
            Some(clock) => {
                Coverage::carried(program, clock, |meaning| partition.inherited_coverage(meaning, &partition.coverage))
            }
            None => Coverage::complete(program),
        };
        let migration = (!is_current).then(|| Migration::new(&partition.program.schema, program));
        let widened = migration.as_ref().map_or(&[][..], Migration::widened);
        ImpactPreview {
            first_panes: stage.coverage.first_panes(program, widened),
            migration,
            impacts: vec![TagImpact::default(); program.tags.len()],
            stage,
            next: 0,
            entities: 0,
            impact_of_all: ChangeImpact::default(),
        }
    }

    /// The whole preview of a partition under its own program.
    pub fn whole(partition: &Partition) -> ChangeImpact {
        let mut preview = ImpactPreview::new(partition, &partition.program);
        preview.step(partition, usize::MAX).cloned().unwrap_or_default()
    }

    /// Evaluates a number of entities more. Returns the impact when all have been evaluated.
    pub fn step(&mut self, partition: &Partition, entities: usize) -> Option<&ChangeImpact> {
        self.stage.now = partition.clock().map(|clock| Now::new(clock, &self.stage.program.zone));
        let mut packed = Vec::new();
        for entity in partition.store.entities().skip(self.next as usize).take(entities) {
            self.next += 1;
            if partition.store.is_vacant(entity) {
                continue;
            }
            packed.clear();
            match &self.migration {
                Some(migration) => migration.state(partition.store.packed(entity), &mut packed),
                None => packed.extend_from_slice(partition.store.packed(entity)),
            }
            self.look(&packed);
        }
        if partition.store.entities().nth(self.next as usize).is_some() {
            return None;
        }
        for (plan, impact) in self.stage.program.tags.iter().zip(self.impacts.iter_mut().map(std::mem::take)) {
            let name = self.stage.program.tag(plan.id).name.clone();
            self.impact_of_all.tags.entry(name).or_default().add(impact);
        }
        self.impact_of_all.entities = self.entities;
        for impact in self.impact_of_all.tags.values_mut() {
            impact.entities = self.entities;
        }
        Some(&self.impact_of_all)
    }

    /// Evaluates one entity.
    fn look(&mut self, packed: &[u8]) {
        let Partition { program, now, coverage, scratch, .. } = &mut self.stage;
        let Some(now) = *now else { return };
        self.entities += 1;
        scratch.entity_state.unpack(packed);
        scratch.entity_state.prune_before(program, &self.first_panes);
        for (name, _) in scratch.entity_state.retired() {
            let impact = self.impact_of_all.tags.entry(scratch.entity_state.name(name).into()).or_default();
            impact.had += 1;
            impact.differ += 1;
        }
        for (place, plan) in program.tags.iter().enumerate() {
            let kind = &program.tag(plan.id).definition;
            load_inputs(program, place, &mut scratch.entity_state);
            let state = scratch.entity_state.tag(plan.id);
            let has_it = !scratch.entity_state.shown(kind, state).is_absent();
            let coverage = coverage.incomplete_for(plan, now.at);
            let clock_exprs = &mut scratch.clock_exprs;
            let texts = TextArena::default();
            let mut evaluator = Evaluator {
                program,
                entity_state: &scratch.entity_state,
                now,
                clock_exprs,
                coverage,
                score_cache: &scratch.score_cache,
                texts: &texts,
            };
            let changes = matches!(step(&mut evaluator, plan, kind, state, None).next, NextState::Change { .. });
            let impact = &mut self.impacts[place];
            impact.had += u64::from(has_it);
            impact.differ += u64::from(has_it && changes);
            impact.added += u64::from(!has_it && changes);
        }
    }
}
