//! Macros that declare the keys of a map and the words of an enum, with their readers and JSON Schemas.

use super::reader::YamlReader;
use super::tree::{YamlNode, YamlValue};
use crate::catalog::diagnostics::{did_you_mean, listed};

/// A field's name as it is written: `r#type` is `type`.
pub(crate) const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', rest @ ..] => match std::str::from_utf8(rest) {
            Ok(name) => name,
            Err(_) => name,
        },
        _ => name,
    }
}

/// Declares a struct of [`Field`](super::reader::Field)s that is read from a YAML map with known keys.
macro_rules! yaml_struct {
    ($(#[$meta:meta])* $name:ident ($what:expr) {
        $($(#[$field_meta:meta])* $field:ident: $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Default, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[$field_meta])* #[schemars(default)] pub(crate) $field: $crate::catalog::yaml::Field<$type>,)*
        }

        impl $crate::catalog::yaml::FromYaml for $name {
            fn from_yaml(
                node: &$crate::catalog::yaml::YamlNode,
                reader: &mut $crate::catalog::yaml::YamlReader<'_>,
            ) -> Option<Self> {
                use $crate::catalog::yaml::plain;
                const KEYS: &[&'static str] = &[$(plain(stringify!($field))),*];
                let mut record = $name::default();
                for member in reader.known_members(node, $what, KEYS)? {
                    $(if member.name == const { plain(stringify!($field)) } {
                        record.$field.take(&member, reader);
                    })*
                }
                Some(record)
            }
        }
    };
}
pub(crate) use yaml_struct;

/// Declares an enum that is read from one of a few words.
macro_rules! yaml_enum {
    ($(#[$meta:meta])* $name:ident ($what:literal) { $($(#[$doc:meta])* $word:literal => $variant:ident,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, schemars::JsonSchema)]
        pub(crate) enum $name {
            $($(#[$doc])* #[schemars(rename = $word)] $variant,)*
        }

        impl $crate::catalog::yaml::FromYaml for $name {
            fn from_yaml(
                node: &$crate::catalog::yaml::YamlNode,
                reader: &mut $crate::catalog::yaml::YamlReader<'_>,
            ) -> Option<Self> {
                let words = [$(($word, $name::$variant)),*];
                reader.word(node, $what, &words)
            }
        }
    };
}
pub(crate) use yaml_enum;

impl YamlReader<'_> {
    /// The value of one of a few words.
    pub(crate) fn word<T: Copy>(&mut self, node: &YamlNode, what: &str, words: &[(&str, T)]) -> Option<T> {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let written = self.source.slice(node.span);
        if let YamlValue::Text(text) = &node.value {
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
