//! The engine against the brute-force reference, which shares no code with it.

mod agreement;
mod real_data;
