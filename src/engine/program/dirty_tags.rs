//! The tags that an event makes dirty, by the state in which it can change them.

/// A set of tags by their place in the order of evaluation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagSet {
    words: Vec<u64>,
}

impl TagSet {
    pub fn empty(tags: usize) -> Self {
        TagSet { words: vec![0; tags.div_ceil(64)] }
    }

    pub fn insert(&mut self, place: usize) {
        self.words[place / 64] |= 1 << (place % 64);
    }

    pub fn extend(&mut self, other: &TagSet) {
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }
}

/// The tags that still have to be evaluated: those that must be if they are off, and those that must be if they are on.
///
/// Most events move a counter in the direction in which a tag already stands: one more visit cannot end `visits >= 3`,
/// nor begin `days_since(last_visit) >= 14`, and the verdict holds at least as long as before. Such a tag is not
/// evaluated; its next due time is early enough.
#[derive(Clone, Debug)]
pub(crate) struct DirtyTags {
    off: TagSet,
    on: TagSet,
}

/// A dirty tag, and the states in which it must be evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DirtyTag {
    pub place: usize,
    pub if_off: bool,
    pub if_on: bool,
}

impl DirtyTags {
    pub(crate) fn empty(tags: usize) -> Self {
        DirtyTags { off: TagSet::empty(tags), on: TagSet::empty(tags) }
    }

    pub(crate) fn clear(&mut self) {
        self.off.words.fill(0);
        self.on.words.fill(0);
    }

    /// Adds a tag, whatever its state.
    pub(crate) fn insert(&mut self, place: usize) {
        self.off.insert(place);
        self.on.insert(place);
    }

    pub(crate) fn fill(&mut self, tags: usize) {
        (0..tags).for_each(|place| self.insert(place));
    }

    /// Adds tags, whatever their states.
    pub(crate) fn extend(&mut self, tags: &TagSet) {
        self.off.extend(tags);
        self.on.extend(tags);
    }

    pub(crate) fn extend_by_state(&mut self, off: &TagSet, on: &TagSet) {
        self.off.extend(off);
        self.on.extend(on);
    }

    /// Takes out the first tag in the order of evaluation.
    pub(crate) fn pop_first(&mut self) -> Option<DirtyTag> {
        let mut words = self.off.words.iter_mut().zip(&mut self.on.words).enumerate();
        let (index, (off, on)) = words.find(|(_, (off, on))| **off | **on != 0)?;
        let bit = (*off | *on).trailing_zeros() as usize;
        let mask = 1 << bit;
        let dirty_tag = DirtyTag { place: index * 64 + bit, if_off: *off & mask != 0, if_on: *on & mask != 0 };
        *off &= !mask;
        *on &= !mask;
        Some(dirty_tag)
    }
}
