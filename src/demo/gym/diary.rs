//! A day's events, sorted by time and written as JSON lines.

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

/// A day's events in the order in which they were generated, which is not the order of time.
#[derive(Debug, Default)]
pub(crate) struct Diary {
    today: Vec<GymEvent>,
    /// How many events have been written, over all days.
    written: u64,
}

/// A property of an event. Texts contain no characters that JSON has to escape.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PropertyValue<'a> {
    Text(&'a str),
    Number(i64),
    /// Written as units: 1290 is 12.90.
    Cents(i64),
    Instant(Timestamp),
}

impl Diary {
    pub(crate) fn write(
        &mut self,
        time: Timestamp,
        key: &str,
        event_type: &str,
        properties: &[(&str, PropertyValue<'_>)],
    ) {
        self.written += 1;
        let mut line = String::new();
        let id = self.written;
        // Writing into a string cannot fail.
        let _ = write!(line, r#"{{"id":"e-{id:07}","user_id":"{key}","type":"{event_type}","timestamp":"{time}""#);
        for (index, (name, fact)) in properties.iter().enumerate() {
            line.push_str(if index == 0 { r#","properties":{"# } else { "," });
            let _ = match fact {
                PropertyValue::Text(text) => write!(line, r#""{name}":"{text}""#),
                PropertyValue::Number(number) => write!(line, r#""{name}":{number}"#),
                PropertyValue::Cents(cents) => {
                    let sign = if *cents < 0 { "-" } else { "" };
                    write!(line, r#""{name}":{sign}{}.{:02}"#, cents.abs() / 100, cents.abs() % 100)
                }
                PropertyValue::Instant(at) => write!(line, r#""{name}":"{at}""#),
            };
        }
        line.push_str(if properties.is_empty() { "}" } else { "}}" });
        self.today.push(GymEvent { time, key: key.to_owned(), line });
    }

    /// Repeats the last event, as an app does that had no answer in time.
    pub(crate) fn repeat_last(&mut self) {
        self.today.extend(self.today.last().cloned());
    }

    /// Ends the day and returns its events in the order of time.
    pub(crate) fn close(&mut self) -> impl Iterator<Item = GymEvent> + use<> {
        let mut today = std::mem::take(&mut self.today);
        today.sort_by_key(|event| event.time);
        today.into_iter()
    }
}
