//! The terminal: takes pictures over the whole screen, and gives the screen back whatever happens.

use std::io::{self, IsTerminal, Stdout, Write};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::queue;
use crossterm::terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, size};

use super::frame::{Line, Room, Tint};

/// The standard output as a screen. While it lives, the user's own lines are put aside.
pub struct Terminal {
    out: Stdout,
    /// Whether tints may be colours: the user has not set `NO_COLOR`.
    colours: bool,
    open: bool,
}

/// What is assumed of a terminal that does not tell.
const USUAL_ROOM: (u16, u16) = (80, 24);

impl Terminal {
    /// Whether the standard output is a screen that pictures can be drawn on.
    pub fn is_there() -> bool {
        io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    pub fn open() -> io::Result<Self> {
        let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let mut terminal = Terminal { out: io::stdout(), colours, open: true };
        queue!(terminal.out, EnterAlternateScreen, Hide)?;
        terminal.out.flush()?;
        Ok(terminal)
    }

    pub fn room(&self) -> Room {
        let (columns, rows) = size().unwrap_or(USUAL_ROOM);
        Room { columns: usize::from(columns), rows: usize::from(rows) }
    }

    /// Draws over the last picture, line by line, so that nothing flickers.
    pub fn draw(&mut self, lines: &[Line]) -> io::Result<()> {
        for (row, line) in lines.iter().enumerate() {
            queue!(self.out, MoveTo(0, row as u16))?;
            self.write(line)?;
            queue!(self.out, Clear(ClearType::UntilNewLine))?;
        }
        queue!(self.out, Clear(ClearType::FromCursorDown))?;
        self.out.flush()
    }

    /// Gives the screen back and leaves a last picture among the user's own lines.
    pub fn close(mut self, lines: &[Line]) -> io::Result<()> {
        self.give_back()?;
        for line in lines {
            self.write(line)?;
            self.out.write_all(b"\n")?;
        }
        self.out.flush()
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        for (tint, text) in line {
            match self.code(*tint) {
                Some(code) => write!(self.out, "\x1b[{code}m{text}\x1b[0m")?,
                None => write!(self.out, "{text}")?,
            }
        }
        Ok(())
    }

    /// The number of the terminal's rendition; bold and dim are no colours.
    fn code(&self, tint: Tint) -> Option<u8> {
        match tint {
            Tint::Plain => None,
            Tint::Strong => Some(1),
            Tint::Dim => Some(2),
            _ if !self.colours => None,
            Tint::Added => Some(32),
            Tint::Changed => Some(33),
            Tint::Removed => Some(31),
        }
    }

    fn give_back(&mut self) -> io::Result<()> {
        if self.open {
            self.open = false;
            queue!(self.out, Show, LeaveAlternateScreen)?;
            self.out.flush()?;
        }
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Nobody is left to be told.
        let _ = self.give_back();
    }
}
