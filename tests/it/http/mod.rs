//! What an operator sees: pages, metrics, and what their documentation says of them.

mod exposition;
mod pages;
mod table;
mod watch;
