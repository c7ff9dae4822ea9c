//! The history: every tag change that the topic retains and every later one, in an embedded store.
//!
//! - `store`: the file, its tables, and what a connection is set to;
//! - `row`: a tag change as it is stored, and as it is answered;
//! - `segment`: the tables of tag changes, each of which holds a run of rows;
//! - `entities`: the numbers of entities and the newest row of each;
//! - `writer`: puts records into the store, a transaction at a time; `erasure`: removes an entity, and what is too old;
//! - `follower`: the thread that reads the topic into the store;
//! - `reader`: connections that read; `changes`, `past`, `figures`: what they answer.
//!
//! # What is where
//! Rows are appended, in the order in which they come; each knows the row before it of its entity. So a row costs no
//! search, and the last hundred changes of an entity are a hundred steps. An index by tag and time answers the rest.
//! The place in the topic is written in the transaction of the rows: a crash repeats nothing and loses nothing.
//!
//! # What is erased is gone
//! SQLite moves rows when it balances pages, and leaves copies of them in unused parts. So what identifies an entity stands
//! only in tables that are appended to and never balanced: keys in `entity`, values and reasons in the segments. It is
//! erased by writing zeros over it, in place, and a segment is dropped as a whole. What is moved (numbers, hashes with a
//! random salt, instants) tells nothing without them.

mod changes;
mod entities;
mod erasure;
mod figures;
mod follower;
mod past;
mod reader;
mod row;
mod segment;
mod store;
mod writer;

pub use changes::ChangeQuery;
pub use entities::LatestChange;
pub use erasure::Erasure;
pub use figures::{HourCount, ReasonCount, TagFigures};
pub use follower::{History, HistoryStatus};
pub use past::UndoneTag;
pub use reader::{HistoryReader, HistoryView};
pub use row::StoredChange;
pub use segment::SegmentLimits;
pub use store::{HistoryError, Place};
pub use writer::{Added, HistoryWriter};
