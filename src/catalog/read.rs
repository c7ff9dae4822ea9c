//! Reading the YAML tree into records that remember where everything stood, telling every mistake on the way.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::names::{did_you_mean, listed};
use super::problems::{Report, Span};
use super::source::SourceText;
use super::tree::{Node, Yaml};

/// What reading needs to hand: the text, and where mistakes go.
pub struct Reader<'a> {
    pub source: &'a SourceText<'a>,
    pub report: &'a mut Report,
}

/// Something that can stand in a catalog.
pub trait Read: Sized {
    /// `None` after a mistake, which has then been reported.
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self>;
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct At<T> {
    pub span: Span,
    pub value: T,
}

/// A member of a record: not written, written and wrong, or written and read.
#[derive(Clone, Debug)]
pub struct Field<T> {
    key: Option<Span>,
    value: Option<At<T>>,
}

impl<T> Default for Field<T> {
    fn default() -> Self {
        Field { key: None, value: None }
    }
}

impl<T> Field<T> {
    pub fn get(&self) -> Option<&At<T>> {
        self.value.as_ref()
    }

    /// Where its name stands, if it was written at all.
    pub fn key(&self) -> Option<Span> {
        self.key
    }

    pub fn is_written(&self) -> bool {
        self.key.is_some()
    }
}

impl<T: Read> Field<T> {
    pub fn read(key: Span, node: &Node, reader: &mut Reader<'_>) -> Self {
        Field { key: Some(key), value: At::read(node, reader) }
    }
}

impl<T: Read> Read for At<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(node, reader).map(|value| At { span: node.span, value })
    }
}

/// A map of the user's own names to values, in the order of the file.
#[derive(Clone, Debug)]
pub struct Named<T>(pub Vec<(At<String>, Option<T>)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named(Vec::new())
    }
}

impl<T: Read> Read for Named<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if node.value == Yaml::Null {
            return Some(Named::default());
        }
        let members = reader.members(node, "a map of names")?;
        Some(Named(
            members
                .into_iter()
                .map(|member| {
                    let name = At { span: member.key, value: member.name.to_owned() };
                    (name, T::read(member.value, reader))
                })
                .collect(),
        ))
    }
}

impl<T: Read> Read for Vec<At<T>> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Yaml::List(items) = &node.value else {
            reader.wrong_type(node, "a list");
            return None;
        };
        let read: Vec<_> = items.iter().filter_map(|item| At::read(item, reader)).collect();
        (read.len() == items.len()).then_some(read)
    }
}

impl Read for String {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Yaml::Text(text) => Some(text.clone()),
            _ => {
                reader.wrong_type(node, "text");
                None
            }
        }
    }
}

impl Read for f64 {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.value {
            Yaml::Number(number) if number.is_finite() => Some(number),
            _ => {
                reader.wrong_type(node, "a number");
                None
            }
        }
    }
}

impl Read for u64 {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        /// Beyond this a double does not hold every whole number.
        const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
        match node.value {
            Yaml::Number(n) if n.fract() == 0.0 && (0.0..=WHOLE_MAX).contains(&n) => Some(n as u64),
            _ => {
                reader.wrong_type(node, "a whole number");
                None
            }
        }
    }
}

/// A member of a YAML map.
pub struct Member<'n> {
    pub key: Span,
    pub name: &'n str,
    pub value: &'n Node,
}

