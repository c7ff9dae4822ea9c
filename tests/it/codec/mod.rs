//! Tests of the decoder and the writers.

mod changelog;
mod commands;
mod envelope;
mod fixtures;
mod generator;
mod grammar;
mod properties;
mod referee;
mod snapshot;
mod steady;
mod writers;
