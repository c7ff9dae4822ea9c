//! All integration tests, in one binary.

mod codec;
mod kafka;
