//! Log lines on the standard error: text on a terminal, JSON otherwise.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::collections::HashMap;
use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing_subscriber::EnvFilter;

use super::log_queue::LogOutput;
use super::system_limit::system_limit;

/// The same failure is logged at most once in this time, with the number of lines that were left out.
const REPEAT_AFTER: Duration = Duration::from_secs(10);
/// At most this many different failures are remembered; beyond it all are forgotten, and logged again.
const REPEAT_KEYS_MAX: usize = 1_000;
const FILTER: &str = "info,rdkafka=warn";

/// Starts the log, which panics go to as well. `TAGSTREAM_LOG`, or else `RUST_LOG`, is the filter, such as
/// `info,tagstream=debug`.
///
/// # Errors
/// The filter cannot be parsed.
pub fn init() -> Result<LogOutput, String> {
    let asked = ["TAGSTREAM_LOG", "RUST_LOG"].into_iter().find_map(|name| Some((name, std::env::var(name).ok()?)));
    let filter = match asked {
        Some((name, text)) => EnvFilter::try_new(&text).map_err(|error| format!("{name}: {error}"))?,
        None => EnvFilter::new(FILTER),
    };
    let output = LogOutput::start(io::stderr()).map_err(|error| error.to_string())?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(output.sender())
        .log_internal_errors(false)
        .with_target(false);
    let started = if io::stderr().is_terminal() {
        log.try_init()
    } else {
        log.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
    started.map_err(|error| error.to_string())?;
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        let text = panic.to_string();
        match system_limit(&text) {
            Some(advice) => tracing::error!(thread, "{advice} ({text})"),
            None => tracing::error!(thread, backtrace, "this is a bug: {text}"),
        }
    }));
    Ok(output)
}

/// The level of a log line, the least severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Debug,
    Info,
    Warn,
    Error,
}

/// Writes log lines, and leaves out repeats.
#[derive(Default)]
pub struct Log {
    repeat_filter: Mutex<RepeatFilter>,
}

impl Log {
    /// Writes a line. Of lines with the same `repeat_key`, at most one is written every 10 seconds.
    pub fn write(&self, severity: Severity, repeat_key: Option<String>, line: &dyn Display) {
        let suppressed = match repeat_key {
            None => 0,
            Some(key) => {
                let mut repeat_filter = self.repeat_filter.lock().unwrap_or_else(PoisonError::into_inner);
                match repeat_filter.admit(key, Instant::now()) {
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
struct RepeatFilter {
    written: HashMap<String, LastWritten>,
}

struct LastWritten {
    at: Instant,
    suppressed: u64,
}

impl RepeatFilter {
    /// How many lines with this key were left out since the last one; `None`: this line is left out too.
    fn admit(&mut self, key: String, now: Instant) -> Option<u64> {
        if self.written.len() >= REPEAT_KEYS_MAX {
            self.written.clear();
        }
        match self.written.get_mut(&key) {
            Some(written) if now.duration_since(written.at) < REPEAT_AFTER => {
                written.suppressed += 1;
                None
            }
            Some(written) => {
                written.at = now;
                Some(std::mem::take(&mut written.suppressed))
            }
            None => {
                self.written.insert(key, LastWritten { at: now, suppressed: 0 });
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_left_out() {
        let mut repeat_filter = RepeatFilter::default();
        let start = Instant::now();
        assert_eq!(repeat_filter.admit("a".to_owned(), start), Some(0));
        assert_eq!(repeat_filter.admit("a".to_owned(), start), None);
        assert_eq!(repeat_filter.admit("b".to_owned(), start), Some(0));
        assert_eq!(repeat_filter.admit("a".to_owned(), start + REPEAT_AFTER), Some(1));
        assert_eq!(repeat_filter.admit("a".to_owned(), start + REPEAT_AFTER), None);
    }
}
