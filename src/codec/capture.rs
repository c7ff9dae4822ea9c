//! The pass over a record: proves that it is JSON and notes what stands at the wanted places.

use super::plan::{Node, NodeId, Plan};
use super::scanner::{Kind, NotJson, Raw, Scanner};
use super::shape::{Hole, Trace};
use super::text::text;

/// What stands at a wanted place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    pub(super) raw: Raw,
    /// Whether an array had to be walked: pointers do that, property paths do not.
    pub(super) through_array: bool,
}

impl Found {
    /// What a property path finds here.
    pub(super) fn property(self) -> Raw {
        if self.through_array { Raw::default() } else { self.raw }
    }
}

/// One pass over one record.
pub(super) struct Capture<'a> {
    plan: &'a Plan,
    record: &'a str,
    scanner: Scanner<'a>,
    /// By node.
    found: &'a mut [Found],
    /// For names with escapes.
    name: &'a mut String,
    trace: &'a mut Trace,
}

impl<'a> Capture<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        record: &'a str,
        found: &'a mut [Found],
        name: &'a mut String,
        trace: &'a mut Trace,
    ) -> Self {
        Capture { plan, record, scanner: Scanner::new(record, 0), found, name, trace }
    }

    /// Passes over the whole record; the root's value is what tells whether it is an object.
    pub(super) fn run(mut self) -> Result<(), NotJson> {
        self.scanner.whitespace();
        self.found.fill(Found::default());
        self.value(0, 0, false)?;
        self.scanner.whitespace();
        if self.scanner.peek().is_some() { Err(NotJson) } else { Ok(()) }
    }

    /// Notes the value that comes next at a node, and what is wanted inside it.
    ///
    /// This recurses as deep as the tree of wanted places; everything else is skipped without recursion.
    fn value(&mut self, id: NodeId, depth: usize, through_array: bool) -> Result<(), NotJson> {
        let plan = self.plan;
        let node = &plan.nodes[id];
        let through_array = through_array && !node.is_properties;
        if self.found[id].raw.kind() != Kind::Missing {
            // Of equal names the last one counts: what the earlier one had inside is gone.
            self.found[id..node.end].fill(Found::default());
            self.trace.is_odd = true;
        }
        let is_inner = node.end > id + 1;
        let start = self.scanner.at();
        let raw = match self.scanner.peek() {
            Some(b'{') if is_inner => {
                self.trace.walked.push(id);
                self.object(node, depth, through_array)?;
                Raw::new(Kind::Object, start, self.scanner.at())
            }
            Some(b'[') if !node.elements.is_empty() => {
                self.trace.is_odd = true;
                self.array(node, depth)?;
                Raw::new(Kind::Array, start, self.scanner.at())
            }
            _ => self.pass(Hole { node: Some(id), depth, is_inner })?,
        };
        self.found[id] = Found { raw, through_array };
        Ok(())
    }

    /// Passes over a value that is not walked into.
    fn pass(&mut self, hole: Hole) -> Result<Raw, NotJson> {
        let start = self.scanner.at();
        let raw = self.scanner.value(hole.depth)?;
        if !self.trace.is_odd {
            self.trace.holes.push((start, self.scanner.at(), hole));
        }
        Ok(raw)
    }

    fn object(&mut self, node: &Node, depth: usize, through_array: bool) -> Result<(), NotJson> {
        self.scanner.open(depth)?;
        if self.scanner.take(b'}') {
            return Ok(());
        }
        loop {
            let name = self.scanner.name()?;
            match self.member(node, name) {
                Some(child) => self.value(child, depth + 1, through_array)?,
                None => _ = self.pass(Hole { node: None, depth: depth + 1, is_inner: false })?,
            }
            if !self.scanner.another(b'}')? {
                return Ok(());
            }
        }
    }

    fn member(&mut self, node: &Node, name: Raw) -> Option<NodeId> {
        let name = text(self.record, name, self.name);
        node.members.get(name.as_bytes()).map(|child| child as NodeId)
    }

    fn array(&mut self, node: &Node, depth: usize) -> Result<(), NotJson> {
        self.scanner.open(depth)?;
        if self.scanner.take(b']') {
            return Ok(());
        }
        let mut wanted = node.elements.iter().peekable();
        for index in 0.. {
            match wanted.next_if(|(at, _)| *at == index) {
                Some((_, child)) => self.value(*child, depth + 1, true)?,
                None => _ = self.pass(Hole { node: None, depth: depth + 1, is_inner: false })?,
            }
            if !self.scanner.another(b']')? {
                break;
            }
        }
        Ok(())
    }
}
