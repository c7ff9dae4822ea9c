//! The page in a real browser: Debian's Chromium without a window, driven over its DevTools protocol.
//!
//! - `chromium`: the process, and the messages to and from it;
//! - `tab`: a page as a reader sees it: language, colours, width; keys, waiting, pictures, what went wrong;
//! - `axe`: what axe-core finds on a page;
//! - `harness`: that the harness itself finds what is wrong.

mod axe;
mod chromium;
mod harness;
mod tab;
