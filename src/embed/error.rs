//! What an embedded engine refuses: a catalog with errors, and a record that is not an event.

use crate::catalog::{Colours, Problem, as_text};
use crate::codec::Reject;

/// A catalog that has errors: all of them, with their places.
#[derive(Clone, Debug)]
pub struct CatalogError {
    /// Errors and warnings, in the order of the text.
    pub problems: Vec<Problem>,
    report: String,
}

impl CatalogError {
    pub(super) fn new(text: &str, problems: Vec<Problem>) -> Self {
        let report = as_text("catalog.yaml", text, &problems, Colours::Off);
        CatalogError { problems, report }
    }
}

/// Each problem with its line, the place underlined, and what to write instead: several lines of text.
impl std::fmt::Display for CatalogError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.report.trim_end())
    }
}

impl std::error::Error for CatalogError {}

/// A record that is not an event. The engine is as it was before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}", reason.code(), detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default())]
pub struct RejectedEvent {
    /// The first reason that applies; [`Reject::code`] is the reason code of the dead-letter topic.
    pub reason: Reject,
    /// What is wrong in words, where the reason does not say all of it.
    pub detail: Option<String>,
}
