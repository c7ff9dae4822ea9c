//! A mismatch between a model and the catalog, and the part of the `score` that it is about.

/// A mismatch between a model and the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelMismatch {
    pub part: ScorePart,
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// The part of a `score` that a mismatch is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScorePart {
    Model,
    Inputs,
    /// One of the inputs.
    Input(usize),
    Output,
}

impl ModelMismatch {
    pub fn new(part: ScorePart, message: impl Into<String>) -> Self {
        ModelMismatch { part, message: message.into(), help: None }
    }

    pub fn help(self, help: impl Into<String>) -> Self {
        ModelMismatch { help: Some(help.into()), ..self }
    }
}
