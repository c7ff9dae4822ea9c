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
//! | `replica` | the state of all entities, followed by the changelogs | expressions, HTTP |
//! | `erasure` | erases from the history what the state no longer knows | HTTP, how either is kept |
//! | `audience` | who fulfils an expression, divided, forecast, previewed | HTTP |
//! | `access` | who may ask what: tokens, scopes, the audit log, TLS, limits | what the answers are |
//! | `approval` | asks the service to let held changes take effect | who may ask |
//! | `api` | routes, documents, problems; OpenAPI | threads, sockets |
//! | `page` | the same answers for people, as HTML | how answers are found |
//! | `server` | the thread that listens | what is asked |
//! | `process` | `tagstream serve`: signals, the feed, the server | |

pub mod history;
pub mod replica;
pub mod erasure;
pub mod audience;
pub mod access;
pub mod approval;
pub mod api;
pub mod page;
mod server;
mod process;

pub use process::{ServeContext, ServeError, Serving, run};
pub use server::{ServeServer, ServerError};
