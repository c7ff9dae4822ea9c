//! What an operator sees: pages, metrics, and what their documentation says of them.

pub mod exposition;
pub mod get;
mod pages;
mod table;
mod watch;
