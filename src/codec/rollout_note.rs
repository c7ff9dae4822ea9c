//! What a partition notes of the rollout of its catalog: what was counted in it, what was decided, what was approved.
//!
//! # Format
//! The fingerprint of the catalog (8), then entries. Each is a byte for its type and its content; a name is its length in
//! bytes (2) and UTF-8, numbers have 8 bytes.
//!
//! | byte | entry |
//! | --- | --- |
//! | 0 | the entities were counted: how many there are |
//! | 1 | of these counts, a tag: name, entities that have it, of these those that would differ, entities that would get it |
//! | 2 | it was decided which tags are held |
//! | 3 | of this decision, a tag: name, entities, and as above, of all partitions |
//! | 4 | a tag that is held in this partition alone: name, entities, and as above |
//! | 5 | a tag whose changes are approved: name |
//! | 6 | the changes of all tags are approved |

use std::collections::{BTreeMap, BTreeSet};

use super::changelog::{FieldReader, put_u64};
use crate::engine::{ChangeImpact, TagImpact};

/// How far the rollout of a catalog is, as a partition knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RolloutNote {
    /// The fingerprint of the catalog.
    pub catalog: u64,
    /// What the catalog would change in this partition; `None`: nothing was counted, or it is not needed any more.
    pub counts: Option<ChangeImpact>,
    /// The tags that are held in all partitions, with the impact in all of them; `None`: it is not decided.
    pub decided: Option<BTreeMap<Box<str>, TagImpact>>,
    /// Tags that are held in this partition alone, with the impact in it.
    pub held_here: BTreeMap<Box<str>, TagImpact>,
    /// Tags whose changes were approved.
    pub approved: BTreeSet<Box<str>>,
    /// Whether the changes of all tags were approved.
    pub approves_all: bool,
}

const COUNTED: u8 = 0;
const COUNT: u8 = 1;
const DECIDED: u8 = 2;
const HELD: u8 = 3;
const HELD_HERE: u8 = 4;
const APPROVED: u8 = 5;
const ALL_APPROVED: u8 = 6;

impl RolloutNote {
    /// One that says nothing but the catalog.
    pub fn of(catalog: u64) -> Self {
        RolloutNote { catalog, ..RolloutNote::default() }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        put_u64(self.catalog, out);
        if let Some(ChangeImpact { entities, tags }) = &self.counts {
            out.push(COUNTED);
            put_u64(*entities, out);
            // What nobody has and nobody would get needs no words.
            for (name, impact) in tags.iter().filter(|(_, impact)| impact.had + impact.added > 0) {
                out.push(COUNT);
                put_name(name, out);
                [impact.had, impact.differ, impact.added].into_iter().for_each(|number| put_u64(number, out));
            }
        }
        if let Some(held) = &self.decided {
            out.push(DECIDED);
            held.iter().for_each(|(name, impact)| put_held(HELD, name, *impact, out));
        }
        self.held_here.iter().for_each(|(name, impact)| put_held(HELD_HERE, name, *impact, out));
        for name in &self.approved {
            out.push(APPROVED);
            put_name(name, out);
        }
        if self.approves_all {
            out.push(ALL_APPROVED);
        }
    }

    /// `None`: the bytes are something else.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = FieldReader(bytes);
        let mut note = RolloutNote::of(fields.u64()?);
        while !fields.0.is_empty() {
            note.take(&mut fields)?;
        }
        Some(note)
    }

    fn take(&mut self, fields: &mut FieldReader<'_>) -> Option<()> {
        let [entry] = fields.array()?;
        match entry {
            COUNTED => self.counts = Some(ChangeImpact { entities: fields.u64()?, tags: BTreeMap::new() }),
            COUNT => {
                let counts = self.counts.as_mut()?;
                let name = take_name(fields)?;
                let (had, differ, added) = (fields.u64()?, fields.u64()?, fields.u64()?);
                counts.tags.insert(name, TagImpact { entities: counts.entities, had, differ, added });
            }
            DECIDED => self.decided = Some(BTreeMap::new()),
            HELD => {
                let (name, impact) = take_held(fields)?;
                self.decided.as_mut()?.insert(name, impact);
            }
            HELD_HERE => {
                let (name, impact) = take_held(fields)?;
                self.held_here.insert(name, impact);
            }
            APPROVED => drop(self.approved.insert(take_name(fields)?)),
            ALL_APPROVED => self.approves_all = true,
            _ => return None,
        }
        Some(())
    }
}

fn put_name(name: &str, out: &mut Vec<u8>) {
    // The names of a catalog are far shorter.
    out.extend_from_slice(&(name.len() as u16).to_le_bytes());
    out.extend_from_slice(name.as_bytes());
}

fn take_name(fields: &mut FieldReader<'_>) -> Option<Box<str>> {
    let len = u16::from_le_bytes(fields.array()?);
    std::str::from_utf8(fields.take(len.into())?).ok().map(Box::from)
}

fn put_held(entry: u8, name: &str, TagImpact { entities, had, differ, added }: TagImpact, out: &mut Vec<u8>) {
    out.push(entry);
    put_name(name, out);
    [entities, had, differ, added].into_iter().for_each(|number| put_u64(number, out));
}

fn take_held(fields: &mut FieldReader<'_>) -> Option<(Box<str>, TagImpact)> {
    let name = take_name(fields)?;
    let (entities, had, differ, added) = (fields.u64()?, fields.u64()?, fields.u64()?, fields.u64()?);
    Some((name, TagImpact { entities, had, differ, added }))
}
