//! Log lines on standard error: text on a terminal, JSON otherwise; one a step of a life cycle, none an event.

use std::collections::HashMap;
use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing_subscriber::EnvFilter;

/// The same trouble is told once in this time, with the number of times that it was left out.
const REPEAT_AFTER: Duration = Duration::from_secs(10);
/// So many different troubles are remembered; beyond it all are forgotten, and told again.
const TROUBLES_MAX: usize = 1_000;
const FILTER: &str = "info,rdkafka=warn";

/// Starts the log. `TAGSTREAM_LOG`, or else `RUST_LOG`, says what goes in, as in `info,tagstream=debug`.
///
/// # Errors
/// A filter that cannot be read, in words.
pub fn init() -> Result<(), String> {
    let asked = ["TAGSTREAM_LOG", "RUST_LOG"].into_iter().find_map(|name| Some((name, std::env::var(name).ok()?)));
    let filter = match asked {
        Some((name, text)) => EnvFilter::try_new(&text).map_err(|error| format!("{name}: {error}"))?,
        None => EnvFilter::new(FILTER),
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false);
    let started = if io::stderr().is_terminal() {
        log.try_init()
    } else {
        log.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
    started.map_err(|error| error.to_string())
}

/// How much somebody ought to care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Debug,
    Info,
    Warn,
    Error,
}

/// Writes lines, and leaves out what was told a moment ago.
#[derive(Default)]
pub struct Log {
    repeats: Mutex<Repeats>,
}

impl Log {
    /// Writes a line. Lines of one `trouble` are told once in a while only.
    pub fn write(&self, severity: Severity, trouble: Option<String>, line: &dyn Display) {
        let suppressed = match trouble {
            None => 0,
            Some(trouble) => {
                let mut repeats = self.repeats.lock().unwrap_or_else(PoisonError::into_inner);
                match repeats.pass(trouble, Instant::now()) {
                    Some(suppressed) => suppressed,
                    None => return,
                }
            }
        };
        let repeated = (suppressed > 0).then_some(suppressed);
        match severity {
            Severity::Error => tracing::error!(repeated, "{line}"),
            Severity::Warn => tracing::warn!(repeated, "{line}"),
            Severity::Info => tracing::info!(repeated, "{line}"),
            Severity::Debug => tracing::debug!(repeated, "{line}"),
        }
    }
}

#[derive(Default)]
struct Repeats {
    told: HashMap<String, Told>,
}

struct Told {
    at: Instant,
    suppressed: u64,
}

impl Repeats {
    /// How often the trouble was left out since it was last told; `None`: it is left out now.
    fn pass(&mut self, trouble: String, now: Instant) -> Option<u64> {
        if self.told.len() >= TROUBLES_MAX {
            self.told.clear();
        }
        match self.told.get_mut(&trouble) {
            Some(told) if now.duration_since(told.at) < REPEAT_AFTER => {
                told.suppressed += 1;
                None
            }
            Some(told) => {
                told.at = now;
                Some(std::mem::take(&mut told.suppressed))
            }
            None => {
                self.told.insert(trouble, Told { at: now, suppressed: 0 });
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_trouble_is_told_once_in_a_while() {
        let mut repeats = Repeats::default();
        let start = Instant::now();
        assert_eq!(repeats.pass("a".to_owned(), start), Some(0));
        assert_eq!(repeats.pass("a".to_owned(), start), None);
        assert_eq!(repeats.pass("b".to_owned(), start), Some(0));
        assert_eq!(repeats.pass("a".to_owned(), start + REPEAT_AFTER), Some(1));
        assert_eq!(repeats.pass("a".to_owned(), start + REPEAT_AFTER), None);
    }
}
