//! A tag change as it is stored, and as it is answered.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::codec::ChangeRecord;
use crate::model::{Cause, ChangeType, Timestamp};

/// Its first byte tells whether a row still has its content.
const LIVE: u8 = 1;
/// Liveness, cause, seq, catalog, id, and the lengths of value and previous.
const HEAD_BYTES: usize = 1 + 1 + 8 + 4 + 16 + 4 + 4;

/// A cause is stored as its place here.
const CAUSES: [Cause; 6] =
    [Cause::Event, Cause::Timer, Cause::Catalog, Cause::Command, Cause::Erased, Cause::Forgotten];

/// A tag change, with its values as they were written.
#[derive(Clone, Debug, Serialize)]
pub struct StoredChange {
    #[serde(skip)]
    pub row: i64,
    /// In hex.
    pub id: String,
    pub entity: String,
    pub key: String,
    pub tag: String,
    pub change: &'static str,
    pub value: Box<RawValue>,
    pub previous: Box<RawValue>,
    #[serde(serialize_with = "written")]
    pub at: Timestamp,
    pub seq: u64,
    pub cause: &'static str,
    pub because: Box<RawValue>,
    pub catalog: String,
}

fn written<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

/// What a record tells beyond its texts, checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct ParsedFields {
    pub id: u128,
    pub at: Timestamp,
    pub change: ChangeType,
    pub cause: Cause,
}

impl ParsedFields {
    /// `None`: it is not a tag change.
    pub(super) fn of(record: &ChangeRecord<'_>) -> Option<Self> {
        let change = match (record.previous.get(), record.value.get()) {
            ("null", "null") => return None,
            ("null", _) => ChangeType::Added,
            (_, "null") => ChangeType::Removed,
            _ => ChangeType::Changed,
        };
        Some(ParsedFields {
            id: u128::from_str_radix(&record.id, 16).ok()?,
            at: Timestamp::parse(&record.at).ok()?,
            change,
            cause: Cause::named(&record.cause)?,
        })
    }

    /// Whether the entity's life ends with this change.
    pub(super) fn ends_life(self) -> bool {
        matches!(self.cause, Cause::Erased | Cause::Forgotten)
    }
}

/// How a type of change is stored.
pub(super) fn change_number(change: ChangeType) -> i64 {
    match change {
        ChangeType::Added => 0,
        ChangeType::Changed => 1,
        ChangeType::Removed => 2,
    }
}

/// What is stored of a change in one piece, so that it can be written over.
pub(super) fn pack(record: &ChangeRecord<'_>, fields: ParsedFields, catalog: u32, out: &mut Vec<u8>) {
    out.clear();
    let cause = CAUSES.iter().position(|cause| *cause == fields.cause).unwrap_or_default() as u8;
    let (value, previous) = (record.value.get().as_bytes(), record.previous.get().as_bytes());
    out.extend_from_slice(&[LIVE, cause]);
    out.extend_from_slice(&record.seq.to_le_bytes());
    out.extend_from_slice(&catalog.to_le_bytes());
    out.extend_from_slice(&fields.id.to_le_bytes());
    out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    out.extend_from_slice(&(previous.len() as u32).to_le_bytes());
    out.extend_from_slice(value);
    out.extend_from_slice(previous);
    out.extend_from_slice(record.because.get().as_bytes());
}

/// The packed part of a row, read in place.
#[derive(Clone, Copy, Debug)]
pub(super) struct PackedChange<'a> {
    pub cause: Cause,
    pub seq: u64,
    pub catalog: u32,
    pub id: u128,
    pub value: &'a str,
    pub previous: &'a str,
    pub because: &'a str,
}

impl<'a> PackedChange<'a> {
    /// `None`: it was erased.
    pub(super) fn unpack(bytes: &'a [u8]) -> Option<Self> {
        let (head, texts) = bytes.split_first_chunk::<HEAD_BYTES>()?;
        if head[0] != LIVE {
            return None;
        }
        let long = |from: usize| head[from..from + 8].try_into().map(u64::from_le_bytes).ok();
        let short = |from: usize| head[from..from + 4].try_into().map(u32::from_le_bytes).ok();
        let (value, texts) = texts.split_at_checked(short(30)? as usize)?;
        let (previous, because) = texts.split_at_checked(short(34)? as usize)?;
        Some(PackedChange {
            cause: *CAUSES.get(usize::from(head[1]))?,
            seq: long(2)?,
            catalog: short(10)?,
            id: u128::from(long(14)?) | u128::from(long(22)?) << 64,
            value: std::str::from_utf8(value).ok()?,
            previous: std::str::from_utf8(previous).ok()?,
            because: std::str::from_utf8(because).ok()?,
        })
    }
}

/// A text of JSON, as it was written.
pub(super) fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap_or_default()
}

/// The type of a change, by its stored number.
pub(super) fn change_of(number: i64) -> ChangeType {
    ChangeType::ALL.into_iter().find(|change| change_number(*change) == number).unwrap_or(ChangeType::Changed)
}
