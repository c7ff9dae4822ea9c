//! Tag changes as bytes: written, put into the format that subscribers want, and read back from any of them.
//!
//! Our own object has everything. Each other format is an envelope that carries it whole: a reader takes it out and loses
//! nothing, and a topic may hold several formats after its setting was changed.
//!
//! - `change_writer`: tag changes and current tags as JSON, as specified;
//! - `change_reader`: tag changes read back, from each format;
//! - `change_format`: the envelopes.

mod change_writer;
mod change_reader;
mod change_format;

pub use change_format::ChangeFormat;
#[cfg(feature = "kafka")]
pub(crate) use change_format::event_type;
pub use change_reader::{ChangeRecord, ParsedChange};
pub use change_writer::{change_id, write_change, write_current_tags};
