//! Who has which tag: a bitmap of entity numbers for each tag, and one for each of its bands or stages.

use std::sync::Arc;

use roaring::RoaringBitmap;

use super::entity_table::EntityNumber;
use crate::catalog::TagId;
use crate::engine::{Program, StateReader};

/// A tag of an entity at a past instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastTag {
    Off,
    /// With its band or stage, where it had one that the tag still has.
    On(Option<u16>),
}

/// The bitmaps of a partition. A copy shares those that are not changed.
#[derive(Clone, Debug)]
pub(super) struct TagIndex {
    /// Every known entity.
    all: Arc<RoaringBitmap>,
    /// By tag of the catalog; those of other kinds of entities stay empty.
    tags: Vec<TagBitmaps>,
}

#[derive(Clone, Debug, Default)]
struct TagBitmaps {
    /// Those that have it, with whatever value.
    with: Arc<RoaringBitmap>,
    /// By band or stage.
    labels: Vec<Arc<RoaringBitmap>>,
}

impl TagIndex {
    pub(super) fn new(program: &Program) -> Self {
        let bitmaps = program.catalog.tags.iter().map(|tag| TagBitmaps {
            with: Arc::default(),
            labels: tag.definition.labels().iter().map(|_| Arc::default()).collect(),
        });
        TagIndex { all: Arc::default(), tags: bitmaps.collect() }
    }

    pub(super) fn all(&self) -> &RoaringBitmap {
        &self.all
    }

    pub(super) fn with(&self, tag: TagId) -> &RoaringBitmap {
        &self.tags[usize::from(tag.0)].with
    }

    pub(super) fn label(&self, tag: TagId, label: u16) -> Option<&RoaringBitmap> {
        self.tags[usize::from(tag.0)].labels.get(usize::from(label)).map(|bitmap| &**bitmap)
    }

    /// The same index at another instant, with these changes of some tags: of those who were known, or had one of the tags.
    pub(super) fn at(
        &self,
        mut known: RoaringBitmap,
        tags: &[TagId],
        changes: impl IntoIterator<Item = (TagId, EntityNumber, PastTag)>,
    ) -> Self {
        let mut index = self.clone();
        for (tag, number, past) in changes {
            let bitmaps = &mut index.tags[usize::from(tag.0)];
            set(&mut bitmaps.with, number, past != PastTag::Off);
            for (place, bitmap) in (0..).zip(&mut bitmaps.labels) {
                set(bitmap, number, past == PastTag::On(Some(place)));
            }
        }
        for tag in tags {
            known |= &*index.tags[usize::from(tag.0)].with;
        }
        for bitmaps in &mut index.tags {
            bitmaps.labels.iter_mut().chain([&mut bitmaps.with]).for_each(|these| *these = Arc::new(&**these & &known));
        }
        index.all = Arc::new(known);
        index
    }

    /// Takes over the tags of an entity's state.
    pub(super) fn put(&mut self, number: EntityNumber, state: &mut StateReader, tags: &[TagId]) {
        set(&mut self.all, number, true);
        for tag in tags {
            let reading = state.tag(*tag);
            let (has, label) = (reading.is_some(), reading.and_then(|reading| reading.label));
            let bitmaps = &mut self.tags[usize::from(tag.0)];
            set(&mut bitmaps.with, number, has);
            for (index, bitmap) in (0..).zip(&mut bitmaps.labels) {
                set(bitmap, number, label == Some(index));
            }
        }
    }

    /// The entity is not known any more.
    pub(super) fn remove(&mut self, number: EntityNumber) {
        set(&mut self.all, number, false);
        for bitmaps in &mut self.tags {
            set(&mut bitmaps.with, number, false);
            bitmaps.labels.iter_mut().for_each(|bitmap| set(bitmap, number, false));
        }
    }

    /// Bytes of the bitmaps.
    pub(super) fn bytes(&self) -> usize {
        let tags = self.tags.iter().flat_map(|tag| tag.labels.iter().chain([&tag.with]));
        tags.chain([&self.all]).map(|bitmap| bitmap.serialized_size()).sum()
    }
}

/// Copies a bitmap only where it changes.
fn set(bitmap: &mut Arc<RoaringBitmap>, number: EntityNumber, has: bool) {
    if bitmap.contains(number) != has {
        let bitmap = Arc::make_mut(bitmap);
        if has {
            bitmap.insert(number)
        } else {
            bitmap.remove(number)
        };
    }
}
