//! Bytes to model and back: input events in, tag changes and their companions out.
//!
//! The decoder is the hot path: one pass over a record, one byte after the other, that both proves it to be JSON and
//! picks out what the catalog looks at. It knows the catalog's input mapping and nothing of counters or tags. The
//! writers append to a buffer of the caller's. Neither allocates once its buffers have grown.

mod capture;
mod decoder;
mod names;
mod plan;
mod reader;
mod reject;
mod scanner;
mod text;
mod writer;

pub use decoder::Decoder;
pub use reader::ReadChange;
pub use reject::{Reject, write_reject};
pub use writer::{change_id, write_change, write_current_tags};
