//! What is legal but rarely meant.

use super::compiled::{Attribute, Counter, Tag};
use super::problems::Report;
use super::raw::RawCatalog;

/// Looks over a catalog without errors.
pub fn check(_raw: &RawCatalog, _attributes: &[Attribute], _counters: &[Counter], _tags: &[Tag], _report: &mut Report) {}
