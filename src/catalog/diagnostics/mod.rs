//! Problems of a file: collected with their places, and rendered as text or JSON.
//!
//! Knows spans and texts of files, and nothing of what a catalog is.
//!
//! - [`problems`]: a problem, its severity and span; the report that collects problems;
//! - [`source`]: lines and columns of a file's bytes;
//! - [`names`]: which texts are identifiers; suggestions for misspelt words;
//! - [`render`]: problems as text for people and as JSON for programs.

mod problems;
mod source;
mod names;
mod render;

pub use names::did_you_mean;
pub(crate) use names::{is_identifier, listed, nearest};
pub(crate) use problems::Report;
pub use problems::{Problem, Related, Severity, Span};
pub use render::{Colours, as_json, as_text};
pub(crate) use source::SourceText;
