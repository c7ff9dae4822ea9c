//! Replay: drives the engine from recorded files, as `run` drives it from Kafka.
//!
//! - `line_reader`: the lines of a file, plain or compressed;
//! - `driver`: decodes lines, applies their events, and lets time pass at the end.
//!
//! The commands `replay`, `test`, `explain`, `diff` and `forecast` use it, and so do tests of the engine. Nothing here
//! prints anything or knows an option of the command line.

mod line_reader;
mod driver;

pub use driver::{Lateness, LineOutcome, Replay};
pub use line_reader::{LineBatch, LineReader, ReadError};
