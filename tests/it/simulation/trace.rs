//! What happened, in lines: the last of them to read, all of them in one hash to compare.

use std::collections::VecDeque;
use std::fmt::Write;

/// How many lines a failure shows.
const KEPT: usize = 60;

#[derive(Debug)]
pub struct Trace {
    lines: VecDeque<String>,
    kept: usize,
    hash: u64,
}

impl Default for Trace {
    fn default() -> Self {
        let kept = std::env::var("TAGSTREAM_TRACE").ok().and_then(|lines| lines.parse().ok()).unwrap_or(KEPT);
        Trace { lines: VecDeque::new(), kept, hash: 0xcbf2_9ce4_8422_2325 }
    }
}

impl Trace {
    pub fn note(&mut self, now_us: u64, what: std::fmt::Arguments<'_>) {
        let mut line =
            if self.lines.len() < self.kept { String::new() } else { self.lines.pop_front().unwrap_or_default() };
        line.clear();
        let _ = write!(line, "{:>10.3} {what}", now_us as f64 / 1000.0);
        for byte in line.bytes() {
            // FNV-1a.
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self.lines.push_back(line);
    }

    pub fn hash(&self) -> u64 {
        self.hash
    }

    pub fn text(&self) -> String {
        self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }
}
