//! One pass over a record: checks that it is JSON and extracts the values at the wanted places.

use super::json::{FoundValue, JsonType, NotJson, RawValue, Scanner, text};
use super::plan::{Node, NodeId};
use super::shape_cache::{Hole, ScanTrace};

/// One pass over one record.
pub(super) struct Extractor<'a> {
    nodes: &'a [Node],
    record: &'a str,
    scanner: Scanner<'a>,
    /// By node.
    found: &'a mut [FoundValue],
    /// For names with escapes.
    name: &'a mut String,
    trace: &'a mut ScanTrace,
}

impl<'a> Extractor<'a> {
    pub(super) fn new(
        nodes: &'a [Node],
        record: &'a str,
        found: &'a mut [FoundValue],
        name: &'a mut String,
        trace: &'a mut ScanTrace,
    ) -> Self {
        Extractor { nodes, record, scanner: Scanner::new(record, 0), found, name, trace }
    }

    /// Passes over the whole record; the root's value says whether it is an object.
    pub(super) fn run(mut self) -> Result<(), NotJson> {
        self.scanner.whitespace();
        self.found.fill(FoundValue::default());
        self.value(0, 0, false)?;
        self.scanner.whitespace();
        if self.scanner.peek().is_some() { Err(NotJson) } else { Ok(()) }
    }

    /// Passes over the value at a position of a record that is known to be JSON; returns the position after it.
    pub(super) fn element(mut self, at: usize) -> Result<usize, NotJson> {
        self.scanner = Scanner::new(self.record, at);
        self.found.fill(FoundValue::default());
        self.value(0, 1, false)?;
        Ok(self.scanner.at())
    }

    /// Extracts the next value as that of a node, and what is wanted inside it.
    ///
    /// This recurses as deep as the tree of wanted places; all other values are skipped without recursion.
    fn value(&mut self, id: NodeId, depth: usize, through_array: bool) -> Result<(), NotJson> {
        let nodes = self.nodes;
        let node = &nodes[id];
        let through_array = through_array && !node.is_properties;
        if self.found[id].raw.json_type() != JsonType::Missing {
            // Of equal names the last one counts: the values inside the earlier one are dropped.
            self.found[id..node.end].fill(FoundValue::default());
            self.trace.is_odd = true;
        }
        let is_inner = node.end > id + 1;
        let start = self.scanner.at();
        let raw = match self.scanner.peek() {
            Some(b'{') if is_inner => {
                self.trace.walked.push(id);
                self.object(node, depth, through_array)?;
                RawValue::new(JsonType::Object, start, self.scanner.at())
            }
            Some(b'[') if !node.elements.is_empty() => {
                self.trace.is_odd = true;
                self.array(node, depth)?;
                RawValue::new(JsonType::Array, start, self.scanner.at())
            }
            _ => self.pass(Hole { node: Some(id), depth, is_inner })?,
        };
        self.found[id] = FoundValue { raw, through_array };
        Ok(())
    }

    /// Passes over a value that is not walked into.
    fn pass(&mut self, hole: Hole) -> Result<RawValue, NotJson> {
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

    fn member(&mut self, node: &Node, name: RawValue) -> Option<NodeId> {
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
