//! The wanted places of a record: the envelope's pointers and the catalog's property paths, merged into one tree.

use super::json::DEPTH_MAX;
use super::name_table::NameTable;
use crate::catalog::{Catalog, EventTypeRule, FieldRule, Pointer, PropertiesRule, RecordPlace};
use std::collections::BTreeMap;

/// The length up to which a path is used: no record is nested deep enough for a longer one.
const PATH_LEN_MAX: usize = DEPTH_MAX + 1;

/// Index into [`DecodePlan::nodes`].
pub(super) type NodeId = usize;

/// A place of a record that is wanted, or that leads to one.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The next nodes in an object, by name.
    pub(super) members: NameTable,
    /// The next nodes in an array: index and node, in the order of the index.
    pub(super) elements: Vec<(usize, NodeId)>,
    /// One past the last node below this one: the tree is numbered in pre-order, so a node and everything below it are
    /// one range.
    pub(super) end: NodeId,
    /// Whether the property paths begin here. From here on, only objects are walked.
    pub(super) is_properties: bool,
}

/// A place where a field of an event may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum FieldPlace {
    Value(NodeId),
    RecordKey,
    RecordTimestamp,
    /// Index into [`DecodePlan::headers`].
    RecordHeader(usize),
}

/// Where the type of an event is.
#[derive(Clone, Debug)]
pub(super) enum TypePlace {
    At(Vec<FieldPlace>),
    /// At `event` where `call` is "track", at `call` itself otherwise.
    Segment {
        call: NodeId,
        event: NodeId,
    },
    /// Of `table` and `op`; at `flat` where there is no `op`.
    Debezium {
        op: NodeId,
        table: NodeId,
        flat: Vec<FieldPlace>,
    },
}

/// The nodes below one object of properties.
#[derive(Clone, Debug)]
pub(super) struct PropertyNodes {
    /// One for each of the catalog's paths.
    pub(super) paths: Vec<NodeId>,
    /// One for each of the arrays whose elements the catalog looks at.
    pub(super) arrays: Vec<NodeId>,
}

/// Where the properties are.
#[derive(Clone, Debug)]
pub(super) enum PropertyPlaces {
    At(PropertyNodes),
    /// In `traits` where `call` is "identify", in `properties` otherwise.
    Segment {
        call: NodeId,
        properties: PropertyNodes,
        traits: PropertyNodes,
    },
    /// In `after`, or in `before` where that is not an object; in `properties` where there is no `op`.
    Debezium {
        op: NodeId,
        row: NodeId,
        after: PropertyNodes,
        before: PropertyNodes,
        properties: PropertyNodes,
    },
}

/// The wanted places of an element of an array.
#[derive(Clone, Debug)]
pub(super) struct ItemPlan {
    /// The element itself first.
    pub(super) nodes: Vec<Node>,
    /// One for each of the catalog's paths below `item`.
    pub(super) paths: Vec<NodeId>,
}

#[derive(Clone, Debug)]
pub(super) struct DecodePlan {
    /// The root first.
    pub(super) nodes: Vec<Node>,
    /// Of each field, the first that is not missing is used.
    pub(super) keys: Vec<FieldPlace>,
    /// By kind of entity, the node of its key; `None` for the user, whose key is in `keys`.
    pub(super) entities: Vec<Option<NodeId>>,
    pub(super) event_type: TypePlace,
    pub(super) time: Vec<FieldPlace>,
    pub(super) id: Vec<FieldPlace>,
    /// The names of the headers that are read.
    pub(super) headers: Vec<Box<str>>,
    pub(super) properties: PropertyPlaces,
    pub(super) items: ItemPlan,
}

/// A node while the tree grows, before it is numbered.
#[derive(Default)]
struct Draft {
    children: BTreeMap<Box<str>, Draft>,
    is_properties: bool,
}

impl Draft {
    /// The node of a path; created if it does not exist.
    fn grow<'a>(&mut self, path: impl IntoIterator<Item = &'a Box<str>>) -> &mut Draft {
        let mut draft = self;
        for token in path.into_iter().take(PATH_LEN_MAX) {
            draft = draft.children.entry(token.clone()).or_default();
        }
        draft
    }

    /// Numbers this node and all below it, in pre-order.
    fn number(&self, nodes: &mut Vec<Node>) -> NodeId {
        let id = nodes.len();
        nodes.push(Node {
            members: NameTable::new([]),
            elements: Vec::new(),
            end: 0,
            is_properties: self.is_properties,
        });
        let children: Vec<(&Box<str>, NodeId)> =
            self.children.iter().map(|(name, child)| (name, child.number(nodes))).collect();
        let mut elements: Vec<(usize, NodeId)> =
            children.iter().filter_map(|(name, child)| Some((array_index(name)?, *child))).collect();
        elements.sort_unstable();
        let end = nodes.len();
        let node = &mut nodes[id];
        node.members = NameTable::new(children.into_iter().map(|(name, child)| (name.clone(), child as u32)));
        node.elements = elements;
        node.end = end;
        id
    }
}

/// The array index of a JSON Pointer's token (RFC 6901: no leading zeros).
fn array_index(token: &str) -> Option<usize> {
    let plain = token.bytes().all(|b| b.is_ascii_digit()) && (token == "0" || !token.starts_with('0'));
    if plain { token.parse().ok() } else { None }
}

