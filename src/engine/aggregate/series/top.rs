//! The most frequent string: what `top` shows.

use std::cmp::Reverse;

use crate::engine::aggregate::Pane;
use crate::engine::encoding::{ByteReader, put_signed, put_timestamp, put_unsigned};
use crate::model::Timestamp;

#[derive(Clone, Copy, Debug)]
struct TopValue {
    /// Where its text begins and ends.
    start: u32,
    end: u32,
    /// The time of its latest event, in a window without panes.
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
    text: Reverse<&'a [u8]>,
}

/// Strings with their counts per pane, at most `limit` different ones: a new string replaces the rarest.
#[derive(Clone, Debug)]
pub(crate) struct Top {
    /// As [`Frame::slides`](crate::engine::aggregate::Frame::slides) of its window.
    slides: bool,
    values: Vec<TopValue>,
    /// By value, then pane.
    counts: Vec<PaneCount>,
    /// The texts of all values.
    texts: Vec<u8>,
}

impl Top {
    pub(crate) fn new(slides: bool) -> Self {
        Top { slides, values: Vec::new(), counts: Vec::new(), texts: Vec::new() }
    }

    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.counts.clear();
        self.texts.clear();
    }

    /// Counts a string. Panes that have left the window must be pruned before.
    pub(crate) fn add(&mut self, text: &str, time: Timestamp, pane: Pane, limit: u32) {
        let known = self.values.iter().position(|value| self.text_of(value) == text.as_bytes());
        let index = match known {
            Some(index) => index,
            None => self.admit(text, time, limit),
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
    fn admit(&mut self, text: &str, time: Timestamp, limit: u32) -> usize {
        let value = self.keep(text.as_bytes(), time);
        if self.values.len() < limit as usize {
            self.values.push(value);
            return self.values.len() - 1;
        }
        let rarest = (0..self.values.len()).min_by_key(|index| self.rank(*index, Pane::MIN)).unwrap_or(0);
        self.counts.retain(|count_of| count_of.value != rarest as u32);
        self.values[rarest] = value;
        rarest
    }

    fn keep(&mut self, text: &[u8], latest: Timestamp) -> TopValue {
        let start = self.texts.len() as u32;
        self.texts.extend_from_slice(text);
        TopValue { start, end: self.texts.len() as u32, latest }
    }

    fn text_of(&self, value: &TopValue) -> &[u8] {
        &self.texts[value.start as usize..value.end as usize]
    }

    fn counts_of(&self, index: usize) -> &[PaneCount] {
        let start = self.counts.partition_point(|count_of| count_of.value < index as u32);
        let len = self.counts[start..].partition_point(|count_of| count_of.value == index as u32);
        &self.counts[start..start + len]
    }

    fn rank(&self, index: usize, least: Pane) -> Rank<'_> {
        self.rank_by(self.counts_of(index), index, least)
    }

    fn rank_by(&self, counts: &[PaneCount], index: usize, least: Pane) -> Rank<'_> {
        let value = &self.values[index];
        let mut rank = Rank { count: 0, recency: i64::MIN, text: Reverse(self.text_of(value)) };
        for count_of in counts.iter().filter(|count_of| count_of.pane >= least) {
            rank.count += count_of.count;
            rank.recency = count_of.pane;
        }
        if !self.slides {
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
    pub(crate) fn get(&self, least: Pane) -> Option<(Pane, &str)> {
        let by_value = self.counts.chunk_by(|a, b| a.value == b.value);
        let ranks = by_value.map(|counts| self.rank_by(counts, counts[0].value as usize, least));
        let Reverse(text) = ranks.filter(|rank| rank.count > 0).max()?.text;
        let oldest = self.counts.iter().map(|count_of| count_of.pane).filter(|pane| *pane >= least).min()?;
        Some((oldest, std::str::from_utf8(text).unwrap_or_default()))
    }

    /// Writes the newest pane, then each string with its panes as distances from there; in a window without panes, also
    /// the time of the latest event, and each string's as the distance from there.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let Some(newest) = self.counts.iter().map(|count_of| count_of.pane).max() else { return };
        put_signed(out, newest);
        let latest = self.values.iter().map(|value| value.latest).max().filter(|_| !self.slides);
        latest.iter().for_each(|latest| put_timestamp(out, *latest));
        let mut rest = &self.counts[..];
        for (value, index) in self.values.iter().zip(0..) {
            let text = self.text_of(value);
            put_unsigned(out, text.len() as u64);
            out.extend_from_slice(text);
            latest.iter().for_each(|latest| put_unsigned(out, latest.since(value.latest) as u64));
            let (counts, others) = rest.split_at(rest.iter().take_while(|count_of| count_of.value == index).count());
            put_unsigned(out, counts.len() as u64);
            for count_of in counts {
                put_unsigned(out, newest.wrapping_sub(count_of.pane) as u64);
                put_unsigned(out, count_of.count);
            }
            rest = others;
        }
    }

    pub(crate) fn decode(&mut self, reader: &mut ByteReader<'_>) {
        self.clear();
        if reader.is_empty() {
            return;
        }
        let slides = self.slides;
        let newest = reader.signed();
        let latest = if slides { Timestamp::MIN } else { reader.timestamp() };
        let time = |reader: &mut ByteReader<'_>| {
            let behind = if slides { 0 } else { reader.unsigned() as i64 };
            latest.plus(behind.wrapping_neg())
        };
        self.decode_values(reader, time, |reader| newest.wrapping_sub(reader.unsigned() as i64));
    }

    /// Reads the first form: each string with the time of its latest event, and its panes by their numbers.
    pub(crate) fn decode_first_form(&mut self, reader: &mut ByteReader<'_>) {
        self.clear();
        self.decode_values(reader, ByteReader::timestamp, ByteReader::signed);
    }

    /// Reads strings with their counts, up to the end; `latest` and `pane` read the time of a string and a pane.
    fn decode_values<'a>(
        &mut self,
        reader: &mut ByteReader<'a>,
        latest: impl Fn(&mut ByteReader<'a>) -> Timestamp,
        pane: impl Fn(&mut ByteReader<'a>) -> Pane,
    ) {
        while !reader.is_empty() {
            let value = self.values.len() as u32;
            let len = reader.unsigned() as usize;
            let text = reader.take(len);
            let known = self.keep(text, latest(reader));
            self.values.push(known);
            for _ in 0..reader.unsigned().min(reader.remaining() as u64) {
                self.counts.push(PaneCount { value, pane: pane(reader), count: reader.unsigned() });
            }
        }
    }
}
