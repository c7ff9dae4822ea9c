//! The service as a user runs it, on a real Kafka.

mod acls;
mod broker;
mod chaos;
mod checks;
mod client;
mod cluster;
mod durable;
mod faults;
mod fixture;
mod killed;
mod large;
mod late;
mod letters;
mod membership;
mod monitoring;
mod proxy;
mod revoked;
mod running;
mod secured;
mod security;
mod service;
mod settings;
mod steady;
mod topics;
mod verify;
