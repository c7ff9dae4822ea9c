//! Tests of the decoder and the writers.

mod envelope;
mod fixtures;
