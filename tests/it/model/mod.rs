//! Tests of the words that all parts share.

mod decimal;
mod number;
mod time;
