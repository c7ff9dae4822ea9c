//! A cache of record shapes: what the records of one producer have in common need not be scanned again.
//!
//! A program writes its events in one way: the same members in the same order with the same punctuation. Only the
//! values differ. So the cache keeps the shape of a scanned record: the literal bytes between the values that were not
//! walked into, and the holes in place of these values. A later record with exactly the same literals, and in every hole
//! a value that the scanner accepts, is JSON, and the scanner would have found the same values: names, colons and
//! brackets need only a comparison of bytes. A record with any difference is scanned as if there were no cache.
//!
//! Shapes often have a common beginning (the envelope) and differ later (the properties of each event type), so they
//! are kept as one tree. A producer that writes its members in random order never repeats a shape; then the cache only
//! costs, is emptied, and pauses.

use super::json::{FoundValue, JsonType, RawValue, Scanner};
use super::plan::NodeId;
use std::ops::Range;

/// The limits of the cache's size, and of the comparisons for a record of an unknown shape.
const NODES_MAX: usize = 512;
const ALTERNATIVES_MAX: usize = 32;
const LITERAL_BYTES_MAX: usize = 1 << 15;

/// After this many records the cache checks whether at least half of them had a known shape...
const TRIAL: u32 = 1 << 10;

/// ...and if not, it pauses for this many.
const PAUSE: u32 = 1 << 14;

/// The place of a value that was not walked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    /// `None` if the value is not wanted.
    pub(super) node: Option<NodeId>,
    /// How many containers are open around it.
    pub(super) depth: usize,
    /// Whether there are wanted places below: then a container has to be walked, and does not match.
    pub(super) is_inner: bool,
}

/// The record of one scan, in its order.
#[derive(Clone, Debug, Default)]
pub(super) struct ScanTrace {
    /// Values that were not walked into: from where to where.
    pub(super) holes: Vec<(usize, usize, Hole)>,
    /// Objects that were walked.
    pub(super) walked: Vec<NodeId>,
    /// Whether the record has no shape: a wanted name occurs twice, or an array was walked. The rest is then invalid.
    pub(super) is_odd: bool,
}

impl ScanTrace {
    /// Empties the trace for the next record. If no shape is to be learned, it is odd from the start.
    pub(super) fn begin(&mut self, is_wanted: bool) {
        self.holes.clear();
        self.walked.clear();
        self.is_odd = !is_wanted;
    }
}

/// A literal, followed by a hole or by the record's end.
#[derive(Clone, Debug)]
struct ShapeNode {
    /// In [`ShapeCache::literals`].
    literal: Range<usize>,
    /// At the record's end: the objects that were walked on the way, in [`ShapeCache::walked`].
    walked: Range<usize>,
    hole: Option<Hole>,
    /// What may come next: the first of the alternatives.
    next: Option<usize>,
    /// The next alternative to this node. No two of them fit the same record.
    other: Option<usize>,
}

/// The shapes that a decoder knows.
#[derive(Clone, Debug, Default)]
pub(super) struct ShapeCache {
    nodes: Vec<ShapeNode>,
    literals: Vec<u8>,
    walked: Vec<NodeId>,
    tried: u32,
    fitted: u32,
    paused_records: u32,
}

impl ShapeCache {
    /// Whether the record has a known shape; only then `found` is filled with its values.
    pub(super) fn fits(&mut self, record: &str, found: &mut [FoundValue]) -> bool {
        if self.paused_records > 0 {
            self.paused_records -= 1;
            return false;
        }
        if self.tried == TRIAL {
            self.evict_if_useless();
        }
        let fits = self.match_record(record, found).is_some();
        self.tried += 1;
        self.fitted += u32::from(fits);
        fits
    }

    fn evict_if_useless(&mut self) {
        if self.fitted < TRIAL / 2 {
            self.nodes.clear();
            self.literals.clear();
            self.walked.clear();
            self.paused_records = PAUSE;
        }
        (self.tried, self.fitted) = (0, 0);
    }

    fn match_record(&self, record: &str, found: &mut [FoundValue]) -> Option<()> {
        found.fill(FoundValue::default());
        let mut scanner = Scanner::new(record, 0);
        let mut alternative = (!self.nodes.is_empty()).then_some(0);
        loop {
            let node = &self.nodes[alternative?];
            let start = scanner.at();
            let Some(value) = self.match_node(node, &mut scanner) else {
                scanner = Scanner::new(record, start);
                alternative = node.other;
                continue;
            };
            let Some(hole) = node.hole else {
                for node in &self.walked[node.walked.clone()] {
                    found[*node].raw = RawValue::new(JsonType::Object, 0, 0);
                }
                return Some(());
            };
            if let Some(node) = hole.node {
                found[node].raw = value;
            }
            alternative = node.next;
        }
    }

    /// Passes over a node's literal and its hole, if both match; returns the value in the hole.
    #[inline(always)]
    fn match_node(&self, node: &ShapeNode, scanner: &mut Scanner) -> Option<RawValue> {
        if !scanner.literal(&self.literals[node.literal.clone()]) {
            return None;
        }
        match node.hole {
            None => scanner.peek().is_none().then(RawValue::default),
            Some(Hole { is_inner: true, .. }) => scanner.scalar().ok(),
            Some(Hole { depth, .. }) => scanner.value(depth).ok(),
        }
    }

    /// Whether the cache would keep another shape.
    pub(super) fn wants_more(&self) -> bool {
        self.paused_records == 0 && self.nodes.len() < NODES_MAX
    }

    /// Adds the shape of a record that has been scanned and is JSON.
    pub(super) fn learn(&mut self, record: &str, trace: &ScanTrace) {
        if trace.is_odd {
            return;
        }
        let mut literal_start = 0;
        let mut last = None;
        for (start, end, hole) in &trace.holes {
            let literal = &record.as_bytes()[literal_start..*start];
            let Some(node) = self.node(last, literal, Some(*hole)) else {
                return;
            };
            (last, literal_start) = (Some(node), *end);
        }
        let known = self.nodes.len();
        if self.node(last, &record.as_bytes()[literal_start..], None) == Some(known) {
            let walked_from = self.walked.len();
            self.walked.extend_from_slice(&trace.walked);
            self.nodes[known].walked = walked_from..self.walked.len();
        }
    }

    /// The node after `last` with this literal and this hole: a known one, or a new one. `None` if the cache is full.
    fn node(&mut self, last: Option<usize>, literal: &[u8], hole: Option<Hole>) -> Option<usize> {
        let mut alternative = match last {
            Some(last) => self.nodes[last].next,
            None => (!self.nodes.is_empty()).then_some(0),
        };
        let (mut previous, mut count) = (None, 0);
        while let Some(index) = alternative {
            let node = &self.nodes[index];
            if self.literals[node.literal.clone()] == *literal && node.hole == hole {
                return Some(index);
            }
            (previous, alternative, count) = (alternative, node.other, count + 1);
        }
        let has_room = self.nodes.len() < NODES_MAX
            && self.literals.len() + literal.len() <= LITERAL_BYTES_MAX
            && count < ALTERNATIVES_MAX;
        if !has_room {
            return None;
        }
        let literal_start = self.literals.len();
        self.literals.extend_from_slice(literal);
        let new = self.nodes.len();
        self.nodes.push(ShapeNode {
            literal: literal_start..self.literals.len(),
            walked: 0..0,
            hole,
            next: None,
            other: None,
        });
        match (previous, last) {
            (Some(previous), _) => self.nodes[previous].other = Some(new),
            (None, Some(last)) => self.nodes[last].next = Some(new),
            (None, None) => {}
        }
        Some(new)
    }
}
