//! Tag changes and current tags as JSON, byte for byte as the contract writes them.

use crate::model::{CurrentTag, Scalar, TagChange, Timestamp};
use std::io::Write;
use xxhash_rust::xxh3::Xxh3;

/// Writes a tag change as a JSON object (spec 6), without a line end.
pub fn write_change(change: &TagChange, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":\"");
    push_hex(change_id(change), out);
    out.push(b'"');
    push_member("entity", Scalar::String(change.entity), out);
    push_member("key", Scalar::String(change.key), out);
    push_member("tag", Scalar::String(change.tag), out);
    push_member("change", Scalar::String(change.kind().name()), out);
    push_member("value", change.value, out);
    push_member("previous", change.previous, out);
    push_member("at", Scalar::Time(change.at), out);
    out.extend_from_slice(b",\"seq\":");
    push_integer(change.seq, out);
    push_member("cause", Scalar::String(change.cause.name()), out);
    out.extend_from_slice(b",\"because\":{");
    for (index, (label, value)) in change.because.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_string(label, out);
        out.push(b':');
        push_scalar(*value, out);
    }
    out.push(b'}');
    push_member("catalog", Scalar::String(change.catalog), out);
    out.push(b'}');
}

/// The id of a change: the same however often and wherever it is computed.
///
/// A hash of entity, key, tag, at and seq; and of the life, where more than one ended or began at that instant. Each text is preceded by its length, or `("ab", "c")` and `("a", "bc")`
/// would be one change.
pub fn change_id(change: &TagChange) -> u128 {
    let mut hash = Xxh3::new();
    for text in [change.entity, change.key, change.tag] {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    hash.update(&change.at.ms().to_le_bytes());
    hash.update(&change.seq.to_le_bytes());
    if change.life > 0 {
        hash.update(&change.life.to_le_bytes());
    }
    hash.digest128()
}

/// Writes the record of the current-tags topic: every tag that an entity has now, with its value and since when.
pub fn write_current_tags(entity: &str, key: &str, tags: &[CurrentTag], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"entity\":");
    push_string(entity, out);
    push_member("key", Scalar::String(key), out);
    out.extend_from_slice(b",\"tags\":{");
    for (index, tag) in tags.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_string(tag.tag, out);
        out.extend_from_slice(b":{\"value\":");
        push_scalar(tag.value, out);
        push_member("since", Scalar::Time(tag.since), out);
        out.push(b'}');
    }
    out.extend_from_slice(b"}}");
}

/// `,"name":value`, for a name that needs no escapes.
fn push_member(name: &str, value: Scalar, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    push_scalar(value, out);
}

fn push_scalar(value: Scalar, out: &mut Vec<u8>) {
    match value {
        Scalar::Absent => out.extend_from_slice(b"null"),
        Scalar::Bool(true) => out.extend_from_slice(b"true"),
        Scalar::Bool(false) => out.extend_from_slice(b"false"),
        Scalar::Number(number) => push_number(number, out),
        Scalar::String(text) => push_string(text, out),
        Scalar::Time(time) => push_time(time, out),
    }
}

/// A number as ECMAScript writes it; what is not finite has no JSON form and is null.
fn push_number(number: f64, out: &mut Vec<u8>) {
    if number.is_finite() {
        out.extend_from_slice(ryu_js::Buffer::new().format_finite(number).as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
}

fn push_time(time: Timestamp, out: &mut Vec<u8>) {
    write!(out, "\"{time}\"").expect("a vector takes every byte");
}

pub(super) fn push_integer(integer: u64, out: &mut Vec<u8>) {
    write!(out, "{integer}").expect("a vector takes every byte");
}

/// A string in quotes; only what must be escaped is.
pub(super) fn push_string(text: &str, out: &mut Vec<u8>) {
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

fn push_hex(number: u128, out: &mut Vec<u8>) {
    out.extend(number.to_be_bytes().iter().flat_map(|byte| [hex_digit(byte >> 4), hex_digit(byte & 15)]));
}

fn hex_digit(nibble: u8) -> u8 {
    b"0123456789abcdef"[usize::from(nibble)]
}

/// Base64 of RFC 4648, with padding.
pub(super) fn push_base64(bytes: &[u8], out: &mut Vec<u8>) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let mut three = [0; 3];
        three[..chunk.len()].copy_from_slice(chunk);
        let [a, b, c] = three;
        let sextets = [a >> 2, (a & 3) << 4 | b >> 4, (b & 15) << 2 | c >> 6, c & 63];
        for (index, sextet) in sextets.into_iter().enumerate() {
            let is_padding = index > chunk.len();
            out.push(if is_padding { b'=' } else { ALPHABET[usize::from(sextet)] });
        }
    }
}
