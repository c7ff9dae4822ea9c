//! Random kinds of entity, and the keys of theirs that events bear.

use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::draft::{Draft, Length};
use super::features::Feature;
use super::record::{Shape, text};

/// Where an event has the key of a kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// A member of the record.
    Record,
    /// A member of the properties.
    Property,
    /// In an object in an array among the properties.
    Nested,
}

/// A kind of entity beside the user.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kind {
    pub name: &'static str,
    member: &'static str,
    place: Place,
}

const KINDS: [Kind; 3] = [
    Kind { name: "account", member: "account_id", place: Place::Property },
    Kind { name: "shop", member: "by/shop", place: Place::Record },
    Kind { name: "team", member: "teams", place: Place::Nested },
];

/// After how long an entity may be forgotten.
const FORGOTTEN: [Length; 5] =
    [("1d", 86_400_000), ("2d", 172_800_000), ("3d", 259_200_000), ("7d", 604_800_000), ("1w", 604_800_000)];

impl Kind {
    fn pointer(self, shape: Shape) -> String {
        let properties = shape.properties();
        match self.place {
            Place::Record => format!("/{}", self.member.replace('/', "~1")),
            Place::Property => format!("{properties}/{}", self.member),
            Place::Nested => format!("{properties}/{}/0/id", self.member),
        }
    }

    /// The member that bears a key, and whether it is one of the properties.
    pub fn member(self, key: String) -> (bool, (&'static str, String)) {
        match self.place {
            Place::Record => (false, (self.member, key)),
            Place::Property => (true, (self.member, key)),
            Place::Nested => (true, (self.member, format!("[{{\"id\": {key}}}]"))),
        }
    }

    /// The JSON of a key, often the one at which users like this meet, or of something that is none.
    pub fn key(self, dice: &mut Dice, user: &str) -> Option<String> {
        match dice.number(0, 19) {
            0 | 1 => None,
            2 => Some(dice.pick(&["null", "true", "1.5", "\"\"", "[]", "{}", "18446744073709551616"]).to_owned()),
            3 => Some(text(&"k".repeat(dice.pick(&[256, 257])))),
            4..=7 => Some(dice.pick(&["7", "\"7\"", "\"acme\"", "\"é\"", "\"Z\""]).to_owned()),
            _ => Some(if user.len().is_multiple_of(2) { "\"acme\"" } else { "7" }.to_owned()),
        }
    }
}

impl Draft {
    /// Draws the kinds of entity beside the user, and the catalog's `entities`, null where there is nothing to say.
    pub fn entities(&mut self, shape: Shape) -> Value {
        if self.features.has(Feature::Kinds) && !self.dice.one_in(4) {
            let mut kinds = KINDS;
            self.dice.shuffle(&mut kinds);
            self.kinds = kinds[..self.dice.number(1, 2) as usize].to_vec();
        }
        let declared = self.kinds.iter().map(|kind| (kind.name, json!({ "key": kind.pointer(shape) })));
        let mut declared: Vec<(&str, Value)> = declared.collect();
        if self.features.has(Feature::Forgetting) && self.dice.one_in(2) {
            declared.push(("user", json!({})));
            self.dice.shuffle(&mut declared);
        }
        for (name, kind) in &mut declared {
            if self.features.has(Feature::Forgetting) && (*name == "user" || self.dice.one_in(2)) {
                let (length, ms) = self.dice.pick(&FORGOTTEN);
                kind["forget_after"] = length.into();
                self.forgotten_ms.push(ms);
            }
        }
        if declared.is_empty() {
            return Value::Null;
        }
        declared.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect::<Map<String, Value>>().into()
    }
}
