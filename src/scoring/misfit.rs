//! What is wrong between a model and the catalog, and about which part of the `score` it is.

/// What is wrong between a model and the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    pub place: Place,
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// The part of a `score` that a misfit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Model,
    Inputs,
    /// One of the inputs.
    Input(usize),
    Output,
}

impl Misfit {
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Misfit { place, message: message.into(), help: None }
    }

    pub fn help(self, help: impl Into<String>) -> Self {
        Misfit { help: Some(help.into()), ..self }
    }
}
