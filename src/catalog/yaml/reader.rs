//! Reads the YAML tree into values that keep their spans, and reports every mistake on the way.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::hints::{empty_section, is_section, joined_thousands, missing_space, type_hint, with_space};
use super::tree::{FILE, YamlNode, YamlValue};
use crate::catalog::diagnostics::{Report, SourceText, Span, listed, nearest};

/// The context of reading: the text, and the report that takes mistakes.
pub(crate) struct YamlReader<'a> {
    pub source: &'a SourceText<'a>,
    pub report: &'a mut Report,
}

/// A type that can be read from a YAML node.
pub(crate) trait FromYaml: Sized {
    /// Reads a node; `None` after a mistake, which has been reported.
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self>;
}

/// A value with its span.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spanned<T> {
    pub span: Span,
    pub value: T,
}

/// The value of a known key: not written, written and wrong, or written and read.
#[derive(Clone, Debug)]
pub(crate) struct Field<T> {
    key: Option<Span>,
    value: Option<Spanned<T>>,
}

impl<T> Default for Field<T> {
    fn default() -> Self {
        Field { key: None, value: None }
    }
}

impl<T> Field<T> {
    /// A value that is written without its key.
    pub(crate) fn of(value: Spanned<T>) -> Self {
        Field { key: Some(value.span), value: Some(value) }
    }

    pub(crate) fn get(&self) -> Option<&Spanned<T>> {
        self.value.as_ref()
    }

    /// Its value, if it was written and could be read.
    pub(crate) fn value(&self) -> Option<&T> {
        self.value.as_ref().map(|spanned| &spanned.value)
    }

    /// The span of the key, if it is written.
    pub(crate) fn key(&self) -> Option<Span> {
        self.key
    }

    pub(crate) fn is_written(&self) -> bool {
        self.key.is_some()
    }
}

impl<T: FromYaml> Field<T> {
    /// Reads a member's value. A misspelt key that was meant to be this field counts as written, so that it is not also
    /// reported as missing.
    pub(crate) fn take(&mut self, member: &Member<'_>, reader: &mut YamlReader<'_>) {
        match member.value {
            Some(node) => *self = Field { key: Some(member.key), value: Spanned::from_yaml(node, reader) },
            None => self.key = self.key.or(Some(member.key)),
        }
    }
}

impl<T: FromYaml> FromYaml for Spanned<T> {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        T::from_yaml(node, reader).map(|value| Spanned { span: node.span, value })
    }
}

/// A map from names that the author chose to values, in the order of the file.
#[derive(Clone, Debug)]
pub(crate) struct NameMap<T>(pub Vec<(Spanned<String>, Option<T>)>);

impl<T> Default for NameMap<T> {
    fn default() -> Self {
        NameMap(Vec::new())
    }
}

impl<T: FromYaml> FromYaml for NameMap<T> {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        if node.value == YamlValue::Null {
            return Some(NameMap::default());
        }
        let members = reader.members(node, "a map of names")?;
        Some(NameMap(
            members
                .into_iter()
                .map(|member| {
                    let name = Spanned { span: member.key, value: member.name.to_owned() };
                    let value = reader.unless_section(&member);
                    (name, value.and_then(|value| T::from_yaml(value, reader)))
                })
                .collect(),
        ))
    }
}

impl<T: FromYaml> FromYaml for Vec<Spanned<T>> {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        let YamlValue::List(items) = &node.value else {
            reader.wrong_type(node, "a list");
            return None;
        };
        let read: Vec<_> = items.iter().filter_map(|item| Spanned::from_yaml(item, reader)).collect();
        (read.len() == items.len()).then_some(read)
    }
}

impl FromYaml for String {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        match &node.value {
            YamlValue::Text(text) => Some(text.clone()),
            _ => {
                reader.wrong_type(node, "text");
                None
            }
        }
    }
}

impl FromYaml for f64 {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        match node.value {
            YamlValue::Number(number) if number.is_finite() => Some(number),
            _ => {
                reader.wrong_type(node, "a number");
                None
            }
        }
    }
}

impl FromYaml for bool {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        match node.value {
            YamlValue::Bool(flag) => Some(flag),
            _ => {
                reader.wrong_type(node, "true or false");
                None
            }
        }
    }
}

impl FromYaml for u64 {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        /// 2^53: beyond this a double does not hold every whole number.
        const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
        match node.value {
            YamlValue::Number(n) if n.fract() == 0.0 && (0.0..=WHOLE_MAX).contains(&n) => Some(n as u64),
            _ => {
                reader.wrong_type(node, "a whole number");
                None
            }
        }
    }
}

/// A member of a YAML map.
pub(crate) struct Member<'n> {
    pub key: Span,
    pub name: &'n str,
    /// `None` after a mistake that has been reported: an empty value, or a misspelt key.
    pub value: Option<&'n YamlNode>,
}

