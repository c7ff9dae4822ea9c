//! Progress bars on a terminal; nothing is drawn where the standard error is not one.

use indicatif::{ProgressBar, ProgressStyle};

/// The number of lines between two updates of a bar.
const LINES_PER_UPDATE: u64 = 4_096;

/// A progress bar over bytes or offsets, with the number of events beside it.
pub(crate) struct Progress {
    bar: ProgressBar,
    events: u64,
}

impl Progress {
    pub(crate) fn of_bytes(total: u64) -> Self {
        Progress::new(total, "{bar:30} {bytes}/{total_bytes}  {bytes_per_sec}  {msg}  {eta} left")
    }

    pub(crate) fn of_offsets(total: u64) -> Self {
        Progress::new(total, "{bar:30} {human_pos}/{human_len} offsets  {per_sec}  {msg}  {eta} left")
    }

    fn new(total: u64, template: &str) -> Self {
        let bar = ProgressBar::new(total);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Progress { bar, events: 0 }
    }

    /// Counts events; `position` is how far the input has been read by now.
    pub(crate) fn count(&mut self, events: usize, position: impl FnOnce() -> u64) {
        let updates = self.events / LINES_PER_UPDATE;
        self.events += events as u64;
        if self.events / LINES_PER_UPDATE > updates {
            self.bar.set_position(position());
            self.bar.set_message(format!("{} events", self.events));
        }
    }

    /// The number of events so far.
    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
