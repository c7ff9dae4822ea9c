//! YAML with places: parsing a file, and reading its tree into types while all mistakes are reported.
//!
//! Knows the syntax of YAML and the mistakes that people make in it, and no key of a catalog but the names of its
//! sections.
//!
//! - [`tree`]: the parsed file, each node with its span;
//! - [`hints`]: what to write instead of a frequent mistake;
//! - [`errors`]: the parser's errors in plain words;
//! - [`reader`]: the trait of what is read from a node; fields, maps of names, and the reports of what does not fit;
//! - [`declare`]: macros that declare structs and enums that read and describe themselves.

mod tree;
mod hints;
mod errors;
mod reader;
mod declare;

pub(crate) use declare::{plain, yaml_enum, yaml_struct};
pub(crate) use reader::{Field, FromYaml, Member, NameMap, Spanned, YamlReader};
pub(crate) use tree::{FILE, YamlNode, YamlValue, parse_yaml};
