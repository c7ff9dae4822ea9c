//! The service as a user runs it, on a real Kafka.

mod broker;
mod client;
mod durable;
mod faults;
mod fixture;
mod killed;
mod large;
mod late;
mod letters;
mod proxy;
mod revoked;
mod running;
mod service;
mod settings;
mod steady;
mod topics;
