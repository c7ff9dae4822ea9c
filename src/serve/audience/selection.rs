//! Entities of a view, by partition: counted, combined, and gone through in one order.

use std::sync::Arc;

use roaring::RoaringBitmap;

use crate::engine::StateReader;
use crate::serve::replica::{EntityNumber, PartitionView};

/// Entities of one kind. Its order is that of the partitions, then of the numbers.
#[derive(Clone, Debug)]
pub struct Selection {
    pub(super) parts: Vec<(Arc<PartitionView>, RoaringBitmap)>,
    /// Whether it is as of a past instant: then bitmaps are those of the instant, and states those of now.
    pub(super) is_past: bool,
}

/// One of the selected entities.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// The place of its partition within the selection.
    pub part: usize,
    pub partition: &'a Arc<PartitionView>,
    pub number: EntityNumber,
    /// Whether the selection is as of a past instant: then the state is that of now.
    pub is_past: bool,
    pub state: &'a [u8],
}

impl Member<'_> {
    pub fn key(&self) -> &str {
        StateReader::key_of(self.state)
    }
}

impl Selection {
    pub fn size(&self) -> u64 {
        self.parts.iter().map(|(_, these)| these.len()).sum()
    }

    /// Those that are in both selections of the same view.
    pub fn and(&self, other: &Selection) -> Selection {
        let both = self.parts.iter().zip(&other.parts);
        Selection { parts: both.map(|((view, a), (_, b))| (Arc::clone(view), a & b)).collect(), ..*self }
    }

    /// Those that are in this selection of a view and not in the other one.
    pub fn without(&self, other: &Selection) -> Selection {
        let both = self.parts.iter().zip(&other.parts);
        Selection { parts: both.map(|((view, a), (_, b))| (Arc::clone(view), a - b)).collect(), ..*self }
    }

    /// The keys of its first members, at most this many.
    pub fn sample(&self, limit: usize) -> Vec<String> {
        self.members((0, 0)).take(limit).map(|member| member.key().to_owned()).collect()
    }

    /// The members from a place on: the partition's place, and the first number.
    pub fn members(&self, from: (usize, EntityNumber)) -> impl Iterator<Item = Member<'_>> {
        let parts = self.parts.iter().enumerate().skip(from.0);
        parts.flat_map(move |(part, (partition, these))| {
            let first = if part == from.0 { from.1 } else { 0 };
            let numbers = these.range(first..);
            numbers.filter_map(move |number| {
                let (state, _) = partition.state(number)?;
                Some(Member { part, partition, number, is_past: self.is_past, state })
            })
        })
    }
}
