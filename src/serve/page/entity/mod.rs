//! A person, or another kind of entity: what is known of it, why, what comes, and what can be done.
//!
//! - `sentences`: an explanation as sentences, in both languages, from its structure;
//! - `profile`: tags, those that are off, attributes, counters, what comes next;
//! - `timeline`: its tag changes;
//! - `forms`: a manual tag is set or removed; the confirmation before an entity is erased;
//! - `commands`: what comes of these;
//! - `show`: the page, and the search;
//! - `words`: what they say.

mod words;
mod sentences;
mod timeline;
mod profile;
mod forms;
mod commands;
mod show;

pub(in crate::serve::page) use commands::{erase, set_tag};
pub(in crate::serve::page) use forms::confirm;
pub(in crate::serve::page) use show::{find, show};
pub(in crate::serve::page) use words::EntityWords;
