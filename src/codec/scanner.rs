//! A strict scanner for JSON (RFC 8259): tells where values begin and end, and refuses what is not JSON.

use super::text::{escape, plain_len};

/// The deepest nesting of objects and arrays that is taken; serde_json draws the same line.
pub(super) const DEPTH_MAX: usize = 127;

/// The record is not JSON. Where and why does not matter: it goes to the dead letters as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotJson;

/// Where something stands in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Place {
    fn new(start: usize, end: usize) -> Self {
        Place { start: start as u32, end: end as u32 }
    }

    pub(super) fn of(self, record: &str) -> &str {
        &record[self.start as usize..self.end as usize]
    }
}

/// The inside of a string, as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quoted {
    pub(super) place: Place,
    /// Whether it holds escapes.
    pub(super) escaped: bool,
}

/// A value, as a place of the record: nothing is copied or converted before it is known to be used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Raw {
    #[default]
    Missing,
    Null,
    Bool(bool),
    Number(Place),
    String(Quoted),
    /// Where its bracket stands.
    Array(u32),
    Object,
}

/// A position in a record. It moves forward only; an error leaves it anywhere.
#[derive(Clone, Debug)]
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(record: &'a str, at: usize) -> Self {
        Scanner { bytes: record.as_bytes(), at }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The next byte; nothing at the end.
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Passes over `byte` if it comes next.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn whitespace(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Passes over the bracket that opens a container, to its first member or its end; `depth` are open around it.
    pub(super) fn open(&mut self, depth: usize) -> Result<(), NotJson> {
        if depth >= DEPTH_MAX {
            return Err(NotJson);
        }
        self.at += 1;
        self.whitespace();
        Ok(())
    }

    /// After a member: whether another one follows (and goes to it), or `close` (and goes behind it).
    pub(super) fn another(&mut self, close: u8) -> Result<bool, NotJson> {
        self.whitespace();
        let more = self.take(b',');
        if more {
            self.whitespace();
        } else if !self.take(close) {
            return Err(NotJson);
        }
        Ok(more)
    }

    /// Passes over a member's name and its colon, to its value.
    pub(super) fn name(&mut self) -> Result<Quoted, NotJson> {
        if self.peek() != Some(b'"') {
            return Err(NotJson);
        }
        let name = self.string()?;
        self.whitespace();
        if !self.take(b':') {
            return Err(NotJson);
        }
        self.whitespace();
        Ok(name)
    }

    /// Passes over the string whose opening quote comes next.
    pub(super) fn string(&mut self) -> Result<Quoted, NotJson> {
        let start = self.at + 1;
        self.at = start;
        let mut escaped = false;
        loop {
            self.at += plain_len(self.bytes, self.at);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += escape(&self.bytes[self.at..]).ok_or(NotJson)?.1;
                }
                _ => return Err(NotJson),
            }
        }
        let place = Place::new(start, self.at);
        self.at += 1;
        Ok(Quoted { place, escaped })
    }

    /// Passes over the number that comes next.
    pub(super) fn number(&mut self) -> Result<Place, NotJson> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if !self.take(b'-') {
                self.take(b'+');
            }
            self.digits()?;
        }
        Ok(Place::new(start, self.at))
    }

    /// Passes over one digit or more.
    fn digits(&mut self) -> Result<(), NotJson> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(NotJson) } else { Ok(()) }
    }

    /// Passes over `word`: `true`, `false` or `null`.
    pub(super) fn word(&mut self, word: &str) -> Result<(), NotJson> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(NotJson);
        }
        self.at += word.len();
        Ok(())
    }

    /// Passes over one value and tells what it is; `depth` containers are open around it.
    pub(super) fn value(&mut self, depth: usize) -> Result<Raw, NotJson> {
        match self.peek() {
            Some(b'{') => self.skip(depth).map(|()| Raw::Object),
            Some(b'[') => {
                let at = self.at as u32;
                self.skip(depth).map(|()| Raw::Array(at))
            }
            _ => self.scalar(),
        }
    }

    fn scalar(&mut self) -> Result<Raw, NotJson> {
        match self.peek() {
            Some(b'"') => self.string().map(Raw::String),
            Some(b't') => self.word("true").map(|()| Raw::Bool(true)),
            Some(b'f') => self.word("false").map(|()| Raw::Bool(false)),
            Some(b'n') => self.word("null").map(|()| Raw::Null),
            _ => self.number().map(Raw::Number),
        }
    }

    /// Passes over one value; `depth` containers are open around it.
    ///
    /// What is skipped may be nested as deep as anybody likes to write it, so this does not recurse: one bit a level
    /// tells whether that container is an object, and [`DEPTH_MAX`] levels fit into one integer.
    pub(super) fn skip(&mut self, depth: usize) -> Result<(), NotJson> {
        let mut objects = 0_u128;
        let mut open = 0;
        loop {
            match self.peek() {
                Some(b'{') => {
                    self.open(depth + open)?;
                    if !self.take(b'}') {
                        open += 1;
                        objects = objects << 1 | 1;
                        self.name()?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.open(depth + open)?;
                    if !self.take(b']') {
                        open += 1;
                        objects <<= 1;
                        continue;
                    }
                }
                _ => drop(self.scalar()?),
            }
            // Behind a value: close what ends here, up to the container that has another member.
            loop {
                if open == 0 {
                    return Ok(());
                }
                let in_object = objects & 1 == 1;
                if self.another(if in_object { b'}' } else { b']' })? {
                    if in_object {
                        self.name()?;
                    }
                    break;
                }
                open -= 1;
                objects >>= 1;
            }
        }
    }
}