impl DecodePlan {
    pub(super) fn new(catalog: &Catalog) -> Self {
        let input = &catalog.input;
        let mut root = Draft::default();
        for pointer in envelope_pointers(catalog) {
            root.grow(&pointer.0);
        }
        for base in properties_pointers(&input.properties) {
            root.grow(&base.0).is_properties = true;
            for path in catalog.paths.iter().chain(&catalog.arrays) {
                root.grow(base.0.iter().chain(path));
            }
        }
        let mut nodes = Vec::new();
        root.number(&mut nodes);
        let at = |pointer: &Pointer| find(&nodes, &pointer.0);
        let all_below = |base: &Pointer, paths: &[Vec<Box<str>>]| -> Vec<NodeId> {
            paths.iter().map(|path| find(&nodes, base.0.iter().chain(path))).collect()
        };
        let below = |base: &Pointer| PropertyNodes {
            paths: all_below(base, &catalog.paths),
            arrays: all_below(base, &catalog.arrays),
        };
        let mut headers: Vec<Box<str>> = input.headers().map(Into::into).collect();
        headers.sort_unstable();
        headers.dedup();
        let field = |FieldRule(places): &FieldRule| -> Vec<FieldPlace> {
            let place = |place: &RecordPlace| match place {
                RecordPlace::Header(name) => FieldPlace::RecordHeader(headers.partition_point(|known| known < name)),
                RecordPlace::Value(pointer) => FieldPlace::Value(at(pointer)),
                RecordPlace::Key => FieldPlace::RecordKey,
                RecordPlace::Timestamp => FieldPlace::RecordTimestamp,
            };
            places.iter().map(place).collect()
        };
        DecodePlan {
            keys: field(&input.key),
            entities: catalog.entities.iter().map(|kind| kind.key.as_ref().map(at)).collect(),
            event_type: match &input.event_type {
                EventTypeRule::At(rule) => TypePlace::At(field(rule)),
                EventTypeRule::Segment => TypePlace::Segment { call: at(&member("type")), event: at(&member("event")) },
                EventTypeRule::Debezium => TypePlace::Debezium {
                    op: at(&member("op")),
                    table: at(&table()),
                    flat: vec![FieldPlace::Value(at(&member("type")))],
                },
            },
            time: field(&input.time),
            id: field(&input.id),
            properties: match &input.properties {
                PropertiesRule::At(pointer) => PropertyPlaces::At(below(pointer)),
                PropertiesRule::Segment => PropertyPlaces::Segment {
                    call: at(&member("type")),
                    properties: below(&member("properties")),
                    traits: below(&member("traits")),
                },
                PropertiesRule::Debezium => PropertyPlaces::Debezium {
                    op: at(&member("op")),
                    row: at(&member("after")),
                    after: below(&member("after")),
                    before: below(&member("before")),
                    properties: below(&member("properties")),
                },
            },
            items: ItemPlan::new(catalog),
            headers,
            nodes,
        }
    }
}

impl ItemPlan {
    fn new(catalog: &Catalog) -> Self {
        let mut root = Draft { is_properties: true, ..Draft::default() };
        for path in &catalog.item_paths {
            root.grow(path);
        }
        let mut nodes = Vec::new();
        root.number(&mut nodes);
        let paths = catalog.item_paths.iter().map(|path| find(&nodes, path)).collect();
        ItemPlan { nodes, paths }
    }
}

fn member(name: &str) -> Pointer {
    Pointer(vec![name.into()])
}

fn table() -> Pointer {
    Pointer(vec!["source".into(), "table".into()])
}

fn envelope_pointers(catalog: &Catalog) -> Vec<Pointer> {
    let input = &catalog.input;
    let fields = [&input.key, &input.time, &input.id];
    let mut pointers: Vec<Pointer> = fields.into_iter().flat_map(FieldRule::pointers).cloned().collect();
    pointers.extend(catalog.entities.iter().filter_map(|kind| kind.key.clone()));
    match &input.event_type {
        EventTypeRule::At(rule) => pointers.extend(rule.pointers().cloned()),
        EventTypeRule::Segment => pointers.extend([member("type"), member("event")]),
        EventTypeRule::Debezium => pointers.extend([member("type"), member("op"), table()]),
    }
    match &input.properties {
        PropertiesRule::At(_) => {}
        PropertiesRule::Segment => pointers.push(member("type")),
        PropertiesRule::Debezium => pointers.push(member("op")),
    }
    pointers
}

fn properties_pointers(rule: &PropertiesRule) -> Vec<Pointer> {
    match rule {
        PropertiesRule::At(pointer) => vec![pointer.clone()],
        PropertiesRule::Segment => vec![member("properties"), member("traits")],
        PropertiesRule::Debezium => vec![member("after"), member("before"), member("properties")],
    }
}

/// The node of a path, which must be in the tree.
fn find<'a>(nodes: &[Node], path: impl IntoIterator<Item = &'a Box<str>>) -> NodeId {
    let mut node = 0;
    for token in path.into_iter().take(PATH_LEN_MAX) {
        let child = nodes[node].members.get(token.as_bytes());
        node = child.expect("a wanted place is in the tree") as NodeId;
    }
    node
}
