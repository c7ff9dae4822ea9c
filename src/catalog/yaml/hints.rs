//! Frequent mistakes in YAML, and what to write instead.

use super::tree::{FILE, YamlNode, YamlValue};
use crate::catalog::diagnostics::{SourceText, Span, is_identifier};

/// The sections of a catalog that are maps of names.
const SECTIONS: [&str; 4] = ["entities", "attributes", "counters", "tags"];

/// The key and the rest of `key:value`, which is text in YAML.
pub(super) fn missing_space(text: &str) -> Option<(&str, &str)> {
    let (key, rest) = text.split_once(':')?;
    let is_stuck = rest.starts_with(|c: char| !c.is_whitespace() && !matches!(c, ':' | '/'));
    (is_identifier(key) && is_stuck).then_some((key, rest))
}

/// What to write instead of `key:value`.
pub(super) fn with_space((key, rest): (&str, &str)) -> String {
    format!("a space is missing after the colon: `{key}: {rest}`")
}

/// Whether an entry in a map of names is a section of the catalog that is indented too far.
pub(super) fn is_section(name: &str, value: Option<&YamlNode>) -> bool {
    let Some(YamlNode { value: YamlValue::Map(entries), .. }) = value else { return false };
    // A tag may be called as a section is, and have such a key.
    let is_of_tag =
        |key: &YamlNode| matches!(&key.value, YamlValue::Text(key) if matches!(key.as_str(), "manual" | "score"));
    let is_named = |(key, value): &(YamlNode, YamlNode)| matches!(value.value, YamlValue::Map(_)) && !is_of_tag(key);
    SECTIONS.contains(&name) && !entries.is_empty() && entries.iter().all(is_named)
}

/// The empty section before a key; the key was probably meant to be a name in that section.
pub(super) fn empty_section(file: &YamlNode, key: Span) -> Option<&str> {
    let YamlValue::Map(entries) = &file.value else { return None };
    let is_empty = |section: &YamlValue, value: &YamlValue| match (section, value) {
        (YamlValue::Text(name), YamlValue::Null) => SECTIONS.contains(&name.as_str()),
        _ => false,
    };
    let is_before = |(section, value): &&(YamlNode, YamlNode)| {
        section.span.start < key.start && is_empty(&section.value, &value.value)
    };
    let before = entries.iter().rfind(is_before);
    match &before?.0.value {
        YamlValue::Text(name) => Some(name),
        _ => None,
    }
}

/// The number of `1,000`, which YAML splits at the comma; `key` is the part after the comma.
pub(super) fn joined_thousands(key: Span, source: &SourceText<'_>) -> Option<String> {
    let digits = source.slice(key);
    let before = source.text[..key.start].strip_suffix(',')?;
    let number = &before[before.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1)..];
    let is_group = digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit());
    (is_group && !number.is_empty()).then(|| format!("{number}{digits}"))
}

/// What to write where a value of another type is expected.
pub(super) fn type_hint(value: &YamlValue, expected: &str, written: &str) -> Option<String> {
    if let YamlValue::Text(text) = value
        && !expected.starts_with("text")
        && let Some(stuck) = missing_space(text)
    {
        return Some(with_space(stuck));
    }
    let help = match (value, expected) {
        (YamlValue::Number(_) | YamlValue::Bool(_), text) if text.starts_with("text") => {
            format!("put it in quotes: \"{written}\"")
        }
        (YamlValue::List(_) | YamlValue::Map(_), "text: an expression") => {
            "for example `purchases_30d >= 3`; several conditions are joined by `&&` or `||`".to_owned()
        }
        (YamlValue::Text(text), number) if number.ends_with("number") && text.parse::<f64>().is_ok() => {
            format!("write it without quotes: {text}")
        }
        (YamlValue::Text(text), number) if number.ends_with("number") && text.trim_end().ends_with('%') => {
            "there are no percentages: write a number in the value's own unit, such as 10".to_owned()
        }
        (YamlValue::Text(_), number) if number.ends_with("number") => "for example 100".to_owned(),
        (_, "true or false") => "write `true` or `false`, without quotes".to_owned(),
        (YamlValue::Null, FILE) => "begin the file with `version: 1`".to_owned(),
        (_, FILE) => "write `version: 1` and below it `counters:` and `tags:`, each in column 1".to_owned(),
        (_, "a list") => "write each element after a dash, or all in brackets: `[…, …]`".to_owned(),
        (_, "a tag") => "for example `{ when: purchases_30d >= 3 }`".to_owned(),
        (_, "a counter") => "for example `{ count: purchase, window: 30d }`".to_owned(),
        (YamlValue::Text(name), "a band") => format!("for example `{{ name: {name}, below: 100 }}`"),
        (YamlValue::Text(name), "a stage") => format!("for example `{{ name: {name}, when: purchases_30d >= 3 }}`"),
        (_, "a score") => "write `model`, `inputs` and `output` below it".to_owned(),
        (_, "an entity") => "for example `{ key: /properties/account_id }`".to_owned(),
        (_, "`manual`") => "write `manual: true`, and `valid_for: 30d` beside it if it is not for ever".to_owned(),
        (_, "an attribute") => "for example `{ from: profile_updated, value: properties.plan }`".to_owned(),
        (_, map) if !map.contains("text") && !map.contains("number") => {
            "write `key: value` lines, indented below it".to_owned()
        }
        _ => return None,
    };
    Some(help)
}
