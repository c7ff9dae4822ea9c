//! JSON values, appended to a buffer of the caller's.

use std::io::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::model::{Date, Number, Scalar, Timestamp};

/// `,"name":value`, for a name that needs no escapes.
pub(super) fn push_member(name: &str, value: Scalar, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    push_scalar(value, out);
}

pub(super) fn push_scalar(value: Scalar, out: &mut Vec<u8>) {
    match value {
        Scalar::Absent => out.extend_from_slice(b"null"),
        Scalar::Bool(true) => out.extend_from_slice(b"true"),
        Scalar::Bool(false) => out.extend_from_slice(b"false"),
        Scalar::Number(number) => push_number(number, out),
        Scalar::String(text) => push_string(text, out),
        Scalar::Time(time) => push_time(time, out),
        Scalar::Date(date) => push_date(date, out),
    }
}

/// An integer or a decimal in full, a double as ECMAScript writes it; null if it is not finite, which JSON cannot express.
fn push_number(number: Number, out: &mut Vec<u8>) {
    match number {
        Number::Double(double) if double.is_finite() => {
            out.extend_from_slice(ryu_js::Buffer::new().format_finite(double).as_bytes());
        }
        Number::Double(_) => out.extend_from_slice(b"null"),
        Number::Integer(integer) => out.extend_from_slice(itoa::Buffer::new().format(integer).as_bytes()),
        Number::Decimal(decimal) => out.extend_from_slice(decimal.text().bytes()),
    }
}

fn push_date(date: Date, out: &mut Vec<u8>) {
    write!(out, "\"{date}\"").expect("a vector takes every byte");
}

fn push_time(time: Timestamp, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(time.text().bytes());
    out.push(b'"');
}

pub(super) fn push_integer(integer: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(integer).as_bytes());
}

/// `,"name":"value"`, for texts that need no escapes.
pub(super) fn push_plain_member(name: &str, value: &str, out: &mut Vec<u8>) {
    for part in [",\"", name, "\":\"", value, "\""] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// A string in quotes; only characters that must be escaped are.
pub(crate) fn push_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut plain_from = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let short = match byte {
            b'"' | b'\\' => *byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            0x00..0x20 => b'u',
            _ => continue,
        };
        out.extend_from_slice(&bytes[plain_from..at]);
        out.extend_from_slice(&[b'\\', short]);
        if short == b'u' {
            out.extend_from_slice(&[b'0', b'0', hex_digit(byte >> 4), hex_digit(byte & 15)]);
        }
        plain_from = at + 1;
    }
    out.extend_from_slice(&bytes[plain_from..]);
    out.push(b'"');
}

pub(super) fn push_hex(number: u128, out: &mut Vec<u8>) {
    out.extend(number.to_be_bytes().iter().flat_map(|byte| [hex_digit(byte >> 4), hex_digit(byte & 15)]));
}

fn hex_digit(nibble: u8) -> u8 {
    b"0123456789abcdef"[usize::from(nibble)]
}

/// Base64 of RFC 4648, with padding.
pub(crate) fn push_base64(bytes: &[u8], out: &mut Vec<u8>) {
    let begin = out.len();
    out.resize(begin + base64::encoded_len(bytes.len(), true).expect("a record is not nearly as long"), 0);
    BASE64_STANDARD.encode_slice(bytes, &mut out[begin..]).expect("there is room for it");
}

/// The bytes of a text in base64, with its padding or without it; `None`: it is something else.
#[cfg(feature = "registry")]
pub(crate) fn read_base64(text: &str) -> Option<Vec<u8>> {
    use base64::alphabet::STANDARD;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

    const EITHER: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&STANDARD, EITHER).decode(text).ok()
}
