//! Random commands: `$erase`, and `$tag` as it should be or wrong in one of many ways.

use super::draft::{Draft, TEXTS, VERDICTS};
use super::record::text;

/// A member of the properties.
pub type Member = (&'static str, String);

impl Draft {
    /// The properties of a `$tag`.
    pub fn tag_command(&mut self) -> Vec<Member> {
        let name = match self.manual.len() {
            0 => "t0".to_owned(),
            _ => self.dice.pick(&self.manual),
        };
        let set = !self.dice.one_in(3);
        let mut members = vec![("tag", text(&name)), ("set", set.to_string())];
        if self.dice.one_in(2) {
            members.push(("value", self.command_value()));
        }
        if self.dice.one_in(2) {
            let length = if self.dice.one_in(6) { "1d12h30m" } else { self.duration().0 };
            members.push(("valid_for", if self.dice.one_in(6) { "null".to_owned() } else { text(length) }));
        }
        if self.dice.one_in(5) {
            self.spoil(&mut members);
        }
        self.dice.shuffle(&mut members);
        if self.dice.one_in(20) {
            // Of equal names the last one counts.
            members.insert(0, ("set", "\"no\"".to_owned()));
        }
        members
    }

    fn command_value(&mut self) -> String {
        match self.dice.number(0, 9) {
            0 => "null".to_owned(),
            1 => "true".to_owned(),
            2 => "false".to_owned(),
            3 | 4 => self.dice.number(-1, 4).to_string(),
            5 => self.dice.pick(&["0.5", "1.0", "-0", "1e3", "\"\""]).to_owned(),
            6 => text(self.dice.pick(&VERDICTS)),
            _ => text(self.dice.pick(&TEXTS)),
        }
    }

    /// Makes one thing wrong; with `set: false` a wrong `valid_for` does not matter.
    fn spoil(&mut self, members: &mut Vec<Member>) {
        let (name, bad): (&str, &[&str]) = match self.dice.number(0, 3) {
            0 => ("tag", &["", "null", "5", "\"nobody\"", "\"\"", "[\"t0\"]", "\"t0\"", "\"t1\"", "\"attr_0\""]),
            1 => ("set", &["", "null", "\"true\"", "1", "[]", "{}"]),
            2 => ("value", &["[]", "[\"x\"]", "{}", "{\"a\": 1}", "1e400", "-1e999"]),
            _ => (
                "valid_for",
                &[
                    "\"\"",
                    "\"soon\"",
                    "\"30\"",
                    "\"d\"",
                    "\"1.5d\"",
                    "\"-1d\"",
                    "\"0d\"",
                    "\"0h0m\"",
                    "\"1y\"",
                    "\"P30D\"",
                    "\"1D\"",
                    "\"1d!\"",
                    "\" 1h\"",
                    "\"1h 30m\"",
                    "\"30m1h\"",
                    "\"01h\"",
                    "\"1h1h\"",
                    "5",
                    "60000",
                    "true",
                    "[]",
                    "{}",
                ],
            ),
        };
        members.retain(|(own, _)| *own != name);
        let bad = self.dice.pick(bad);
        if !bad.is_empty() {
            members.push((name, bad.to_owned()));
        }
    }
}
