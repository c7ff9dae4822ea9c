//! The service as a user runs it, on a real Kafka.

mod broker;
mod client;
mod fixture;
mod service;
mod topics;
