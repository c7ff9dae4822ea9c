//! A strict scanner for JSON (RFC 8259): finds where values begin and end, and rejects what is not JSON.

use super::text::{escape, plain_len};

/// The deepest nesting of objects and arrays that is accepted; serde_json has the same limit.
pub(super) const DEPTH_MAX: usize = 127;

/// The record is not JSON. Where and why does not matter: the whole record becomes a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotJson;

/// The type of a JSON value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum JsonType {
    #[default]
    Missing,
    Null,
    False,
    True,
    Number,
    /// A string without escapes.
    Plain,
    /// A string with escapes.
    Escaped,
    Array,
    Object,
}

/// A value as a range of the record: nothing is copied or converted before it is known to be used.
///
/// It is one machine word, because every value is passed on several times on the hot path, where a struct of small
/// fields goes through memory field by field: 4 bits of type, then start and end in 30 bits each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RawValue(u64);

/// The largest record, whatever the catalog allows: a [`RawValue`] has 30 bits for a position.
pub(super) const RECORD_BYTES_MAX: usize = (1 << 30) - 1;

impl RawValue {
    const TYPES: [JsonType; 16] = [
        JsonType::Missing,
        JsonType::Null,
        JsonType::False,
        JsonType::True,
        JsonType::Number,
        JsonType::Plain,
        JsonType::Escaped,
        JsonType::Array,
        JsonType::Object,
        JsonType::Missing,
        JsonType::Missing,
        JsonType::Missing,
        JsonType::Missing,
        JsonType::Missing,
        JsonType::Missing,
        JsonType::Missing,
    ];

    /// A value between two positions; for a string, the text within its quotes.
    pub(super) fn new(json_type: JsonType, start: usize, end: usize) -> Self {
        RawValue(json_type as u64 | (start as u64) << 4 | (end as u64) << 34)
    }

    pub(super) fn json_type(self) -> JsonType {
        RawValue::TYPES[(self.0 & 15) as usize]
    }

    pub(super) fn start(self) -> usize {
        (self.0 >> 4) as usize & RECORD_BYTES_MAX
    }

    pub(super) fn end(self) -> usize {
        (self.0 >> 34) as usize
    }

    /// The value as written.
    pub(super) fn of(self, record: &str) -> &str {
        &record[self.start()..self.end()]
    }

    /// Whether the value is missing or null.
    pub(super) fn is_absent(self) -> bool {
        matches!(self.json_type(), JsonType::Missing | JsonType::Null)
    }
}

/// A position in a record. It only moves forward; after an error it is undefined.
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

    #[inline(always)]
    pub(super) fn whitespace(&mut self) {
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
    pub(super) fn open(&mut self, depth: usize) -> Result<(), NotJson> {
        if depth >= DEPTH_MAX {
            return Err(NotJson);
        }
        self.at += 1;
        self.whitespace();
        Ok(())
    }

    /// After a member: true, at the next member, if there is one; false, behind `close`, if not.
    #[inline(always)]
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
    #[inline(always)]
    pub(super) fn name(&mut self) -> Result<RawValue, NotJson> {
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
    pub(super) fn literal(&mut self, bytes: &[u8]) -> bool {
        let found = self.bytes[self.at..].starts_with(bytes);
        self.at += if found { bytes.len() } else { 0 };
        found
    }

    /// Passes over one value and returns it; `depth` containers are open around it.
    #[inline(always)]
    pub(super) fn value(&mut self, depth: usize) -> Result<RawValue, NotJson> {
        let start = self.at;
        match self.peek() {
            Some(b'{') => self.skip(depth).map(|()| RawValue::new(JsonType::Object, start, self.at)),
            Some(b'[') => self.skip(depth).map(|()| RawValue::new(JsonType::Array, start, self.at)),
            _ => self.scalar(),
        }
    }

    /// Passes over one value that is not a container.
    #[inline(always)]
    pub(super) fn scalar(&mut self) -> Result<RawValue, NotJson> {
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
