//! The page in a real browser: Debian's Chromium without a window, driven over its DevTools protocol.
//!
//! - `chromium`: the process, and the messages to and from it;
//! - `tab`: a page as a reader sees it: language, colours, width; keys, waiting, pictures, what went wrong;
//! - `axe`: what axe-core finds on a page;
//! - `harness`: that the harness itself finds what is wrong;
//! - `site`: a server with people in it, whose history goes on;
//! - `every_page`: each page in both languages and colours, wide and on a phone;
//! - `jobs`: what each page is for, done with the keyboard alone.

mod axe;
mod chromium;
mod every_page;
mod harness;
mod jobs;
mod site;
mod tab;
