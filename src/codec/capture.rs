//! The pass over a record: proves that it is JSON and notes what stands at the wanted places.

use super::plan::{Node, NodeId, Plan};
use super::scanner::{NotJson, Quoted, Raw, Scanner};
use super::text::unescape;

/// What stands at a wanted place.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Found {
    pub(super) raw: Raw,
    /// Whether an array had to be walked: pointers do that, property paths do not.
    pub(super) through_array: bool,
}

impl Found {
    /// What a property path finds here.
    pub(super) fn property(self) -> Raw {
        if self.through_array { Raw::Missing } else { self.raw }
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
}

impl<'a> Capture<'a> {
    pub(super) fn new(plan: &'a Plan, record: &'a str, found: &'a mut [Found], name: &'a mut String) -> Self {
        Capture { plan, record, scanner: Scanner::new(record, 0), found, name }
    }

    /// Passes over the whole record; the root's value is what tells whether it is an object.
    pub(super) fn run(mut self) -> Result<(), NotJson> {
        self.scanner.whitespace();
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
        // Of equal names the last one counts: what an earlier one had inside is gone.
        self.found[id..node.end].fill(Found::default());
        let raw = match self.scanner.peek() {
            Some(b'{') => {
                self.object(node, depth, through_array)?;
                Raw::Object
            }
            Some(b'[') if !node.elements.is_empty() => {
                let at = self.scanner.at() as u32;
                self.array(node, depth)?;
                Raw::Array(at)
            }
            _ => self.scanner.value(depth)?,
        };
        self.found[id] = Found { raw, through_array };
        Ok(())
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
                None => self.scanner.skip(depth + 1)?,
            }
            if !self.scanner.another(b'}')? {
                return Ok(());
            }
        }
    }

    fn member(&mut self, node: &Node, name: Quoted) -> Option<NodeId> {
        let written = name.place.of(self.record);
        if !name.escaped {
            return node.members.get(written.as_bytes()).map(|child| child as NodeId);
        }
        unescape(written, self.name);
        node.members.get(self.name.as_bytes()).map(|child| child as NodeId)
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
                None => self.scanner.skip(depth + 1)?,
            }
            if !self.scanner.another(b']')? {
                break;
            }
        }
        Ok(())
    }
}
