//! The read side: a process that follows the changelogs and answers who has which tag, since when, why, and what comes next.
//!
//! It only reads: workers do not know of it, and there may be as many of them as one likes. What it shows was committed.
//!
//! # Map
//! A room imports only rooms above it.
//!
//! | room | holds | does not know |
//! | --- | --- | --- |
//! | `history` | every tag change, in an embedded store | the state, HTTP |
//! | `access` | who may ask what: tokens, scopes, the audit log, TLS, limits | what the answers are |

pub mod history;
pub mod access;
