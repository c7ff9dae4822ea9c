//! Declaring what a catalog holds: records with known keys, and enums of words; each reads and describes itself.

use super::names::{did_you_mean, listed};
use super::read::YamlReader;
use super::tree::{YamlNode, YamlValue};

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
macro_rules! yaml_struct {
    ($(#[$meta:meta])* $name:ident ($what:expr) {
        $($(#[$field_meta:meta])* $field:ident: $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Default, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_meta])* #[schemars(default)] pub $field: $crate::catalog::read::Field<$type>,)*
        }

        impl $crate::catalog::read::FromYaml for $name {
            fn from_yaml(
                node: &$crate::catalog::tree::YamlNode,
                reader: &mut $crate::catalog::read::YamlReader<'_>,
            ) -> Option<Self> {
                use $crate::catalog::record::plain;
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
pub(super) use yaml_struct;

/// Declares an enum of words.
macro_rules! yaml_enum {
    ($(#[$meta:meta])* $name:ident ($what:literal) { $($(#[$doc:meta])* $word:literal => $variant:ident,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, schemars::JsonSchema)]
        pub enum $name {
            $($(#[$doc])* #[schemars(rename = $word)] $variant,)*
        }

        impl $crate::catalog::read::FromYaml for $name {
            fn from_yaml(
                node: &$crate::catalog::tree::YamlNode,
                reader: &mut $crate::catalog::read::YamlReader<'_>,
            ) -> Option<Self> {
                let words = [$(($word, $name::$variant)),*];
                reader.word(node, $what, &words)
            }
        }
    };
}
pub(super) use yaml_enum;

impl YamlReader<'_> {
    /// One of a few words.
    pub fn word<T: Copy>(&mut self, node: &YamlNode, what: &str, words: &[(&str, T)]) -> Option<T> {
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
