//! Subscribes to the tag changes and shows them: as a picture on a terminal, as they are on anything else.

use std::collections::VecDeque;
use std::io::{self, BufWriter, Stdout, Write};
use std::time::{Duration, Instant};

use super::board::Board;
use super::frame::{Moment, frame};
use super::terminal::Terminal;
use crate::codec::ParsedChange;
use crate::kafka::{EmbeddedError, Tail};

/// How often a terminal gets a new picture.
const PICTURE_PERIOD: Duration = Duration::from_millis(100);
/// How long the stream stands still, so that people can read it: hundreds of changes come in that time.
const GLIMPSE_PERIOD: Duration = Duration::from_secs(1);
/// How long to wait for a change before looking at something else.
const READ_WAIT: Duration = Duration::from_millis(20);
/// A picture shows how many events came within this time.
const SPEED_WINDOW: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error(transparent)]
    Broker(#[from] EmbeddedError),
    #[error("cannot write to the standard output: {0}")]
    Output(#[from] io::Error),
}

impl ViewError {
    /// Whether whoever read has had enough.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, ViewError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

enum Show {
    Picture {
        terminal: Terminal,
        drawn: Instant,
        glimpse: Glimpse,
    },
    /// One change a line.
    Lines(BufWriter<Stdout>),
}

pub struct Viewer {
    tail: Tail,
    board: Board,
    show: Show,
    speedometer: Speedometer,
}

impl Viewer {
    pub fn new(tail: Tail, board: Board) -> io::Result<Self> {
        let show = if Terminal::is_there() {
            Show::Picture { terminal: Terminal::open()?, drawn: Instant::now(), glimpse: Glimpse::default() }
        } else {
            Show::Lines(BufWriter::new(io::stdout()))
        };
        Ok(Viewer { tail, board, show, speedometer: Speedometer::default() })
    }

    /// Takes what has come, waiting a little for it, and brings the picture up to date.
    pub fn look(&mut self, moment: &Moment) -> Result<(), ViewError> {
        let began = Instant::now();
        while let Some(record) = self.tail.next(READ_WAIT)? {
            self.take(&record)?;
            if began.elapsed() > PICTURE_PERIOD {
                break;
            }
        }
        Ok(self.refresh(moment)?)
    }

    /// Takes everything that is there, when no more will come.
    pub fn finish(mut self, moment: &Moment) -> Result<(), ViewError> {
        loop {
            while let Some(record) = self.tail.next(READ_WAIT)? {
                self.take(&record)?;
            }
            if self.tail.is_at_end()? {
                break;
            }
        }
        match self.show {
            Show::Picture { terminal, .. } => {
                let mut room = terminal.room();
                // The command's own line and the prompt after it want to stay in sight.
                room.rows = room.rows.saturating_sub(2);
                terminal.close(&frame(&self.board, self.board.latest(), moment, room))?;
            }
            Show::Lines(mut out) => out.flush()?,
        }
        Ok(())
    }

    fn take(&mut self, record: &[u8]) -> io::Result<()> {
        match &mut self.show {
            Show::Picture { .. } => {
                if let Ok(change) = ParsedChange::parse(record) {
                    self.board.take(change);
                }
            }
            Show::Lines(out) => {
                out.write_all(record)?;
                out.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    fn refresh(&mut self, moment: &Moment) -> io::Result<()> {
        match &mut self.show {
            Show::Picture { terminal, drawn, glimpse } if drawn.elapsed() >= PICTURE_PERIOD => {
                *drawn = Instant::now();
                let events_a_second = self.speedometer.read(*drawn, moment.events);
                let moment = Moment { events_a_second, ..*moment };
                let stream = glimpse.of(&self.board, *drawn);
                terminal.draw(&frame(&self.board, stream, &moment, terminal.room()))
            }
            Show::Picture { .. } => Ok(()),
            Show::Lines(out) => out.flush(),
        }
    }
}

/// The latest changes as they were a moment ago.
#[derive(Default)]
struct Glimpse {
    taken: Option<Instant>,
    changes: VecDeque<ParsedChange>,
}

impl Glimpse {
    fn of(&mut self, board: &Board, now: Instant) -> &VecDeque<ParsedChange> {
        if self.taken.is_none_or(|taken| now - taken >= GLIMPSE_PERIOD) {
            self.taken = Some(now);
            self.changes.clone_from(board.latest());
        }
        &self.changes
    }
}

/// Events a second, over the last moments.
#[derive(Debug, Default)]
struct Speedometer {
    /// When, and how many there were by then; the oldest first.
    readings: VecDeque<(Instant, u64)>,
}

impl Speedometer {
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
