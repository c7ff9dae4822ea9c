//! The tools for authors of tags, as people and programs run them.
//!
//! - `capacity`: what an installation needs;
//! - `cases`: what people reported, with the changes that are right;
//! - `golden`: a command line a file, with all that must come of it.
//! - `examples`: the examples of `deploy/examples`.
//! - `init`: `tagstream init`.
//! - `manual`: completions, manual pages, the version.
//! - `forecast_explain`: a forecast comes true, a reason is right, over random catalogs.
//! - `terminal`: what comes from senders does nothing to a terminal.
//! - `files`: what is read and written besides plain files.
//! - `format_expr`: an expression that is written out means the same.

mod examples;
mod capacity;
mod cases;
mod files;
mod forecast_explain;
mod format_expr;
mod golden;
mod init;
mod manual;
mod terminal;
