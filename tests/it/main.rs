//! The one test binary: every part's tests as modules.

mod catalog;
