//! Who may ask what: tokens with scopes, limits for each client, the audit log, TLS.
//!
//! - `token`: tokens, their scopes, and the file with their hashes;
//! - `rate`: how often a client may ask;
//! - `gate`: whether a request is admitted, and whose it is;
//! - `audit`: who looked at a profile or at members of an audience, and who wrote;
//! - `connections`: a limit on open connections;
//! - `tls`: encrypted connections.

mod audit;
mod connections;
mod gate;
mod rate;
mod tls;
mod token;

pub use audit::{AuditEntry, AuditLog};
pub use connections::SeatedConnection;
pub use gate::{Access, AccessError, COOKIE, Caller, Refusal, session_cookie};
pub use rate::RateLimit;
pub use tls::{MaybeTls, TlsError, TlsListener, tls_acceptor};
pub use token::{Scope, Scopes, TokenFile, TokenFileError, new_token};
