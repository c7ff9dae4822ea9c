//! The engine against the brute-force reference, which shares no code with it, and against stories.

pub mod agreement;
mod coincide;
mod journal;
mod limits;
mod real_data;
mod scripts;
mod steady;
