//! A strict scanner for JSON (RFC 8259): finds where values begin and end, and rejects what is not JSON.

use super::raw_value::{JsonType, NotJson, RawValue};
use super::text::{escape, plain_len};

/// The deepest nesting of objects and arrays that is accepted; serde_json has the same limit.
pub(in crate::codec::decode) const DEPTH_MAX: usize = 127;

/// A position in a record. It only moves forward; after an error it is undefined.
pub(in crate::codec::decode) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(in crate::codec::decode) fn new(record: &'a str, at: usize) -> Self {
        Scanner { bytes: record.as_bytes(), at }
    }

    pub(in crate::codec::decode) fn at(&self) -> usize {
        self.at
    }

    /// The next byte; nothing at the end.
    pub(in crate::codec::decode) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Passes over `byte` if it comes next.
    pub(in crate::codec::decode) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[inline(always)]
    pub(in crate::codec::decode) fn whitespace(&mut self) {
        // Usually there is none.
        if self.peek().is_some_and(|byte| byte <= b' ') {
            self.blanks();
        }
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Passes over an opening bracket, to the first member or the end; `depth` containers are open around it.
    pub(in crate::codec::decode) fn open(&mut self, depth: usize) -> Result<(), NotJson> {
        if depth >= DEPTH_MAX {
            return Err(NotJson);
        }
        self.at += 1;
        self.whitespace();
        Ok(())
    }

    /// After a member: true, at the next member, if there is one; false, behind `close`, if not.
    #[inline(always)]
    pub(in crate::codec::decode) fn another(&mut self, close: u8) -> Result<bool, NotJson> {
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
    #[inline(always)]
    pub(in crate::codec::decode) fn name(&mut self) -> Result<RawValue, NotJson> {
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
    #[inline(always)]
    fn string(&mut self) -> Result<RawValue, NotJson> {
        let start = self.at + 1;
        self.at = start;
        let mut json_type = JsonType::Plain;
        loop {
            self.at += plain_len(self.bytes, self.at);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    json_type = JsonType::Escaped;
                    self.at += escape(&self.bytes[self.at..]).ok_or(NotJson)?.1;
                }
                _ => return Err(NotJson),
            }
        }
        let text = RawValue::new(json_type, start, self.at);
        self.at += 1;
        Ok(text)
    }

    /// Passes over the number that comes next.
    #[inline(always)]
    fn number(&mut self) -> Result<RawValue, NotJson> {
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
        Ok(RawValue::new(JsonType::Number, start, self.at))
    }

    /// Passes over one digit or more.
    fn digits(&mut self) -> Result<(), NotJson> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(NotJson) } else { Ok(()) }
    }

    fn word(&mut self, word: &str, json_type: JsonType) -> Result<RawValue, NotJson> {
        let start = self.at;
        if self.literal(word.as_bytes()) { Ok(RawValue::new(json_type, start, self.at)) } else { Err(NotJson) }
    }

    /// Passes over these bytes if they come next.
    #[inline(always)]
    pub(in crate::codec::decode) fn literal(&mut self, bytes: &[u8]) -> bool {
        let found = self.bytes[self.at..].starts_with(bytes);
        self.at += if found { bytes.len() } else { 0 };
        found
    }

    /// Passes over one value and returns it; `depth` containers are open around it.
    #[inline(always)]
    pub(in crate::codec::decode) fn value(&mut self, depth: usize) -> Result<RawValue, NotJson> {
        let start = self.at;
        match self.peek() {
            Some(b'{') => self.skip(depth).map(|()| RawValue::new(JsonType::Object, start, self.at)),
            Some(b'[') => self.skip(depth).map(|()| RawValue::new(JsonType::Array, start, self.at)),
            _ => self.scalar(),
        }
    }

    /// Passes over one value that is not a container.
    #[inline(always)]
    pub(in crate::codec::decode) fn scalar(&mut self) -> Result<RawValue, NotJson> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b't') => self.word("true", JsonType::True),
            Some(b'f') => self.word("false", JsonType::False),
            Some(b'n') => self.word("null", JsonType::Null),
            _ => self.number(),
        }
    }

    /// Passes over one value; `depth` containers are open around it.
    ///
    /// The nesting of a skipped value is up to the sender, so this does not recurse: one bit per level says whether the
    /// container is an object, and [`DEPTH_MAX`] levels fit into one integer.
    pub(in crate::codec::decode) fn skip(&mut self, depth: usize) -> Result<(), NotJson> {
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
                _ => _ = self.scalar()?,
            }
            // Behind a value: close all containers that end here, up to one that has another member.
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
