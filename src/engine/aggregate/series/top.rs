//! The most frequent string: what `top` shows.

use std::cmp::Reverse;

use crate::engine::aggregate::Pane;
use crate::engine::encoding::{ByteReader, TextSpan, put_signed, put_text, put_timestamp, put_unsigned};
use crate::model::Timestamp;

#[derive(Clone, Copy, Debug)]
struct TopValue {
    text: TextSpan,
    /// The time of its latest event.
    latest: Timestamp,
}

/// The number of events with a value in one pane.
#[derive(Clone, Copy, Debug)]
struct PaneCount {
    value: u32,
    pane: Pane,
    count: u64,
}

/// How a value compares with the others in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank<'a> {
    count: u64,
    /// The most recent pane; for windows without panes, the most recent event's time.
    recency: i64,
    text: Reverse<&'a str>,
}

/// Strings with their counts per pane, at most `limit` different ones: a new string replaces the rarest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Top {
    values: Vec<TopValue>,
    /// By value, then pane.
    counts: Vec<PaneCount>,
    text: String,
}

impl Top {
    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.counts.clear();
        self.text.clear();
    }

    /// Counts a string; `slides` as in [`Frame::slides`](crate::engine::aggregate::Frame::slides). Panes that have left
    /// the window must be pruned before.
    pub(crate) fn add(&mut self, text: &str, time: Timestamp, pane: Pane, limit: u32, slides: bool) {
        let known = self.values.iter().position(|value| value.text.of(&self.text) == text);
        let index = match known {
            Some(index) => index,
            None => self.admit(text, time, limit, slides),
        };
        let value = &mut self.values[index];
        value.latest = value.latest.max(time);
        let key = (index as u32, pane);
        match self.counts.binary_search_by_key(&key, |count_of| (count_of.value, count_of.pane)) {
            Ok(at) => self.counts[at].count += 1,
            Err(at) => self.counts.insert(at, PaneCount { value: key.0, pane, count: 1 }),
        }
    }

    /// The index for a new string; where there is no room, the rarest one's.
    fn admit(&mut self, text: &str, time: Timestamp, limit: u32, slides: bool) -> usize {
        let value = TopValue { text: TextSpan::keep(&mut self.text, text), latest: time };
        if self.values.len() < limit as usize {
            self.values.push(value);
            return self.values.len() - 1;
        }
        let rarest = (0..self.values.len()).min_by_key(|index| self.rank(*index, Pane::MIN, slides)).unwrap_or(0);
        self.counts.retain(|count_of| count_of.value != rarest as u32);
        self.values[rarest] = value;
        rarest
    }

    fn counts_of(&self, index: usize) -> &[PaneCount] {
        let start = self.counts.partition_point(|count_of| count_of.value < index as u32);
        let len = self.counts[start..].partition_point(|count_of| count_of.value == index as u32);
        &self.counts[start..start + len]
    }

    fn rank(&self, index: usize, least: Pane, slides: bool) -> Rank<'_> {
        let value = self.values[index];
        let live = self.counts_of(index).iter().filter(|count_of| count_of.pane >= least);
        let mut rank = Rank { count: 0, recency: i64::MIN, text: Reverse(value.text.of(&self.text)) };
        for count_of in live {
            rank.count += count_of.count;
            rank.recency = count_of.pane;
        }
        if !slides {
            rank.recency = value.latest.ms();
        }
        rank
    }

    /// Drops panes before `least`, and strings without panes.
    pub(crate) fn prune(&mut self, least: Pane) -> bool {
        if self.counts.iter().all(|count_of| count_of.pane >= least) {
            return false;
        }
        self.counts.retain(|count_of| count_of.pane >= least);
        for index in (0..self.values.len()).rev() {
            if self.counts_of(index).is_empty() {
                self.values.remove(index);
                for count_of in &mut self.counts {
                    count_of.value -= u32::from(count_of.value > index as u32);
                }
            }
        }
        true
    }

    /// The most frequent string in the panes from `least` on, and the oldest of those panes.
    pub(crate) fn get(&self, least: Pane, slides: bool) -> Option<(Pane, &str)> {
        let winner =
            (0..self.values.len()).map(|index| self.rank(index, least, slides)).filter(|rank| rank.count > 0).max()?;
        let oldest = self.counts.iter().map(|count_of| count_of.pane).filter(|pane| *pane >= least).min()?;
        Some((oldest, winner.text.0))
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for (index, value) in self.values.iter().enumerate() {
            put_text(out, value.text.of(&self.text));
            put_timestamp(out, value.latest);
            let counts = self.counts_of(index);
            put_unsigned(out, counts.len() as u64);
            for count_of in counts {
                put_signed(out, count_of.pane);
                put_unsigned(out, count_of.count);
            }
        }
    }

    pub(crate) fn decode(&mut self, reader: &mut ByteReader<'_>) {
        self.clear();
        while !reader.is_empty() {
            let value = self.values.len() as u32;
            let text = reader.text(&mut self.text);
            self.values.push(TopValue { text, latest: reader.timestamp() });
            for _ in 0..reader.unsigned().min(reader.remaining() as u64) {
                self.counts.push(PaneCount { value, pane: reader.signed(), count: reader.unsigned() });
            }
        }
    }
}
