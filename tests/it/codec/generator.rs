//! Random records: well-formed events in every disguise that JSON allows, and what becomes of them when they are damaged.

use fastrand::Rng;

/// Names that the catalogs of the referee's tests look at, and some that they do not.
const NAMES: [&str; 29] = [
    "user_id",
    "type",
    "timestamp",
    "id",
    "properties",
    "userId",
    "anonymousId",
    "event",
    "messageId",
    "traits",
    "a",
    "b",
    "c",
    "list",
    "0",
    "1",
    "01",
    "deeper",
    "",
    "é\n\"\\",
    "a_name_of_more_than_eight_bytes",
    "another_name_of_more_bytes",
    "tag",
    "value",
    "op",
    "source",
    "table",
    "after",
    "before",
];

/// The properties of a command.
const COMMAND: [&str; 6] = ["tag", "set", "tag", "set", "value", "valid_for"];

const TEXTS: [&str; 17] = [
    "u-1",
    "visit",
    "buy",
    "track",
    "identify",
    "page",
    "$erase",
    "c",
    "d",
    "m",
    "",
    "x\u{0}\u{1f}\"\\/\u{8}\u{c}\n\r\t",
    "é😀\u{2028}\u{10ffff}",
    "2026-03-15T08:00:00Z",
    "2026-03-15 09:00:00.1234+01:00",
    "2026-02-30T00:00:00Z",
    "1960-01-01T00:00:00Z",
];

const NUMBERS: [&str; 20] = [
    "0",
    "-0",
    "42",
    "-7",
    "1773561600000",
    "1773561600",
    "1773561900001",
    "631151999999",
    "1e3",
    "-2.5E-3",
    "19.99",
    "1e400",
    "-1e400",
    "1e-400",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "1.7976931348623159e308",
];

/// What is put into the middle of a record to break it, or not.
const SPLINTERS: [&[u8]; 24] = [
    b"\"",
    b"\\",
    b"\\u",
    b"\\ud83d",
    b"\\ude00",
    b"\\u0061",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b" ",
    b"\x0b",
    b"\0",
    b"\xff",
    b"\xc3",
    b"-",
    b"0",
    b".",
    b"e",
    b"null",
    b"\xef\xbb\xbf",
    b"{\"properties\":{\"a\":1}}",
];

/// One record.
pub fn record(random: &mut Rng) -> Vec<u8> {
    let is_command = random.u8(..3) == 0;
    let mut writer = Writer { random, is_command, out: String::new() };
    writer.record();
    let mut bytes = writer.out.into_bytes();
    if random.bool() {
        for _ in 0..random.usize(1..4) {
            damage(&mut bytes, random);
        }
    }
    bytes
}

/// Puts another value in the place of one of the record's values, as the same program would do in its next record.
pub fn another_value(bytes: &mut Vec<u8>, random: &mut Rng) {
    let colons: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b':').collect();
    if colons.is_empty() {
        return;
    }
    let start = colons[random.usize(..colons.len())] + 1;
    let end = bytes[start..].iter().position(|b| matches!(b, b',' | b'}' | b']'));
    let mut writer = Writer { random, is_command: false, out: String::new() };
    writer.value(3);
    bytes.splice(start..end.map_or(bytes.len(), |len| start + len), writer.out.into_bytes());
}

/// Changes a record a little, anywhere.
pub fn damage(bytes: &mut Vec<u8>, random: &mut Rng) {
    let at = random.usize(..=bytes.len());
    match random.u8(..6) {
        0 => bytes.truncate(at),
        1 if at < bytes.len() => bytes[at] ^= 1 << random.u8(..8),
        2 if at < bytes.len() => bytes[at] = random.u8(..),
        3 if at < bytes.len() => drop(bytes.remove(at)),
        4 => {
            let end = random.usize(at..=bytes.len());
            let copy = bytes[at..end].to_vec();
            let to = random.usize(..=bytes.len());
            bytes.splice(to..to, copy);
        }
        _ => {
            let splinter = SPLINTERS[random.usize(..SPLINTERS.len())];
            bytes.splice(at..at, splinter.iter().copied());
        }
    }
}

struct Writer<'a> {
    random: &'a mut Rng,
    /// Whether the record is meant to be one.
    is_command: bool,
    out: String,
}

