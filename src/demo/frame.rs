//! The demo's picture: a pure function from the tag counts to lines of styled text that fit a screen.

use std::collections::VecDeque;
use std::net::SocketAddr;

use serde_json::{Map, Value};

use super::tag_counts::{TagCount, TagCounts};
use crate::codec::ParsedChange;
use crate::model::Timestamp;

/// What a piece of text means; the terminal decides how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextStyle {
    Plain,
    Dim,
    Strong,
    Added,
    Changed,
    Removed,
}

/// A line, piece by piece.
pub type Line = Vec<(TextStyle, String)>;

/// The size of the screen, in characters.
#[derive(Clone, Copy, Debug)]
pub struct ScreenSize {
    pub columns: usize,
    pub rows: usize,
}

/// The demo's progress.
#[derive(Clone, Copy, Debug)]
pub struct DemoStatus {
    pub now: Timestamp,
    pub day: u32,
    pub days: u32,
    pub members: u32,
    pub events: u64,
    pub events_a_second: f64,
    /// Which of its phases the demo is in.
    pub phase: Phase,
    /// Where the read side has its page.
    pub page: Option<SocketAddr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The service joins its consumer group.
    Starting,
    Running,
    Over,
}

/// The stream of changes gets at least this many lines, the table what is left.
const STREAM_ROWS_MIN: usize = 6;
const HEAD_ROWS: usize = 4;

/// The whole picture, at most as large as `size`: the head, the tags, and the last of `stream`.
pub fn frame(
    tag_counts: &TagCounts,
    stream: &VecDeque<ParsedChange>,
    status: &DemoStatus,
    size: ScreenSize,
) -> Vec<Line> {
    let mut lines = head(tag_counts, status, size);
    let table_rows = size.rows.saturating_sub(HEAD_ROWS + 1 + STREAM_ROWS_MIN);
    lines.extend(table(tag_counts, status, table_rows, size.columns));
    if lines.len() > HEAD_ROWS {
        lines.push(Line::new());
    }
    let stream_rows = size.rows.saturating_sub(lines.len());
    let skipped = stream.len().saturating_sub(stream_rows);
    lines.extend(stream.iter().skip(skipped).map(sentence));
    lines.truncate(size.rows);
    for line in &mut lines {
        cut(line, size.columns);
    }
    lines
}

fn head(tag_counts: &TagCounts, status: &DemoStatus, size: ScreenSize) -> Vec<Line> {
    let DemoStatus { now, day, days, members, events, events_a_second, phase, page } = *status;
    let title = vec![
        (TextStyle::Strong, "tagstream demo".to_owned()),
        (TextStyle::Dim, format!("  a gym with a shop, {members} members, {days} days, an embedded broker")),
    ];
    let when = match phase {
        Phase::Starting => "the service joins its consumer group (3 s) ...".to_owned(),
        Phase::Running | Phase::Over => format!("{}  day {day} of {days}", minute(now)),
    };
    let bar = bar(f64::from(day) / f64::from(days.max(1)), size.columns.saturating_sub(60).clamp(5, 24));
    let hint = if phase == Phase::Over { "  more: tagstream demo --help" } else { "  Ctrl-C ends it" };
    let progress = vec![(TextStyle::Strong, when), (TextStyle::Dim, format!("  {bar}{hint}"))];
    let speed = if phase == Phase::Running { format!(" ({events_a_second:.0}/s)") } else { String::new() };
    let counts = vec![
        (TextStyle::Plain, format!("{events} events{speed}   {} tag changes", tag_counts.changes())),
        (TextStyle::Dim, format!(", {} of them because nothing happened", tag_counts.by_timer())),
    ];
    let page = page.map(|page| (TextStyle::Dim, format!("Page: http://{page}/")));
    vec![title, progress, counts, page.into_iter().collect()]
}

