//! The service as a user runs it, on a real Kafka.

mod broker;
mod client;
mod durable;
mod fixture;
mod letters;
mod monitoring;
mod running;
mod service;
mod settings;
mod topics;
