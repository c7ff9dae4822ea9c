//! What an operator sees and does.
//!
//! - `monitoring`: metrics and probes of a running service.
//! - `topics_create`: `tagstream topics create`.

mod monitoring;
mod topics_create;
