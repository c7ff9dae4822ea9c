//! What `tagstream run` does before it works.
//!
//! - `causes`: why no broker answers, and what the system refuses.
//! - `preflight`: topics and settings that do not fit are listed, and the process exits.
//! - `unreachable_brokers`: brokers that do not answer are waited for.
//! - `secrets`: no log shows a credential.

mod causes;
mod preflight;
mod secrets;
mod unreachable_brokers;
