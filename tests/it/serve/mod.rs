//! The read side: the replica against the engine whose changelog it follows, and every answer against a model.
//!
//! - `history`: the store of tag changes.
//! - `erasure`: what the history keeps of those who have left.
//! - `access`: who may ask what.
//! - `world`: a replica beside the engine, and the API over it; `replica`, `audiences`, `api`: what they have to do.
//! - `warm_start`: a follower that begins with a file.
//! - `records`: the routes of the history and of commands; `past`: audiences as they were.
//! - `openapi`: all routes against their own description.
//! - `browser`: a real browser.
//! - `page`: the pages over the same router.

mod access;
mod api;
mod audiences;
mod browser;
mod erasure;
mod history;
mod openapi;
mod page;
mod past;
mod records;
mod replica;
mod warm_start;
mod world;
