//! The engine against the brute-force reference, which shares no code with it, and against scripts.

pub mod agreement;
pub mod allocations;
mod coincide;
mod journal;
mod limits;
mod real_data;
mod script;
mod scripts;
mod steady;
