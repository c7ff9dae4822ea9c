//! Models: files in the ONNX format that give a user a number, checked against the catalog and session to be called.
//!
//! ```text
//! the catalog's `score` ─┐
//! the model's file ──────┼─▶ load: read, open, compare, try ─▶ Scorer ─▶ score(rows) ─▶ a number a row
//! the ONNX Runtime ──────┘        │ what is wrong, and where in the catalog: ModelMismatch
//! ```
//!
//! The runtime is a library of its own, which is looked for when a catalog has a model and never otherwise: a build needs
//! none of it. A model is tried before it is used, so what can be wrong with it shows when the catalog is checked. What goes
//! wrong later (a call that fails, or one that takes too long) costs those rows their score and is counted; it never
//! stops anybody.

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
