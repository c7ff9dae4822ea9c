//! What the commands read: catalogs with their models, settings, and events.
//!
//! - `models`: where the ONNX Runtime is, and a catalog with its models;
//! - `catalog_file`: a catalog file, read and checked;
//! - `settings_args`: the options by which a command finds its settings;
//! - `lines`: the lines of files;
//! - `event_source`: events from files or from the input topic;
//! - `replay_args`: the options that `explain`, `diff` and `forecast` share.
//!
//! Rooms before it: `output`.

pub(crate) mod models;
pub(crate) mod catalog_file;
pub(crate) mod settings_args;
pub(crate) mod lines;
pub(crate) mod event_source;
pub(crate) mod replay_args;
