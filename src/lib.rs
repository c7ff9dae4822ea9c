//! tagstream: behaviour events in, exact tag changes out.

pub mod model;
pub mod catalog;
pub mod settings;
