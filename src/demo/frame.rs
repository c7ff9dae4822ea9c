//! The demo's picture: pure, from what is known to lines of tinted text that fit a screen.

use std::collections::VecDeque;

use serde_json::{Map, Value};

use super::board::{Board, TagRow};
use crate::codec::ParsedChange;
use crate::model::Timestamp;

/// What a piece of text means; the terminal decides how that looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tint {
    Plain,
    Dim,
    Strong,
    Added,
    Changed,
    Removed,
}

/// A line, piece by piece.
pub type Line = Vec<(Tint, String)>;

/// How much room there is, in characters.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    pub columns: usize,
    pub rows: usize,
}

/// How far the demo has come.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub now: Timestamp,
    pub day: u32,
    pub days: u32,
    pub members: u32,
    pub events: u64,
    pub events_a_second: f64,
    /// What the demo is doing, while it does not yet show anything.
    pub state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The service joins its consumer group.
    Starting,
    Running,
    Over,
}

/// The stream of changes gets at least this many lines, the table what is left.
const STREAM_ROWS_MIN: usize = 6;
const HEAD_ROWS: usize = 4;

/// The whole picture, no larger than the room: the head, the tags, and the last of `stream`.
pub fn frame(board: &Board, stream: &VecDeque<ParsedChange>, moment: &Moment, room: Room) -> Vec<Line> {
    let mut lines = head(board, moment, room);
    let table_rows = room.rows.saturating_sub(HEAD_ROWS + 1 + STREAM_ROWS_MIN);
    lines.extend(table(board, moment, table_rows, room.columns));
    if lines.len() > HEAD_ROWS {
        lines.push(Line::new());
    }
    let stream_rows = room.rows.saturating_sub(lines.len());
    let skipped = stream.len().saturating_sub(stream_rows);
    lines.extend(stream.iter().skip(skipped).map(sentence));
    lines.truncate(room.rows);
    for line in &mut lines {
        cut(line, room.columns);
    }
    lines
}

fn head(board: &Board, moment: &Moment, room: Room) -> Vec<Line> {
    let Moment { now, day, days, members, events, events_a_second, state } = *moment;
    let title = vec![
        (Tint::Strong, "tagstream demo".to_owned()),
        (Tint::Dim, format!("  a gym with a shop, {members} members, {days} days, an embedded broker")),
    ];
    let when = match state {
        State::Starting => "the service joins its consumer group (3 s) ...".to_owned(),
        State::Running | State::Over => format!("{}  day {day} of {days}", minute(now)),
    };
    let bar = bar(f64::from(day) / f64::from(days.max(1)), room.columns.saturating_sub(60).clamp(5, 24));
    let hint = if state == State::Over { "  more: tagstream demo --help" } else { "  Ctrl-C ends it" };
    let progress = vec![(Tint::Strong, when), (Tint::Dim, format!("  {bar}{hint}"))];
    let speed = if state == State::Running { format!(" ({events_a_second:.0}/s)") } else { String::new() };
    let counts = vec![
        (Tint::Plain, format!("{events} events{speed}   {} tag changes", board.changes())),
        (Tint::Dim, format!(", {} of them because nothing happened", board.by_timer())),
    ];
    vec![title, progress, counts, Line::new()]
}

/// `filled` of 1 as a bar of a number of characters.
fn bar(filled: f64, width: usize) -> String {
    let full = (filled.clamp(0.0, 1.0) * width as f64).round() as usize;
    format!("{}{}", "█".repeat(full), "░".repeat(width - full))
}

/// A heading, a tag, and a line that says how many more there are.
const TABLE_ROWS_MIN: usize = 3;
const NAME_COLUMNS: usize = 18;

/// The tags in at most `rows` lines, headings included.
fn table(board: &Board, moment: &Moment, rows: usize, columns: usize) -> Vec<Line> {
    if rows < TABLE_ROWS_MIN {
        return Vec::new();
    }
    let heading = format!("{:NAME_COLUMNS$} {:>6} {:>8} {:>8} {:>8}", "tag", "on", "entered", "changed", "left");
    let mut lines = vec![vec![(Tint::Dim, heading)]];
    let fits = board.rows().len() < rows;
    let shown = if fits { board.rows().len() } else { rows - 2 };
    for row in &board.rows()[..shown] {
        lines.push(table_row(row, moment.members, columns));
    }
    if !fits {
        lines.push(vec![(Tint::Dim, format!("and {} more tags", board.rows().len() - shown))]);
    }
    lines
}

fn table_row(row: &TagRow, members: u32, columns: usize) -> Line {
    let TagRow { name, on, entered, changed, left, values } = row;
    let counts = format!(" {on:>6} {entered:>8} {changed:>8} {left:>8}   ");
    let now = if values.is_empty() {
        let width = columns.saturating_sub(NAME_COLUMNS + counts.len() + 1).min(24);
        bar(*on as f64 / f64::from(members.max(1)), width)
    } else {
        let counts: Vec<String> = values.iter().map(|(value, count)| format!("{value} {count}")).collect();
        counts.join(" · ")
    };
    vec![(Tint::Plain, format!("{name:NAME_COLUMNS$}")), (Tint::Strong, counts), (Tint::Dim, now)]
}

/// A change in human words: when, whose, what, and why.
pub fn sentence(change: &ParsedChange) -> Line {
    let ParsedChange { at, key, tag, previous, value, cause, because, .. } = change;
    let when = at.get(5..16).unwrap_or(at).replace('T', " ");
    let (tint, what) = match (previous, value) {
        (Value::Null, Value::Bool(true)) => (Tint::Added, format!("{tag} added")),
        (Value::Null, value) => (Tint::Added, format!("{tag} added: {}", plain(value))),
        (Value::Bool(true), Value::Null) => (Tint::Removed, format!("{tag} removed")),
        (previous, Value::Null) => (Tint::Removed, format!("{tag} removed: was {}", plain(previous))),
        (previous, value) => (Tint::Changed, format!("{tag} {} → {}", plain(previous), plain(value))),
    };
    let sign = if cause == "timer" { "◷" } else { " " };
    vec![
        (Tint::Dim, format!("{when}  ")),
        (Tint::Plain, format!("{key}  ")),
        (Tint::Dim, format!("{sign} ")),
        (tint, format!("{what:35}")),
        (Tint::Dim, format!("  {}", reasons(because))),
    ]
}

fn reasons(because: &Map<String, Value>) -> String {
    let reasons: Vec<String> = because.iter().map(|(label, value)| format!("{label} = {}", plain(value))).collect();
    reasons.join(", ")
}

/// A value without quotes and with two decimals at most.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => match text.get(..16) {
            // A time: to the minute.
            Some(minute) if text.ends_with('Z') && text.len() == 24 => minute.replace('T', " "),
            _ => text.clone(),
        },
        Value::Number(number) => match number.as_f64() {
            Some(double) if double.fract() != 0.0 => format!("{double:.2}"),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// An instant to the minute, in UTC as everything that the service writes.
fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{} UTC", text.get(..16).unwrap_or(&text).replace('T', " "))
}

/// Leaves out what does not fit.
fn cut(line: &mut Line, columns: usize) {
    let mut left = columns;
    for (_, text) in line.iter_mut() {
        if text.chars().count() > left {
            *text = text.chars().take(left).collect();
        }
        left -= text.chars().count();
    }
}