/// A bar of `width` characters of which the share `filled` is full.
fn bar(filled: f64, width: usize) -> String {
    let full = (filled.clamp(0.0, 1.0) * width as f64).round() as usize;
    format!("{}{}", "█".repeat(full), "░".repeat(width - full))
}

/// A heading, a tag, and a line with the number of tags that are left out.
const TABLE_ROWS_MIN: usize = 3;
const NAME_COLUMNS: usize = 18;

/// The tags in at most `rows` lines, headings included.
fn table(tag_counts: &TagCounts, status: &DemoStatus, rows: usize, columns: usize) -> Vec<Line> {
    if rows < TABLE_ROWS_MIN {
        return Vec::new();
    }
    let heading = format!("{:NAME_COLUMNS$} {:>6} {:>8} {:>8} {:>8}", "tag", "on", "entered", "changed", "left");
    let mut lines = vec![vec![(TextStyle::Dim, heading)]];
    let fits = tag_counts.rows().len() < rows;
    let shown = if fits { tag_counts.rows().len() } else { rows - 2 };
    for row in &tag_counts.rows()[..shown] {
        lines.push(table_row(row, status.members, columns));
    }
    if !fits {
        lines.push(vec![(TextStyle::Dim, format!("and {} more tags", tag_counts.rows().len() - shown))]);
    }
    lines
}

fn table_row(row: &TagCount, members: u32, columns: usize) -> Line {
    let TagCount { name, on, entered, changed, left, values } = row;
    let counts = format!(" {on:>6} {entered:>8} {changed:>8} {left:>8}   ");
    let now = if values.is_empty() {
        let width = columns.saturating_sub(NAME_COLUMNS + counts.len() + 1).min(24);
        bar(*on as f64 / f64::from(members.max(1)), width)
    } else {
        let counts: Vec<String> = values.iter().map(|(value, count)| format!("{value} {count}")).collect();
        counts.join(" · ")
    };
    vec![(TextStyle::Plain, format!("{name:NAME_COLUMNS$}")), (TextStyle::Strong, counts), (TextStyle::Dim, now)]
}

/// A change in words: when, whose, what, and why.
pub fn sentence(change: &ParsedChange) -> Line {
    let ParsedChange { at, key, tag, previous, value, cause, because, .. } = change;
    let when = at.get(5..16).unwrap_or(at).replace('T', " ");
    let (style, what) = match (previous, value) {
        (Value::Null, Value::Bool(true)) => (TextStyle::Added, format!("{tag} added")),
        (Value::Null, value) => (TextStyle::Added, format!("{tag} added: {}", plain(value))),
        (Value::Bool(true), Value::Null) => (TextStyle::Removed, format!("{tag} removed")),
        (previous, Value::Null) => (TextStyle::Removed, format!("{tag} removed: was {}", plain(previous))),
        (previous, value) => (TextStyle::Changed, format!("{tag} {} → {}", plain(previous), plain(value))),
    };
    let sign = if cause == "timer" { "◷" } else { " " };
    vec![
        (TextStyle::Dim, format!("{when}  ")),
        (TextStyle::Plain, format!("{key}  ")),
        (TextStyle::Dim, format!("{sign} ")),
        (style, format!("{what:35}")),
        (TextStyle::Dim, format!("  {}", reasons(because))),
    ]
}

fn reasons(because: &Map<String, Value>) -> String {
    let reasons: Vec<String> = because.iter().map(|(label, value)| format!("{label} = {}", plain(value))).collect();
    reasons.join(", ")
}

/// A value without quotes and with at most two decimals.
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

/// An instant to the minute, in UTC like all times that the service writes.
fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{} UTC", text.get(..16).unwrap_or(&text).replace('T', " "))
}

/// Cuts a line to a number of characters.
fn cut(line: &mut Line, columns: usize) {
    let mut left = columns;
    for (_, text) in line.iter_mut() {
        if text.chars().count() > left {
            *text = text.chars().take(left).collect();
        }
        left -= text.chars().count();
    }
}
