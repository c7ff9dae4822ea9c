//! A record of the input: its value, and what Kafka keeps beside it.

use super::record_headers::{HeaderList, RecordHeaders};
use crate::model::Timestamp;

/// What an event is decoded from.
#[derive(Clone, Copy, Debug, Default)]
pub struct InputRecord<'a> {
    pub value: &'a [u8],
    /// `None` for a record without a key, and for a line of a file.
    pub key: Option<&'a [u8]>,
    /// `None` where it is not known, as for a line of a file.
    pub timestamp: Option<Timestamp>,
    pub headers: RecordHeaders<'a>,
}

impl<'a> InputRecord<'a> {
    /// A line of a file: only a value.
    pub fn line(value: &'a [u8]) -> Self {
        InputRecord { value, ..InputRecord::default() }
    }

    /// The wall clock when the record came: its timestamp where one is known, but never after `now`.
    pub fn came_at(&self, now: Timestamp) -> Timestamp {
        self.timestamp.map_or(now, |timestamp| timestamp.min(now))
    }

    /// A copy that owns its bytes.
    pub fn to_owned(&self) -> OwnedRecord {
        let mut owned = OwnedRecord::default();
        owned.copy(*self);
        owned
    }

    /// The value without the byte-order mark at its beginning.
    pub(in crate::codec::decode) fn json(&self) -> &'a [u8] {
        self.value.strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.value)
    }
}

/// A record that waits to be decoded.
#[derive(Clone, Debug, Default)]
pub struct OwnedRecord {
    pub value: Vec<u8>,
    pub key: Option<Vec<u8>>,
    pub timestamp: Option<Timestamp>,
    headers: HeaderList,
}

impl OwnedRecord {
    /// A record without headers.
    pub fn new(value: Vec<u8>, key: Option<Vec<u8>>, timestamp: Option<Timestamp>) -> Self {
        OwnedRecord { value, key, timestamp, headers: HeaderList::default() }
    }

    pub fn add_header(&mut self, name: &str, value: &[u8]) {
        self.headers.add(name, value);
    }

    pub fn borrowed(&self) -> InputRecord<'_> {
        let headers = RecordHeaders::of(&self.headers);
        InputRecord { value: &self.value, key: self.key.as_deref(), timestamp: self.timestamp, headers }
    }

    /// Replaces the content.
    pub fn copy(&mut self, record: InputRecord<'_>) {
        self.value.clear();
        self.value.extend_from_slice(record.value);
        self.key = record.key.map(<[u8]>::to_vec);
        self.timestamp = record.timestamp;
        self.headers.copy(record.headers);
    }
}
