//! Who may ask what.
//!
//! - `tokens`: tokens, and the file with their hashes;
//! - `requests`: which requests are admitted;
//! - `audit`: what is recorded;
//! - `connections`: many connections at a time;
//! - `encrypted`: TLS.

mod audit;
mod connections;
mod encrypted;
mod requests;
mod tokens;

use std::path::PathBuf;

/// A file of its own, which goes when the test ends well.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str, text: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("access-{name}-{}", std::process::id()));
        std::fs::write(&path, text).expect("a file");
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}
