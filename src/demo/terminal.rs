//! The terminal: draws pictures over the whole screen, and restores the screen in every case.

use std::io::{self, IsTerminal, Stdout, Write};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::queue;
use crossterm::terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, size};

use super::frame::{Line, ScreenSize, TextStyle};

/// The standard output as a screen. While it lives, the terminal's alternate screen is shown.
pub(crate) struct Terminal {
    out: Stdout,
    /// Whether styles may be colours: `NO_COLOR` is not set.
    colours: bool,
    open: bool,
}

/// The size of a terminal that does not report one: columns and rows.
const USUAL_ROOM: (u16, u16) = (80, 24);

impl Terminal {
    /// Whether the standard output is a terminal that can show pictures.
    pub(crate) fn is_there() -> bool {
        io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    pub(crate) fn open() -> io::Result<Self> {
        let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let mut terminal = Terminal { out: io::stdout(), colours, open: true };
        queue!(terminal.out, EnterAlternateScreen, Hide)?;
        terminal.out.flush()?;
        Ok(terminal)
    }

    pub(crate) fn size(&self) -> ScreenSize {
        let (columns, rows) = size().unwrap_or(USUAL_ROOM);
        ScreenSize { columns: usize::from(columns), rows: usize::from(rows) }
    }

    /// Draws over the last picture, line by line, to avoid flicker.
    pub(crate) fn draw(&mut self, lines: &[Line]) -> io::Result<()> {
        for (row, line) in lines.iter().enumerate() {
            queue!(self.out, MoveTo(0, row as u16))?;
            self.write(line)?;
            queue!(self.out, Clear(ClearType::UntilNewLine))?;
        }
        queue!(self.out, Clear(ClearType::FromCursorDown))?;
        self.out.flush()
    }

    /// Restores the screen and prints a last picture below the user's own lines.
    pub(crate) fn close(mut self, lines: &[Line]) -> io::Result<()> {
        self.give_back()?;
        for line in lines {
            self.write(line)?;
            self.out.write_all(b"\n")?;
        }
        self.out.flush()
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        for (style, text) in line {
            match self.code(*style) {
                Some(code) => write!(self.out, "\x1b[{code}m{text}\x1b[0m")?,
                None => write!(self.out, "{text}")?,
            }
        }
        Ok(())
    }

    /// The ANSI SGR code of a style; bold and dim do not count as colours.
    fn code(&self, style: TextStyle) -> Option<u8> {
        match style {
            TextStyle::Plain => None,
            TextStyle::Strong => Some(1),
            TextStyle::Dim => Some(2),
            _ if !self.colours => None,
            TextStyle::Added => Some(32),
            TextStyle::Changed => Some(33),
            TextStyle::Removed => Some(31),
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
        // The error cannot be reported any more.
        let _ = self.give_back();
    }
}
