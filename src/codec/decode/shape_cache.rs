//! ShapeCache: what the records of one producer have in common, learned so that it need not be scanned again.
//!
//! A program writes its events in one way: the same members in the same order with the same punctuation. Only the
//! values differ. So a record that was scanned leaves its shape behind: the literal bytes between the values that were
//! not walked into, and the holes where those stood. A later record that has the very same literals, and in every hole
//! a value that the scanner takes, is JSON, and the scanner would have found the same places: comparing bytes is all
//! that is left of names, colons and brackets. Any difference at all, and the record is scanned as if there were no
//! shapes.
//!
//! ShapeCache often begin alike (the envelope) and part later (the properties of each event type), so they are kept as one
//! tree. A producer that writes its members in random order never repeats itself; then shapes cost and give nothing,
//! are forgotten, and rest for a while.

use super::extract::FoundValue;
use super::plan::NodeId;
use super::scanner::{JsonType, RawValue, Scanner};
use std::ops::Range;

/// Bounds what is remembered, and what a record of an unknown shape is compared with.
const NODES_MAX: usize = 512;
const ALTERNATIVES_MAX: usize = 32;
const LITERAL_BYTES_MAX: usize = 1 << 15;

/// After so many records it is looked at whether shapes are worth their while...
const TRIAL: u32 = 1 << 10;

/// ...and if not, they rest for so many.
const PAUSE: u32 = 1 << 14;

/// Where a value stands that was not walked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    /// Nobody wants the value where there is none.
    pub(super) node: Option<NodeId>,
    /// How many containers are open around it.
    pub(super) depth: usize,
    /// Whether wanted places lie below: then a container would have to be walked, and does not fit.
    pub(super) is_inner: bool,
}

/// What one scan of a record came across, in its order.
#[derive(Clone, Debug, Default)]
pub(super) struct ScanTrace {
    /// Values that were not walked into: from where to where.
    pub(super) holes: Vec<(usize, usize, Hole)>,
    /// Objects that were walked.
    pub(super) walked: Vec<NodeId>,
    /// Whether it did what no shape can say: it met a wanted name twice, or walked an array. The rest is then void.
    pub(super) is_odd: bool,
}

impl ScanTrace {
    /// Empties the trace for the next record. Where nobody is going to learn from it, it is odd from the start.
    pub(super) fn begin(&mut self, is_wanted: bool) {
        self.holes.clear();
        self.walked.clear();
        self.is_odd = !is_wanted;
    }
}

/// A literal with what follows it: a hole, or the record's end.
#[derive(Clone, Debug)]
struct ShapeNode {
    /// In [`ShapeCache::literals`].
    literal: Range<usize>,
    /// At the record's end the objects that were walked on the way there, in [`ShapeCache::walked`].
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
    /// Whether the record has a known shape; `found` then says what stands where, and otherwise nothing.
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

    /// Passes over a step's literal and its hole, if both fit; the value in the hole.
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

    /// Whether another shape would be remembered.
    pub(super) fn wants_more(&self) -> bool {
        self.paused_records == 0 && self.nodes.len() < NODES_MAX
    }

    /// Remembers the shape of a record that has been scanned and found to be JSON.
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

    /// The step after `last` with this literal and this hole: as it is known, or as it is now added. Nothing where
    /// there is no room.
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
