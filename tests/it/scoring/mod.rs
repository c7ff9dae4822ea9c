//! Models: what they score, what is said of those that do not fit, and that none of it stalls.

mod adopted;
mod check;
mod oracle;
mod runtime;
mod scores;
mod stands;

pub use runtime::library;
