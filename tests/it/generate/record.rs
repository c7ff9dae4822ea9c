//! Records as text: where the catalog's input looks for each field, and members in any order.

use serde_json::{Value, json};

use super::dice::Dice;
use super::draft::Draft;
use super::features::Feature;

/// The shapes that an input's records may have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    Flat,
    FlatSeconds,
    Segment,
    /// Segment with one pointer of its own.
    SegmentWithOwn,
    Pointers,
    /// Each field in one of several places.
    Lists,
    FlatMicroseconds,
    FlatNanoseconds,
}

/// The JSON text of each field; a missing one is left out.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    pub key: Option<String>,
    pub kind: Option<String>,
    pub time: Option<String>,
    pub id: Option<String>,
    pub properties: Option<String>,
    /// Members of the record that are not part of an event's envelope.
    pub others: Vec<(&'static str, String)>,
}

/// A JSON object under construction.
enum Node {
    Leaf(String),
    Object(Vec<(String, Node)>),
}

impl Shape {
    pub fn draw(draft: &mut Draft) -> Self {
        use Shape::{Flat, FlatMicroseconds, FlatNanoseconds, FlatSeconds, Lists, Pointers, Segment, SegmentWithOwn};
        let mut shapes = vec![Flat, Flat, Flat, FlatSeconds, Segment, SegmentWithOwn, Pointers];
        if draft.features.has(Feature::Pointers) {
            shapes.extend([Lists; 4]);
        }
        if draft.features.has(Feature::TimeForms) {
            shapes.extend([FlatMicroseconds, FlatNanoseconds]);
        }
        draft.dice.pick(&shapes)
    }

    /// The catalog's `input`, or null.
    pub fn input(self) -> Value {
        match self {
            Self::Flat => Value::Null,
            Self::FlatSeconds => json!({ "preset": "flat", "time_unit": "s" }),
            Self::FlatMicroseconds => json!({ "time_unit": "us" }),
            Self::FlatNanoseconds => json!({ "time_unit": "ns" }),
            Self::Lists => json!({
                "key": ["/uid", "/user_id", "$key"],
                "type": ["/kind", "/type"],
                "time": ["$record", "/at", "/timestamp"],
                "id": ["/message", "/id"],
            }),
            Self::Segment => json!({ "preset": "segment" }),
            Self::SegmentWithOwn => json!({ "preset": "segment", "properties": "/context", "time": "/sentAt" }),
            Self::Pointers => {
                json!({ "key": "/who/~1id", "type": "/what~0kind", "time": "/meta/1", "id": "/who/message", "properties": "/d" })
            }
        }
    }

    /// Where most records have their properties.
    pub fn properties(self) -> &'static str {
        match self {
            Self::SegmentWithOwn => "/context",
            Self::Pointers => "/d",
            _ => "/properties",
        }
    }

    /// An instant as a number, with something finer than a millisecond where the unit is.
    pub fn write_number(self, dice: &mut Dice, ms: i64) -> String {
        match self {
            Self::FlatSeconds => ms.div_euclid(1000).to_string(),
            Self::FlatMicroseconds => (ms * 1000 + dice.pick(&[0, 1, 999])).to_string(),
            Self::FlatNanoseconds => (ms * 1_000_000 + dice.pick(&[0, 1, 999_999])).to_string(),
            _ => ms.to_string(),
        }
    }

    /// The record's text.
    pub fn write(self, fields: &Fields, dice: &mut Dice) -> String {
        let mut members: Vec<(String, Node)> = Vec::new();
        let mut put = |name: &str, text: &Option<String>| {
            members.extend(text.clone().map(|text| (name.to_owned(), Node::Leaf(text))));
        };
        match self {
            Self::Lists => {
                // A null is as if missing; what comes later is not looked at.
                let mut put_one = |first: &str, second: &str, field: &Option<String>| match dice.number(0, 4) {
                    0 | 1 => put(first, field),
                    2 | 3 => put(second, field),
                    _ => {
                        put(first, &Some("null".to_owned()));
                        put(second, field);
                    }
                };
                put_one("uid", "user_id", &fields.key);
                put_one("kind", "type", &fields.kind);
                put_one("at", "timestamp", &fields.time);
                put_one("message", "id", &fields.id);
                put("properties", &fields.properties);
            }
            Self::Flat | Self::FlatSeconds | Self::FlatMicroseconds | Self::FlatNanoseconds => {
                put("user_id", &fields.key);
                put("type", &fields.kind);
                put("timestamp", &fields.time);
                put("id", &fields.id);
                put("properties", &fields.properties);
            }
            Self::Segment | Self::SegmentWithOwn => {
                let own_call = matches!(fields.kind.as_deref(), Some("\"page\"" | "\"identify\""));
                put(if dice.one_in(3) { "anonymousId" } else { "userId" }, &fields.key);
                put("type", &if own_call { fields.kind.clone() } else { Some("\"track\"".to_owned()) });
                put(
                    "event",
                    &if own_call { dice.one_in(2).then(|| "\"ignored\"".to_owned()) } else { fields.kind.clone() },
                );
                put(if self == Self::Segment { "timestamp" } else { "sentAt" }, &fields.time);
                put("messageId", &fields.id);
                let traits = fields.kind.as_deref() == Some("\"identify\"");
                let name = if self == Self::SegmentWithOwn {
                    "context"
                } else if traits {
                    "traits"
                } else {
                    "properties"
                };
                put(name, &fields.properties);
            }
            Self::Pointers => {
                let leaf =
                    |name: &str, text: &Option<String>| text.clone().map(|text| (name.to_owned(), Node::Leaf(text)));
                let who = leaf("/id", &fields.key).into_iter().chain(leaf("message", &fields.id)).collect();
                members.push(("who".to_owned(), Node::Object(who)));
                let time = fields.time.as_ref().map(|time| format!("[0, {time}]"));
                members.extend(leaf("what~kind", &fields.kind).into_iter().chain(leaf("meta", &time)));
                members.extend(leaf("d", &fields.properties));
            }
        }
        members.extend(fields.others.iter().map(|(name, own)| ((*name).to_owned(), Node::Leaf(own.clone()))));
        if dice.one_in(20) {
            members.push((
                "unused".to_owned(),
                Node::Leaf("[{\"a\": 1e400}, null, \"\\u0000\\ud83d\\ude00\"]".to_owned()),
            ));
        }
        dice.shuffle(&mut members);
        if dice.one_in(40) {
            // Of equal names the last one counts.
            members.insert(0, ("timestamp".to_owned(), Node::Leaf("\"never\"".to_owned())));
            members.insert(0, ("user_id".to_owned(), Node::Leaf("5".to_owned())));
        }
        let blank = if dice.one_in(5) { " " } else { "" };
        Node::Object(members).text(blank)
    }
}

impl Node {
    fn text(&self, blank: &str) -> String {
        match self {
            Self::Leaf(text) => text.clone(),
            Self::Object(members) => {
                let members = members.iter().map(|(name, node)| format!("{}:{blank}{}", text(name), node.text(blank)));
                format!("{{{blank}{}{blank}}}", members.collect::<Vec<_>>().join(&format!(",{blank}")))
            }
        }
    }
}

/// The JSON of a text.
pub fn text(text: &str) -> String {
    Value::from(text).to_string()
}
