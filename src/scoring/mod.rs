//! Models: files in the ONNX format that give a user a number, checked against the catalog and ready to be called.
//!
//! ```text
//! the catalog's `score` ─┐
//! the model's file ──────┼─▶ load: read, open, compare, try ─▶ Scorer ─▶ score(rows) ─▶ a number a row
//! the ONNX Runtime ──────┘        │ what is wrong, and where in the catalog: Misfit
//! ```
//!
//! The runtime is a library of its own, which is looked for when a catalog has a model and never otherwise: a build needs
//! none of it. A model is tried before it is used, so what can be wrong with it shows when the catalog is checked. What goes
//! wrong later (a call that fails, or one that takes too long) costs those rows their score and is counted; it never
//! stops anybody.

mod load;
mod misfit;
mod scorer;

#[cfg(feature = "onnx")]
mod fit;
#[cfg(feature = "onnx")]
mod library;
#[cfg(feature = "onnx")]
mod sessions;
#[cfg(feature = "onnx")]
mod signature;

#[cfg(not(feature = "onnx"))]
mod without;
#[cfg(not(feature = "onnx"))]
use without as sessions;

pub use load::{Models, Unfit};
pub use misfit::{Misfit, Place};
pub use scorer::{Patience, Scorer};