impl YamlReader<'_> {
    /// The members of a map; keys that are not text, or are given twice, are reported and left out.
    pub(crate) fn members<'n>(&mut self, node: &'n YamlNode, what: &str) -> Option<Vec<Member<'n>>> {
        let YamlValue::Map(entries) = &node.value else {
            self.wrong_type(node, what);
            return None;
        };
        let mut members: Vec<Member<'n>> = Vec::with_capacity(entries.len());
        let mut seen = std::collections::HashMap::new();
        for (key, value) in entries {
            let YamlValue::Text(name) = &key.value else {
                self.no_name(key);
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
            members.push(Member { key: key.span, name, value: Some(value) });
        }
        Some(members)
    }

    /// Reports a key that is not text.
    fn no_name(&mut self, key: &YamlNode) {
        let (message, help) = match joined_thousands(key.span, self.source) {
            Some(number) => (
                "YAML ends the value at this comma".to_owned(),
                format!("numbers have no thousands separator: {number}"),
            ),
            None => (format!("a name must be text, this is {}", key.value.described()), "put it in quotes".to_owned()),
        };
        self.report.error("wrong-type", key.span, message).help(help);
    }

    /// The value of a name, unless it is a section of the catalog that is indented too far, which is reported.
    fn unless_section<'n>(&mut self, member: &Member<'n>) -> Option<&'n YamlNode> {
        if !is_section(member.name, member.value) {
            return member.value;
        }
        let message = format!("`{}` is a section of the catalog, and stands within another", member.name);
        let help = format!("begin the line `{}:` in column 1", member.name);
        self.report.error("misplaced-section", member.key, message).help(help);
        None
    }

    /// The members of a map with known keys; unknown keys are reported.
    pub(crate) fn known_members<'n>(
        &mut self,
        node: &'n YamlNode,
        what: &str,
        known: &[&'static str],
    ) -> Option<Vec<Member<'n>>> {
        let members = self.members(node, what)?;
        let known_member = |member: Member<'n>| {
            let section = if what == FILE { empty_section(node, member.key) } else { None };
            self.known_member(member, what, known, section)
        };
        Some(members.into_iter().filter_map(known_member).collect())
    }

    /// `section`: the empty section before the member.
    fn known_member<'n>(
        &mut self,
        member: Member<'n>,
        what: &str,
        known: &[&'static str],
        section: Option<&str>,
    ) -> Option<Member<'n>> {
        let Some(name) = known.iter().find(|name| **name == member.name) else {
            let stuck = missing_space(member.name).filter(|(key, _)| known.contains(key));
            let word = stuck.map_or(member.name, |(key, _)| key);
            let meant = known.iter().find(|name| **name == word).copied();
            let meant = meant.or_else(|| nearest(word, known.iter().copied()));
            let help = match (stuck, meant, section) {
                (Some(stuck), ..) => with_space(stuck),
                (_, Some(name), _) => format!("did you mean `{name}`?"),
                (_, _, Some(section)) => {
                    format!("the names in `{section}:` are indented: begin the line with two spaces")
                }
                _ => format!("known are {}", listed(known)),
            };
            let message = format!("unknown key `{}` in {what}", member.name);
            self.report.error("unknown-key", member.key, message).help(help);
            return meant.map(|name| Member { name, value: None, ..member });
        };
        let is_empty = member.value.is_some_and(|value| value.value == YamlValue::Null);
        // A section of the file may be empty, as when all its entries are commented out.
        if !is_empty || what == FILE {
            return Some(member);
        }
        let (message, help) = self.emptiness(name, member.key);
        self.report.error("missing-value", member.key, message).help(help);
        Some(Member { value: None, ..member })
    }

    /// The message for a key without a value; in YAML a leading `!` is a tag, and not part of the value.
    fn emptiness(&self, name: &str, key: Span) -> (String, String) {
        let rest = self.source.text[key.end..].lines().next().unwrap_or("");
        let rest = rest.trim_start_matches([':', ' ']).split(" #").next().unwrap_or("").trim_end();
        if rest.starts_with('!') {
            let message = format!("`{name}` has no value: YAML reads `!…` in a way of its own");
            return (message, format!("put the expression in quotes: \"{}\"", rest.replace('"', "'")));
        }
        (format!("`{name}` has no value"), "write one, or remove the line".to_owned())
    }

    pub(crate) fn wrong_type(&mut self, node: &YamlNode, expected: &str) {
        let message = format!("expected {expected}, found {}", node.value.described());
        let help = type_hint(&node.value, expected, self.source.slice(node.span));
        self.report.error("wrong-type", node.span, message).maybe_help(help);
    }
}

impl<T: JsonSchema> JsonSchema for Spanned<T> {
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

impl<T: JsonSchema> JsonSchema for NameMap<T> {
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
