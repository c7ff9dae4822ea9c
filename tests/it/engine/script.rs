//! Scripts as text: a catalog, events in time, and every change that must come of them.
//!
//! A script is a catalog, a line `---`, then lines: `TIME KEY TYPE [PROPERTIES]` is an event (`#id` behind the type
//! gives it an id), `! REASON` below it says that it is rejected, `until TIME` ends the script, `> AT KEY TAG CHANGE VALUE
//! CAUSE` is a change that must come, in order. KEY is a user's; of other kinds of entity it is written `account:KEY`.

use serde_json::Value;

use crate::generate::Case;

pub struct Script {
    pub case: Case,
    /// Line and reason; the first line is 1.
    pub rejects: Vec<(usize, String)>,
    /// As [`change_line`] writes them.
    pub changes: Vec<String>,
}

impl Script {
    pub fn read(text: &str) -> Self {
        let (catalog, lines) = text.split_once("---\n").expect("a script has a line ---");
        let mut case = Case { catalog: catalog.to_owned(), lines: Vec::new(), until: None };
        let (mut rejects, mut changes) = (Vec::new(), Vec::new());
        for line in lines.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            if let Some(time) = line.strip_prefix("until ") {
                case.until = Some(time.parse::<jiff::Timestamp>().expect("until is a time").as_millisecond());
            } else if let Some(reason) = line.strip_prefix("! ") {
                rejects.push((case.lines.len(), reason.to_owned()));
            } else if line.starts_with('>') {
                changes.push(line.to_owned());
            } else {
                case.lines.push(event(line));
            }
        }
        Self { case, rejects, changes }
    }
}

fn event(line: &str) -> Vec<u8> {
    let (words, properties) = line.split_once('{').map_or((line, None), |(words, rest)| (words, Some(rest)));
    let mut words = words.split_whitespace();
    let mut word = |what: &str| words.next().unwrap_or_else(|| panic!("{what} is missing: {line}")).to_owned();
    let (time, key, kind) = (word("the time"), word("the key"), word("the type"));
    let (kind, id) = kind.split_once('#').map_or((kind.as_str(), None), |(kind, id)| (kind, Some(id)));
    let mut event = serde_json::json!({ "user_id": key, "type": kind, "timestamp": time });
    if let Some(id) = id {
        event["id"] = id.into();
    }
    if let Some(properties) = properties {
        event["properties"] = serde_json::from_str(&format!("{{{properties}")).expect("properties are JSON");
    }
    event.to_string().into_bytes()
}

/// A change as a line of a script.
pub fn change_line(change: &Value) -> String {
    let text = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
    let value = &change["value"];
    let (at, tag, kind, cause) = (text("at"), text("tag"), text("change"), text("cause"));
    let key = if change["entity"] == "user" { text("key") } else { format!("{}:{}", text("entity"), text("key")) };
    // A whole double is written as the output writes it.
    let value = match value.as_f64() {
        Some(double) if value.is_f64() && double.fract() == 0.0 => format!("{double}"),
        _ => value.to_string(),
    };
    format!("> {at} {key} {tag} {kind} {value} {cause}")
}
