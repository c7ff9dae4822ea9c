//! Models: what they score, what is said of those that do not fit, and that none of it stalls.

mod check;
mod runtime;
mod scores;
