//! The queue between the threads that log and the standard error: no thread waits for a line to be written.
//!
//! A standard error that nobody reads blocks each write to it, and one whose reader is gone, or whose disk is full,
//! refuses it. So a thread of its own writes the lines, and what cannot be written is dropped and counted.
//! (`tracing-appender` has such a thread; it does not count lines whose write failed.)

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Lines that wait take at most this much memory: minutes of an ordinary log, or a burst of thousands of lines.
const WAITING_BYTES_MAX: usize = 1 << 20;
/// The process ends without the lines that cannot be written by then.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// The number of log lines that could not be written.
#[derive(Clone, Debug, Default)]
pub struct DroppedLines(Arc<AtomicU64>);

impl DroppedLines {
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Lines that wait to be written, the oldest first.
#[derive(Default)]
pub(crate) struct LogQueue {
    waiting: Mutex<WaitingLines>,
    changed: Condvar,
    dropped: DroppedLines,
}

#[derive(Default)]
struct WaitingLines {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Whether a line has left the queue and is not written yet.
    writing: bool,
}

/// Passes lines to a queue: one line per `write`.
pub(crate) struct LineSender(pub(crate) Arc<LogQueue>);

/// The running log. Dropping it waits a moment for the lines that are not written yet.
#[must_use]
pub struct LogOutput(Arc<LogQueue>);

impl LogOutput {
    /// Starts the thread that writes the lines to `out`.
    pub(crate) fn start(out: impl Write + Send + 'static) -> io::Result<LogOutput> {
        let queue = Arc::new(LogQueue::default());
        let lines = Arc::clone(&queue);
        thread::Builder::new().name("log".to_owned()).spawn(move || lines.write_all_to(out))?;
        Ok(LogOutput(queue))
    }

    pub(crate) fn sender(&self) -> impl Fn() -> LineSender + Send + Sync + 'static {
        let queue = Arc::clone(&self.0);
        move || LineSender(Arc::clone(&queue))
    }

    pub fn dropped_lines(&self) -> DroppedLines {
        self.0.dropped.clone()
    }
}

impl Drop for LogOutput {
    fn drop(&mut self) {
        self.0.flush(FLUSH_TIMEOUT);
    }
}

impl Write for LineSender {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LogQueue {
    fn push(&self, line: &[u8]) {
        let mut waiting = self.waiting();
        if waiting.bytes + line.len() > WAITING_BYTES_MAX {
            self.dropped.add_one();
            return;
        }
        waiting.bytes += line.len();
        waiting.lines.push_back(line.to_owned());
        drop(waiting);
        self.changed.notify_all();
    }

    /// The queue is not locked during a write.
    fn write_all_to(&self, mut out: impl Write) {
        loop {
            let line = self.next_line();
            if out.write_all(&line).and_then(|()| out.flush()).is_err() {
                self.dropped.add_one();
            }
        }
    }

    /// Waits for a line. The one before is written.
    fn next_line(&self) -> Vec<u8> {
        let mut waiting = self.waiting();
        waiting.writing = false;
        self.changed.notify_all();
        loop {
            if let Some(line) = waiting.lines.pop_front() {
                waiting.bytes -= line.len();
                waiting.writing = true;
                return line;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn flush(&self, timeout: Duration) {
        let is_busy = |waiting: &mut WaitingLines| waiting.writing || !waiting.lines.is_empty();
        // After a time-out the rest is not written.
        drop(self.changed.wait_timeout_while(self.waiting(), timeout, is_busy));
    }

    fn waiting(&self) -> MutexGuard<'_, WaitingLines> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// A writer that blocks each write until it is told what comes of it.
    struct Blocked(mpsc::Receiver<io::Result<()>>);

    impl Write for Blocked {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.recv().expect("an outcome").map(|()| line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_cannot_be_written_are_dropped_and_counted() {
        let (outcome, outcomes) = mpsc::channel();
        let output = LogOutput::start(Blocked(outcomes)).expect("a thread");
        let mut sender = output.sender()();
        // The first is being written, or waits too.
        sender.write_all(b"first\n").expect("never an error");
        let line = vec![b'x'; WAITING_BYTES_MAX / 4];
        for _ in 0..10 {
            sender.write_all(&line).expect("never an error");
        }
        let dropped = output.dropped_lines().count();
        assert!((6..=7).contains(&dropped), "{dropped} of 10 lines that are each a quarter of what may wait");
        outcome.send(Err(io::ErrorKind::StorageFull.into())).expect("the thread runs");
        let queued = 10 - dropped;
        (0..queued).for_each(|_| outcome.send(Ok(())).expect("the thread runs"));
        output.0.flush(Duration::from_secs(60));
        assert_eq!(output.dropped_lines().count(), dropped + 1);
    }
}
