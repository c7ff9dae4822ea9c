//! The service as a user runs it, on a real Kafka.

mod broker;
mod chaos;
mod client;
mod cluster;
mod durable;
mod fixture;
mod letters;
mod running;
mod service;
mod settings;
mod topics;
mod verify;
