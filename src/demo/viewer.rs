//! Subscribes to the tag changes and shows them: as a picture on a terminal, as JSON lines otherwise.

use std::collections::VecDeque;
use std::io::{self, BufWriter, Stdout, Write};
use std::time::{Duration, Instant};

use super::frame::{DemoStatus, frame};
use super::tag_counts::TagCounts;
use super::terminal::Terminal;
use crate::codec::ParsedChange;
use crate::kafka::{EmbeddedError, Tail};

/// The time between two pictures on a terminal.
const PICTURE_PERIOD: Duration = Duration::from_millis(100);
/// How long the list of changes stays as it is, so that people can read it: hundreds of changes come in that time.
const STREAM_PERIOD: Duration = Duration::from_secs(1);
/// The longest wait for a change.
const READ_WAIT: Duration = Duration::from_millis(20);
/// The event rate that a picture shows is the mean over this time.
const SPEED_WINDOW: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error(transparent)]
    Broker(#[from] EmbeddedError),
    #[error("cannot write to the standard output: {0}")]
    Output(#[from] io::Error),
}

impl ViewError {
    /// Whether the reader of the standard output has closed it.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, ViewError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

enum View {
    Picture {
        terminal: Terminal,
        drawn: Instant,
        stream: HeldStream,
    },
    /// One change a line.
    Lines(BufWriter<Stdout>),
}

pub(crate) struct Viewer {
    tail: Tail,
    tag_counts: TagCounts,
    show: View,
    rate_meter: RateMeter,
}

impl Viewer {
    pub(crate) fn new(tail: Tail, tag_counts: TagCounts) -> io::Result<Self> {
        let show = if Terminal::is_there() {
            View::Picture { terminal: Terminal::open()?, drawn: Instant::now(), stream: HeldStream::default() }
        } else {
            View::Lines(BufWriter::new(io::stdout()))
        };
        Ok(Viewer { tail, tag_counts, show, rate_meter: RateMeter::default() })
    }

    /// Takes the changes that are there, waits a little for more, and updates the picture.
    pub(crate) fn look(&mut self, status: &DemoStatus) -> Result<(), ViewError> {
        let began = Instant::now();
        while let Some(record) = self.tail.next(READ_WAIT)? {
            self.take(&record)?;
            if began.elapsed() > PICTURE_PERIOD {
                break;
            }
        }
        Ok(self.refresh(status)?)
    }

    /// Takes all remaining changes, when the service has ended, and draws the last picture.
    pub(crate) fn finish(mut self, status: &DemoStatus) -> Result<(), ViewError> {
        loop {
            while let Some(record) = self.tail.next(READ_WAIT)? {
                self.take(&record)?;
            }
            if self.tail.is_at_end()? {
                break;
            }
        }
        match self.show {
            View::Picture { terminal, .. } => {
                let mut size = terminal.size();
                // The command's own line and the prompt after it stay visible.
                size.rows = size.rows.saturating_sub(2);
                terminal.close(&frame(&self.tag_counts, self.tag_counts.latest(), status, size))?;
            }
            View::Lines(mut out) => out.flush()?,
        }
        Ok(())
    }

    fn take(&mut self, record: &[u8]) -> io::Result<()> {
        match &mut self.show {
            View::Picture { .. } => {
                if let Ok(change) = ParsedChange::parse(record) {
                    self.tag_counts.take(change);
                }
            }
            View::Lines(out) => {
                out.write_all(record)?;
                out.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    fn refresh(&mut self, status: &DemoStatus) -> io::Result<()> {
        match &mut self.show {
            View::Picture { terminal, drawn, stream } if drawn.elapsed() >= PICTURE_PERIOD => {
                *drawn = Instant::now();
                let events_a_second = self.rate_meter.read(*drawn, status.events);
                let status = DemoStatus { events_a_second, ..*status };
                let stream = stream.of(&self.tag_counts, *drawn);
                terminal.draw(&frame(&self.tag_counts, stream, &status, terminal.size()))
            }
            View::Picture { .. } => Ok(()),
            View::Lines(out) => out.flush(),
        }
    }
}

/// A copy of the latest changes that is renewed once a [`STREAM_PERIOD`].
#[derive(Default)]
struct HeldStream {
    taken: Option<Instant>,
    changes: VecDeque<ParsedChange>,
}

impl HeldStream {
    fn of(&mut self, tag_counts: &TagCounts, now: Instant) -> &VecDeque<ParsedChange> {
        if self.taken.is_none_or(|taken| now - taken >= STREAM_PERIOD) {
            self.taken = Some(now);
            self.changes.clone_from(tag_counts.latest());
        }
        &self.changes
    }
}

/// Events per second, over the last [`SPEED_WINDOW`].
#[derive(Debug, Default)]
struct RateMeter {
    /// Instants, and the number of events up to each; the oldest first.
    readings: VecDeque<(Instant, u64)>,
}

impl RateMeter {
    fn read(&mut self, now: Instant, events: u64) -> f64 {
        self.readings.push_back((now, events));
        while self.readings.len() > 2 && self.readings.front().is_some_and(|(at, _)| now - *at > SPEED_WINDOW) {
            self.readings.pop_front();
        }
        let (since, before) = self.readings[0];
        let seconds = (now - since).as_secs_f64();
        if seconds > 0.0 { (events - before) as f64 / seconds } else { 0.0 }
    }
}