impl Writer<'_> {
    /// An object that has what an event needs, most of the time.
    fn record(&mut self) {
        self.whitespace();
        if self.one_in(40) {
            self.value(0);
            return;
        }
        let mut names = vec!["user_id", "type", "timestamp", "properties", "userId", "event"];
        if self.one_in(4) {
            names.extend(["op", "source", "after", "before"]);
        }
        for _ in 0..self.random.usize(..6) {
            names.push(NAMES[self.random.usize(..NAMES.len())]);
        }
        self.random.shuffle(&mut names);
        names.truncate(self.random.usize(names.len() - 3..=names.len()));
        self.object(&names, 0);
        self.whitespace();
    }

    fn object(&mut self, names: &[&str], depth: usize) {
        self.out.push('{');
        self.whitespace();
        for (index, name) in names.iter().enumerate() {
            if index > 0 {
                self.separator(',');
            }
            self.string(name);
            self.separator(':');
            self.member(name, depth + 1);
        }
        self.whitespace();
        self.out.push('}');
    }

    /// Mostly what fits the name, or hardly a record would be accepted.
    fn member(&mut self, name: &str, depth: usize) {
        let fitting = match name {
            _ if self.one_in(12) => None,
            "user_id" | "userId" => Some(["u-1", "é", "x/y"][self.random.usize(..3)]),
            "type" if self.is_command => Some(["track", "$tag", "$tag", "$tag", "$erase"][self.random.usize(..5)]),
            "event" if self.is_command => Some(["$tag", "$tag", "$tag", "$erase", "$x"][self.random.usize(..5)]),
            "tag" => Some(["vip", "vip", "vip", "key account", "old device", "visit"][self.random.usize(..6)]),
            "value" if self.random.bool() => Some("gold"),
            "valid_for" => Some(["30d", "1h30m", "12h", "0s", "P1D", " 1w "][self.random.usize(..6)]),
            "set" => {
                self.out.push_str(if self.random.bool() { "true" } else { "false" });
                return;
            }
            "type" => Some(["visit", "track", "identify", "buy"][self.random.usize(..4)]),
            "event" => Some(["visit", "other"][self.random.usize(..2)]),
            "timestamp" if self.random.bool() => Some("2026-03-15T08:00:00Z"),
            "timestamp" => {
                self.out.push_str("1773561600000");
                return;
            }
            "op" => Some(["c", "u", "d", "r", "t", "m"][self.random.usize(..6)]),
            "table" => Some(["orders", "orders", "$x", ""][self.random.usize(..4)]),
            "source" => {
                self.object(&["table"], depth);
                return;
            }
            "properties" | "traits" | "deeper" | "after" | "before" => {
                let count = self.random.usize(..6);
                let mut names: Vec<&str> = (0..count).map(|_| NAMES[self.random.usize(10..NAMES.len())]).collect();
                if self.is_command && depth == 1 {
                    let from = self.random.usize(..3);
                    names.extend(&COMMAND[from..self.random.usize(from + 1..=COMMAND.len())]);
                }
                self.object(&names, depth);
                return;
            }
            "list" => {
                self.out.push('[');
                self.member("deeper", depth + 1);
                self.separator(',');
                self.value(depth + 1);
                self.out.push(']');
                return;
            }
            _ => None,
        };
        match fitting {
            Some(text) => self.string(text),
            None => self.value(depth),
        }
    }

    fn value(&mut self, depth: usize) {
        if self.one_in(150) {
            self.abyss();
            return;
        }
        let kinds = if depth > 6 { 5 } else { 8 };
        match self.random.u8(..kinds) {
            0 => self.out.push_str("true"),
            1 => self.out.push_str("null"),
            2 => {
                let text = TEXTS[self.random.usize(..TEXTS.len())];
                self.string(text);
            }
            3 => self.out.push_str(NUMBERS[self.random.usize(..NUMBERS.len())]),
            4 => self.number(),
            5 | 6 => self.array(depth),
            _ => {
                let count = self.random.usize(..5);
                let names: Vec<&str> = (0..count).map(|_| NAMES[self.random.usize(..NAMES.len())]).collect();
                self.object(&names, depth);
            }
        }
    }

    fn array(&mut self, depth: usize) {
        self.out.push('[');
        self.whitespace();
        for index in 0..self.random.usize(..5) {
            if index > 0 {
                self.separator(',');
            }
            self.value(depth + 1);
        }
        self.whitespace();
        self.out.push(']');
    }

    /// Around the deepest nesting that is taken.
    fn abyss(&mut self) {
        let (open, close) = [("[", "]"), ("{\"a\":", "}")][self.random.usize(..2)];
        let levels = self.random.usize(118..130);
        self.out.push_str(&open.repeat(levels));
        self.out.push('1');
        self.out.push_str(&close.repeat(levels));
    }

    fn number(&mut self) {
        let digits = self.random.u32(1..22);
        let integer = u128::from(self.random.u64(..)) * u128::from(self.random.u64(..)) % 10_u128.pow(digits);
        let text = format!("{}{integer}", if self.random.bool() { "-" } else { "" });
        self.out.push_str(&text);
        if self.random.bool() {
            self.out.push_str(&format!(".{:0>1$}", self.random.u32(..), self.random.usize(1..14)));
        }
        if self.one_in(3) {
            self.out.push_str(&format!("e{}", self.random.i32(-330..330)));
        }
    }

    /// A text in one of the many ways to write it.
    fn string(&mut self, text: &str) {
        self.out.push('"');
        let eager = self.one_in(8);
        for char in text.chars() {
            if eager && self.random.bool() || char < ' ' || matches!(char, '"' | '\\') {
                let mut units = [0; 2];
                for unit in char.encode_utf16(&mut units) {
                    let escape = if self.random.bool() { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") };
                    self.out.push_str(&escape);
                }
            } else {
                self.out.push(char);
            }
        }
        self.out.push('"');
    }

    fn separator(&mut self, separator: char) {
        self.whitespace();
        self.out.push(separator);
        self.whitespace();
    }

    fn whitespace(&mut self) {
        if self.one_in(12) {
            self.out.push_str([" ", "\n", "\r\n", "\t", "  "][self.random.usize(..5)]);
        }
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.random.u32(..n) == 0
    }
}
