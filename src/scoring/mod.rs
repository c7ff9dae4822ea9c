//! Models: files in the ONNX format that give an entity a number, checked against the catalog and ready to be called.
//!
//! ```text
//! the catalog's `score` ─┐
//! the model's file ──────┼─▶ load: read, open, compare, probe ─▶ Scorer ─▶ score(rows) ─▶ one number per row
//! the ONNX Runtime ──────┘        │ on an error: ModelMismatch, with its place in the catalog
//! ```
//!
//! The runtime is a separate library. It is loaded only when a catalog has a model; a build does not need it. A model is
//! probed before it is used, so most errors are found when the catalog is checked. A later error (a call that fails or
//! takes too long) leaves its rows without a score and is counted; it never stops a worker.
//!
//! - `mismatch`: an error, and the part of the `score` that it is about;
//! - `signature`: the inputs and outputs of a model; `compatibility`: compares them with the catalog;
//! - `runtime_library`: finds and loads the ONNX Runtime; `session_pool`: a model opened in it;
//! - `disabled`: replaces these in a build without the feature `onnx`;
//! - `scorer`: a model that is ready to be called, with its limits and counts; `load`: all models of a catalog.

mod load;
mod mismatch;
mod scorer;

#[cfg(feature = "onnx")]
mod compatibility;
#[cfg(feature = "onnx")]
mod runtime_library;
#[cfg(feature = "onnx")]
mod session_pool;
#[cfg(feature = "onnx")]
mod signature;

#[cfg(not(feature = "onnx"))]
mod disabled;
#[cfg(not(feature = "onnx"))]
use disabled as session_pool;

pub use load::{Models, TagMismatch};
pub use mismatch::{ModelMismatch, ScorePart};
pub use scorer::{Scorer, SlowModelPolicy};
