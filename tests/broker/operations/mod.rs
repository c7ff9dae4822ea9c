//! What an operator sees and does.
//!
//! - `clock_steps`: the wall clock steps while the service runs.
//! - `demo_feed`: the demo's events in a Kafka of one's own.
//! - `kafka_connect`: the example configurations of Kafka Connect.
//! - `deploy_page`: the commands of deploy.md, from nothing to a watched service.
//! - `monitoring`: metrics and probes of a running service.
//! - `topics_create`: `tagstream topics create`.
//! - `schemas`: what a subscriber receives is as the schemas say.
//! - `subscribers`: the example subscribers.
//! - `read_side`: a server beside workers, all of which die at random.

mod clock_steps;
mod demo_feed;
mod kafka_connect;
mod deploy_page;
mod monitoring;
mod read_side;
mod read_side_history;
mod schemas;
mod subscribers;
mod topics_create;
