//! What happened on a day, put in order and written as event lines.

use std::fmt::Write;

use crate::model::Timestamp;

/// One event as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GymEvent {
    pub time: Timestamp,
    /// The member's key.
    pub key: String,
    /// A JSON object, without a line end.
    pub line: String,
}

/// A day's events as they come to mind, which is not the order in which they happened.
#[derive(Debug, Default)]
pub struct Diary {
    today: Vec<GymEvent>,
    /// How many events have been written, over all days.
    written: u64,
}

/// A property of an event. Texts hold nothing that JSON would have to escape.
#[derive(Clone, Copy, Debug)]
pub enum Fact<'a> {
    Text(&'a str),
    Number(i64),
    /// Written as units: 1290 is 12.90.
    Cents(i64),
    Instant(Timestamp),
}

impl Diary {
    pub fn write(&mut self, time: Timestamp, key: &str, kind: &str, facts: &[(&str, Fact<'_>)]) {
        self.written += 1;
        let mut line = String::new();
        let id = self.written;
        // Writing into a string cannot fail.
        let _ = write!(line, r#"{{"id":"e-{id:07}","user_id":"{key}","type":"{kind}","timestamp":"{time}""#);
        for (index, (name, fact)) in facts.iter().enumerate() {
            line.push_str(if index == 0 { r#","properties":{"# } else { "," });
            let _ = match fact {
                Fact::Text(text) => write!(line, r#""{name}":"{text}""#),
                Fact::Number(number) => write!(line, r#""{name}":{number}"#),
                Fact::Cents(cents) => {
                    let sign = if *cents < 0 { "-" } else { "" };
                    write!(line, r#""{name}":{sign}{}.{:02}"#, cents.abs() / 100, cents.abs() % 100)
                }
                Fact::Instant(at) => write!(line, r#""{name}":"{at}""#),
            };
        }
        line.push_str(if facts.is_empty() { "}" } else { "}}" });
        self.today.push(GymEvent { time, key: key.to_owned(), line });
    }

    /// The app had no answer in time and sends the last event again, as it was.
    pub fn stutter(&mut self) {
        self.today.extend(self.today.last().cloned());
    }

    /// The day is over: its events in the order of time.
    pub fn close(&mut self) -> impl Iterator<Item = GymEvent> + use<> {
        let mut today = std::mem::take(&mut self.today);
        today.sort_by_key(|event| event.time);
        today.into_iter()
    }
}
