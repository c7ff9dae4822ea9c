//! Distinct values by recency: what `distinct` counts.

use crate::engine::aggregate::Pane;
use crate::engine::encoding::{ByteReader, Deltas, put_word};

/// Hashes of values with the last pane of each, least recent first.
///
/// Where there are more values than the limit, the most recent ones are kept. The dropped ones are older than all that
/// stay, so the count is exact up to the limit at every later instant, too.
#[derive(Clone, Debug, Default)]
pub(crate) struct Distinct {
    list: Vec<(u64, Pane)>,
}

impl Distinct {
    pub(crate) fn clear(&mut self) {
        self.list.clear();
    }

    /// Counts a value; whether anything has changed.
    pub(crate) fn add(&mut self, hash: u64, pane: Pane, limit: u32) -> bool {
        if let Some(index) = self.list.iter().rposition(|(h, _)| *h == hash) {
            if self.list[index].1 >= pane {
                return false;
            }
            self.list.remove(index);
        } else if self.list.len() >= limit as usize {
            if self.list[0].1 > pane {
                return false;
            }
            self.list.remove(0);
        }
        let index = self.list.partition_point(|(_, p)| *p <= pane);
        self.list.insert(index, (hash, pane));
        true
    }

    pub(crate) fn prune(&mut self, least: Pane) -> bool {
        let expired = self.list.iter().take_while(|(_, pane)| *pane < least).count();
        self.list.drain(..expired);
        expired > 0
    }

    /// The values seen in panes from `least` on, least recent first.
    pub(crate) fn from(&self, least: Pane) -> &[(u64, Pane)] {
        &self.list[self.list.partition_point(|(_, pane)| *pane < least)..]
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let mut panes = Deltas::default();
        for (hash, pane) in &self.list {
            panes.put(out, *pane);
            put_word(out, *hash);
        }
    }

    pub(crate) fn decode(&mut self, reader: &mut ByteReader<'_>) {
        self.list.clear();
        let mut panes = Deltas::default();
        while !reader.is_empty() {
            let pane = panes.take(reader);
            self.list.push((reader.word(), pane));
        }
    }
}
