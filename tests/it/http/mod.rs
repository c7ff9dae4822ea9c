//! What an operator sees: pages, metrics, and what their documentation says of them.
//!
//! - `pages`: the pages over a socket.
//! - `health`: what the probes answer.
//! - `metrics_table`: the documentation lists every metric.
//! - `watching`: the dashboard and the alerts ask for metrics that exist.
//! - `exposition`: the reader of Prometheus' format that the tests use is strict.

mod exposition;
mod health;
mod metrics_table;
mod pages;
mod watching;
