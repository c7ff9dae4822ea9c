//! Panes whose numbers take a byte each, as most distances and counts do: they are added up several at a time, and read
//! from the newest one on.

use crate::engine::aggregate::Pane;
use crate::engine::encoding::CONTINUES;

/// Panes after an older one in their bytes, where each number takes one byte.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShortPanes<'a> {
    bytes: &'a [u8],
    /// The bytes of a pane: its distance from the one before, and its count, if it has one.
    entry: usize,
    /// From the older pane to the newest one.
    pub(super) distance: i64,
    /// What all of them add up to.
    pub(super) total: i128,
}

impl<'a> ShortPanes<'a> {
    /// Panes of so many bytes each, 1 or 2. `None` where a number takes more bytes.
    pub(super) fn read(bytes: &'a [u8], entry: usize) -> Option<Self> {
        let (even, odd) = sums_of_bytes(bytes)?;
        let (distance, total) = if entry == 1 { (even + odd, bytes.len() as u64) } else { (even, odd) };
        Some(ShortPanes { bytes, entry, distance: distance as i64, total: total.into() })
    }

    /// How many bytes the newest one's value takes; `None` where there is no pane.
    pub(super) fn newest_len(&self) -> Option<usize> {
        (!self.bytes.is_empty()).then_some(self.entry - 1)
    }

    /// The total of the panes from `least` on, where the last of all is `newest`.
    pub(super) fn total_from(&self, least: Pane, newest: Pane) -> i128 {
        let (mut pane, mut total) = (newest, 0);
        for entry in self.bytes.rchunks_exact(self.entry) {
            if pane < least {
                break;
            }
            total += entry.get(1).map_or(1, |count| i128::from(*count));
            pane -= Pane::from(entry[0]);
        }
        total
    }
}

/// The sums of the bytes at even and at odd places; `None` where a byte is not less than 0x80. Eight bytes are added at
/// once, as Lamport describes it ("Multiple Byte Processing with Full-Word Instructions", 1975).
fn sums_of_bytes(bytes: &[u8]) -> Option<(u64, u64)> {
    const LOW: u64 = 0x00ff_00ff_00ff_00ff;
    const ADD: u64 = 0x0001_0001_0001_0001;
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let (mut even, mut odd) = (0, 0);
    for word in words.iter().chain([&last]) {
        let word = u64::from_le_bytes(*word);
        if word & CONTINUES != 0 {
            return None;
        }
        even += (word & LOW).wrapping_mul(ADD) >> 48;
        odd += (word >> 8 & LOW).wrapping_mul(ADD) >> 48;
    }
    Some((even, odd))
}
