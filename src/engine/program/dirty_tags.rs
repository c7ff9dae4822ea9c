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

    fn has(&self, place: usize) -> bool {
        self.words[place / 64] & 1 << (place % 64) != 0
    }

    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub fn extend(&mut self, other: &TagSet) {
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }
}

/// Tags that have to be evaluated if they are off, and tags that have to be if they are on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagsByState {
    off: TagSet,
    on: TagSet,
}

impl TagsByState {
    pub fn empty(tags: usize) -> Self {
        TagsByState { off: TagSet::empty(tags), on: TagSet::empty(tags) }
    }

    pub fn insert_if_off(&mut self, place: usize) {
        self.off.insert(place);
    }

    pub fn insert_if_on(&mut self, place: usize) {
        self.on.insert(place);
    }

    /// As many tags, and none of them.
    pub fn none(&self) -> Self {
        TagsByState::empty(self.off.words.len() * 64)
    }

    /// Adds one tag, in the states in which the other has it.
    pub fn take_from(&mut self, other: &TagsByState, place: usize) {
        if other.off.has(place) {
            self.off.insert(place);
        }
        if other.on.has(place) {
            self.on.insert(place);
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
    tags: TagsByState,
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
        DirtyTags { tags: TagsByState::empty(tags) }
    }

    pub(crate) fn clear(&mut self) {
        self.tags.off.words.fill(0);
        self.tags.on.words.fill(0);
    }

    /// Adds a tag, whatever its state.
    pub(crate) fn insert(&mut self, place: usize) {
        self.tags.off.insert(place);
        self.tags.on.insert(place);
    }

    pub(crate) fn fill(&mut self, tags: usize) {
        (0..tags).for_each(|place| self.insert(place));
    }

    /// Adds tags, whatever their states.
    pub(crate) fn extend(&mut self, tags: &TagSet) {
        self.tags.off.extend(tags);
        self.tags.on.extend(tags);
    }

    pub(crate) fn extend_by_state(&mut self, more: &TagsByState) {
        self.tags.off.extend(&more.off);
        self.tags.on.extend(&more.on);
    }

    /// Takes out the first tag in the order of evaluation.
    pub(crate) fn pop_first(&mut self) -> Option<DirtyTag> {
        let mut words = self.tags.off.words.iter_mut().zip(&mut self.tags.on.words).enumerate();
        let (index, (off, on)) = words.find(|(_, (off, on))| **off | **on != 0)?;
        let bit = (*off | *on).trailing_zeros() as usize;
        let mask = 1 << bit;
        let dirty_tag = DirtyTag { place: index * 64 + bit, if_off: *off & mask != 0, if_on: *on & mask != 0 };
        *off &= !mask;
        *on &= !mask;
        Some(dirty_tag)
    }
}
