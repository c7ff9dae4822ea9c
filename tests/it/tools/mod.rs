//! The tools for those who write tags, as people and programs run them.

mod examples;
mod foresight;
mod golden;
mod init;
mod written;
