//! The service as a user runs it, on a real Kafka.

mod broker;
mod client;
mod fixture;
mod running;
mod service;
mod topics;
