//! The service as a user runs it, on a real Kafka.

mod acls;
mod broker;
mod checks;
mod client;
mod durable;
mod fixture;
mod letters;
mod membership;
mod monitoring;
mod running;
mod secured;
mod security;
mod service;
mod settings;
mod topics;
