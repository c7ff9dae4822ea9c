//! Why a record is rejected, and the line that reports it.

use super::json_writer::{push_base64, push_integer, push_string};

/// Why a record is rejected (spec 2), in the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reject {
    TooLarge,
    /// The registry has no schema with the id that the value names.
    UnknownSchema,
    /// The value is not what its schema says.
    BadPayload,
    NotJson,
    NotObject,
    MissingKey,
    BadKey,
    MissingType,
    BadType,
    MissingTime,
    BadTime,
    TooOld,
    InFuture,
}

impl Reject {
    /// All reasons, so that their metrics can be exported before the first occurrence.
    pub const ALL: [Reject; 13] = [
        Reject::TooLarge,
        Reject::UnknownSchema,
        Reject::BadPayload,
        Reject::NotJson,
        Reject::NotObject,
        Reject::MissingKey,
        Reject::BadKey,
        Reject::MissingType,
        Reject::BadType,
        Reject::MissingTime,
        Reject::BadTime,
        Reject::TooOld,
        Reject::InFuture,
    ];

    /// The specified reason code.
    pub fn code(self) -> &'static str {
        match self {
            Reject::TooLarge => "too_large",
            Reject::UnknownSchema => "unknown_schema",
            Reject::BadPayload => "bad_payload",
            Reject::NotJson => "not_json",
            Reject::NotObject => "not_object",
            Reject::MissingKey => "missing_key",
            Reject::BadKey => "bad_key",
            Reject::MissingType => "missing_type",
            Reject::BadType => "bad_type",
            Reject::MissingTime => "missing_time",
            Reject::BadTime => "bad_time",
            Reject::TooOld => "too_old",
            Reject::InFuture => "in_future",
        }
    }
}

/// A line of a file that was rejected.
#[derive(Clone, Copy, Debug)]
pub struct RejectedLine<'a> {
    pub reason: Reject,
    /// What is wrong in words, where the reason code is not enough.
    pub detail: Option<&'a str>,
    /// The name of the file, where there are several.
    pub input: Option<&'a str>,
    /// From 1.
    pub line: u64,
    pub raw: &'a [u8],
}

/// Writes one rejected record as a JSON object, without a line end: `reason`, `detail`, `line`, `raw` and `input`; those
/// that are `None` are left out.
///
/// Bytes that are not UTF-8 cannot be a JSON string; they are written as `raw_base64` instead of `raw`.
pub fn write_reject(rejected: &RejectedLine<'_>, out: &mut Vec<u8>) {
    let RejectedLine { reason, detail, input, line, raw } = *rejected;
    out.extend_from_slice(b"{\"reason\":\"");
    out.extend_from_slice(reason.code().as_bytes());
    out.push(b'"');
    if let Some(detail) = detail {
        out.extend_from_slice(b",\"detail\":");
        push_string(detail, out);
    }
    out.extend_from_slice(b",\"line\":");
    push_integer(line, out);
    match simdutf8::basic::from_utf8(raw) {
        Ok(text) => {
            out.extend_from_slice(b",\"raw\":");
            push_string(text, out);
        }
        Err(_) => {
            out.extend_from_slice(b",\"raw_base64\":\"");
            push_base64(raw, out);
            out.push(b'"');
        }
    }
    if let Some(input) = input {
        out.extend_from_slice(b",\"input\":");
        push_string(input, out);
    }
    out.push(b'}');
}