impl Reader<'_> {
    /// The members of a map whose keys are text, without repeats.
    pub fn members<'n>(&mut self, node: &'n Node, what: &str) -> Option<Vec<Member<'n>>> {
        let Yaml::Map(entries) = &node.value else {
            self.wrong_type(node, what);
            return None;
        };
        let mut members: Vec<Member<'n>> = Vec::with_capacity(entries.len());
        let mut seen = std::collections::HashMap::new();
        for (key, value) in entries {
            let Yaml::Text(name) = &key.value else {
                let message = format!("a name must be text, this is {}", key.value.described());
                self.report.error("wrong-type", key.span, message).help("put it in quotes");
                continue;
            };
            if let Some(first) = seen.insert(name.as_str(), key.span) {
                seen.insert(name.as_str(), first);
                self.report
                    .error("duplicate-key", key.span, format!("`{name}` is given twice"))
                    .help("keep one of them")
                    .related(first, "first given here");
                continue;
            }
            members.push(Member { key: key.span, name, value });
        }
        Some(members)
    }

    /// The members of a record that knows its keys.
    pub fn known_members<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
        known: &[&str],
    ) -> Option<Vec<Member<'n>>> {
        let mut members = self.members(node, what)?;
        members.retain(|member| {
            let is_known = known.contains(&member.name);
            if !is_known {
                self.unknown_key(member, what, known);
            } else if member.value.value == Yaml::Null && !self.may_be_empty(what) {
                let message = format!("`{}` has no value", member.name);
                self.report.error("missing-value", member.key, message).help("write one, or remove the line");
            }
            is_known && (member.value.value != Yaml::Null || self.may_be_empty(what))
        });
        Some(members)
    }

    /// Of the file's own sections all but the name may be commented out.
    fn may_be_empty(&self, what: &str) -> bool {
        what == super::raw::FILE
    }

    fn unknown_key(&mut self, member: &Member<'_>, what: &str, known: &[&str]) {
        let message = format!("unknown key `{}` in {what}", member.name);
        let help = did_you_mean(member.name, known.iter().copied())
            .unwrap_or_else(|| format!("known are {}", listed(known)));
        self.report.error("unknown-key", member.key, message).help(help);
    }

    pub fn wrong_type(&mut self, node: &Node, expected: &str) {
        let message = format!("expected {expected}, found {}", node.value.described());
        let quotes = expected.starts_with("text")
            && matches!(node.value, Yaml::Number(_) | Yaml::Bool(_));
        let help = quotes.then(|| format!("put it in quotes: \"{}\"", self.source.slice(node.span)));
        self.report.error("wrong-type", node.span, message).maybe_help(help);
    }
}

/// A field's name as it is written: `r#type` is `type`.
pub const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', rest @ ..] => match std::str::from_utf8(rest) {
            Ok(name) => name,
            Err(_) => name,
        },
        _ => name,
    }
}

/// Declares a record: a struct of [`Field`]s that reads itself from a YAML map and describes itself to editors.
macro_rules! record {
    ($(#[$meta:meta])* $name:ident ($what:expr) {
        $($(#[$field_meta:meta])* $field:ident: $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Default, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_meta])* #[schemars(default)] pub $field: $crate::catalog::read::Field<$type>,)*
        }

        impl $crate::catalog::read::Read for $name {
            fn read(
                node: &$crate::catalog::tree::Node,
                reader: &mut $crate::catalog::read::Reader<'_>,
            ) -> Option<Self> {
                use $crate::catalog::read::{Field, plain};
                const KEYS: &[&str] = &[$(plain(stringify!($field))),*];
                let mut record = $name::default();
                for member in reader.known_members(node, $what, KEYS)? {
                    $(if member.name == const { plain(stringify!($field)) } {
                        record.$field = Field::read(member.key, member.value, reader);
                    })*
                }
                Some(record)
            }
        }
    };
}
pub(super) use record;

/// Declares an enum of words.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident ($what:literal) { $($(#[$doc:meta])* $word:literal => $variant:ident,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, schemars::JsonSchema)]
        pub enum $name {
            $($(#[$doc])* #[schemars(rename = $word)] $variant,)*
        }

        impl $crate::catalog::read::Read for $name {
            fn read(
                node: &$crate::catalog::tree::Node,
                reader: &mut $crate::catalog::read::Reader<'_>,
            ) -> Option<Self> {
                let words = [$(($word, $name::$variant)),*];
                reader.word(node, $what, &words)
            }
        }
    };
}
pub(super) use words;

impl Reader<'_> {
    /// One of a few words.
    pub fn word<T: Copy>(&mut self, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let written = self.source.slice(node.span);
        if let Yaml::Text(text) = &node.value {
            if let Some((_, value)) = words.iter().find(|(word, _)| word == text) {
                return Some(*value);
            }
            let help = did_you_mean(text, known.iter().copied());
            self.report
                .error("unknown-word", node.span, format!("unknown {what} `{written}`"))
                .help(help.unwrap_or_else(|| format!("known are {}", listed(&known))));
            return None;
        }
        self.wrong_type(node, &format!("{what}: {}", listed(&known)));
        None
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: JsonSchema> JsonSchema for Field<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Named_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let each = generator.subschema_for::<T>();
        schemars::json_schema!({ "type": ["object", "null"], "additionalProperties": each })
    }
}
