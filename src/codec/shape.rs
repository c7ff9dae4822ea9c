//! Shapes: what the records of one producer have in common, learned so that it need not be scanned again.
//!
//! A program writes its events in one way: the same members in the same order with the same punctuation. Only the
//! values differ. So a record that was scanned leaves its shape behind: the literal bytes between the values that were
//! not walked into, and the holes where those stood. A later record that has the very same literals, and in every hole
//! a value that the scanner takes, is JSON, and the scanner would have found the same places: comparing bytes is all
//! that is left of names, colons and brackets. Any difference at all, and the record is scanned as if there were no
//! shapes.
//!
//! Shapes often begin alike (the envelope) and part later (the properties of each event type), so they are kept as one
//! tree. A producer that writes its members in random order never repeats itself; then shapes cost and give nothing,
//! are forgotten, and rest for a while.

use super::capture::Found;
use super::plan::NodeId;
use super::scanner::{Kind, Raw, Scanner};
use std::ops::Range;

/// Bounds what is remembered, and what a record of an unknown shape is compared with.
const STEPS_MAX: usize = 512;
const ALTERNATIVES_MAX: usize = 32;
const LITERAL_BYTES_MAX: usize = 1 << 15;

/// After so many records it is looked at whether shapes are worth their while...
const TRIAL: u32 = 1 << 10;

/// ...and if not, they rest for so many.
const REST: u32 = 1 << 14;

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
pub(super) struct Trace {
    /// Values that were not walked into: from where to where.
    pub(super) holes: Vec<(usize, usize, Hole)>,
    /// Objects that were walked.
    pub(super) walked: Vec<NodeId>,
    /// Whether it did what no shape can say: it met a wanted name twice, or walked an array. The rest is then void.
    pub(super) is_odd: bool,
}

impl Trace {
    /// Empties the trace for the next record. Where nobody is going to learn from it, it is odd from the start.
    pub(super) fn begin(&mut self, is_wanted: bool) {
        self.holes.clear();
        self.walked.clear();
        self.is_odd = !is_wanted;
    }
}

/// A literal with what follows it: a hole, or the record's end.
#[derive(Clone, Debug)]
struct Step {
    /// In [`Shapes::literals`].
    literal: Range<usize>,
    /// At the record's end the objects that were walked on the way there, in [`Shapes::walked`].
    walked: Range<usize>,
    hole: Option<Hole>,
    /// What may come next: the first of the alternatives.
    next: Option<usize>,
    /// The next alternative to this step. No two of them fit the same record.
    other: Option<usize>,
}

/// The shapes that a decoder knows.
#[derive(Clone, Debug, Default)]
pub(super) struct Shapes {
    steps: Vec<Step>,
    literals: Vec<u8>,
    walked: Vec<NodeId>,
    tried: u32,
    fitted: u32,
    resting: u32,
}

impl Shapes {
    /// Whether the record has a known shape; `found` then says what stands where, and otherwise nothing.
    pub(super) fn fit(&mut self, record: &str, found: &mut [Found]) -> bool {
        if self.resting > 0 {
            self.resting -= 1;
            return false;
        }
        if self.tried == TRIAL {
            self.judge();
        }
        let fits = self.follow(record, found).is_some();
        self.tried += 1;
        self.fitted += u32::from(fits);
        fits
    }

    fn judge(&mut self) {
        if self.fitted < TRIAL / 2 {
            self.steps.clear();
            self.literals.clear();
            self.walked.clear();
            self.resting = REST;
        }
        (self.tried, self.fitted) = (0, 0);
    }

    fn follow(&self, record: &str, found: &mut [Found]) -> Option<()> {
        found.fill(Found::default());
        let mut scanner = Scanner::new(record, 0);
        let mut alternative = (!self.steps.is_empty()).then_some(0);
        loop {
            let step = &self.steps[alternative?];
            let start = scanner.at();
            let Some(value) = self.take(step, &mut scanner) else {
                scanner = Scanner::new(record, start);
                alternative = step.other;
                continue;
            };
            let Some(hole) = step.hole else {
                for node in &self.walked[step.walked.clone()] {
                    found[*node].raw = Raw::new(Kind::Object, 0, 0);
                }
                return Some(());
            };
            if let Some(node) = hole.node {
                found[node].raw = value;
            }
            alternative = step.next;
        }
    }

    /// Passes over a step's literal and its hole, if both fit; the value in the hole.
    #[inline(always)]
    fn take(&self, step: &Step, scanner: &mut Scanner) -> Option<Raw> {
        if !scanner.literal(&self.literals[step.literal.clone()]) {
            return None;
        }
        match step.hole {
            None => scanner.peek().is_none().then(Raw::default),
            Some(Hole { is_inner: true, .. }) => scanner.scalar().ok(),
            Some(Hole { depth, .. }) => scanner.value(depth).ok(),
        }
    }

    /// Whether another shape would be remembered.
    pub(super) fn is_curious(&self) -> bool {
        self.resting == 0 && self.steps.len() < STEPS_MAX
    }

    /// Remembers the shape of a record that has been scanned and found to be JSON.
    pub(super) fn learn(&mut self, record: &str, trace: &Trace) {
        if trace.is_odd {
            return;
        }
        let mut literal_start = 0;
        let mut last = None;
        for (start, end, hole) in &trace.holes {
            let literal = &record.as_bytes()[literal_start..*start];
            let Some(step) = self.step(last, literal, Some(*hole)) else {
                return;
            };
            (last, literal_start) = (Some(step), *end);
        }
        let known = self.steps.len();
        if self.step(last, &record.as_bytes()[literal_start..], None) == Some(known) {
            let walked_from = self.walked.len();
            self.walked.extend_from_slice(&trace.walked);
            self.steps[known].walked = walked_from..self.walked.len();
        }
    }

    /// The step after `last` with this literal and this hole: as it is known, or as it is now added. Nothing where
    /// there is no room.
    fn step(&mut self, last: Option<usize>, literal: &[u8], hole: Option<Hole>) -> Option<usize> {
        let mut alternative = match last {
            Some(last) => self.steps[last].next,
            None => (!self.steps.is_empty()).then_some(0),
        };
        let (mut previous, mut count) = (None, 0);
        while let Some(index) = alternative {
            let step = &self.steps[index];
            if self.literals[step.literal.clone()] == *literal && step.hole == hole {
                return Some(index);
            }
            (previous, alternative, count) = (alternative, step.other, count + 1);
        }
        let has_room = self.steps.len() < STEPS_MAX
            && self.literals.len() + literal.len() <= LITERAL_BYTES_MAX
            && count < ALTERNATIVES_MAX;
        if !has_room {
            return None;
        }
        let literal_start = self.literals.len();
        self.literals.extend_from_slice(literal);
        let new = self.steps.len();
        self.steps.push(Step {
            literal: literal_start..self.literals.len(),
            walked: 0..0,
            hole,
            next: None,
            other: None,
        });
        match (previous, last) {
            (Some(previous), _) => self.steps[previous].other = Some(new),
            (None, Some(last)) => self.steps[last].next = Some(new),
            (None, None) => {}
        }
        Some(new)
    }
}
