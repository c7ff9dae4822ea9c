//! All integration tests, in one binary.

mod allocations;
mod codec;
mod model;
