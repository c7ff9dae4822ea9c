//! The commands that talk to a Kafka: the service, its topics, and the demo.

pub mod run;
pub mod topics;
pub mod demo;
