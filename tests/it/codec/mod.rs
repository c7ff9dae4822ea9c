//! Tests of the decoder and the writers.

mod changelog;
mod envelope;
mod fixtures;
mod generator;
mod grammar;
mod properties;
mod referee;
mod steady;
mod writers;
