//! What an operator sees and does.
//!
//! - `clock_steps`: the wall clock steps while the service runs.
//! - `monitoring`: metrics and probes of a running service.
//! - `topics_create`: `tagstream topics create`.

mod clock_steps;
mod monitoring;
mod topics_create;
