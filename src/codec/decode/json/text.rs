//! The text of JSON strings: the length of plain text, and the characters of escapes.

use super::raw_value::{JsonType, RawValue};

/// How many bytes from `at` on are neither a quote, nor a backslash, nor a control character.
#[inline(always)]
pub(in crate::codec::decode) fn plain_len(bytes: &[u8], at: usize) -> usize {
    let mut len = 0;
    while let Some(chunk) = bytes[at + len..].first_chunk::<16>() {
        if let Some(plain) = plain_in(*chunk) {
            return len + plain;
        }
        len += 16;
    }
    let is_plain = |b: &&u8| **b >= 0x20 && **b != b'"' && **b != b'\\';
    len + bytes[at + len..].iter().take_while(is_plain).count()
}

/// How many of the bytes are plain, unless all are. SSE2 belongs to every x86-64.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn plain_in(chunk: [u8; 16]) -> Option<usize> {
    use std::arch::x86_64::*;
    let words = u128::from_le_bytes(chunk);
    // SAFETY: the instructions are there on every machine of this architecture, and none of them touches memory.
    #[allow(unused_unsafe, reason = "they are marked safe since Rust 1.87, where the target has SSE2")]
    let ends = unsafe {
        let bytes = _mm_set_epi64x((words >> 64) as i64, words as i64);
        let quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
        let backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
        let controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
        _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, backslashes), controls))
    };
    (ends != 0).then(|| ends.trailing_zeros() as usize)
}

/// How many of the bytes are plain, unless all are.
///
/// Subtracting from every byte at once borrows exactly from those that are zero (or less than a space). A borrow may
/// also mark the next byte, so only the lowest mark is valid. (Mycroft, "Determine if a word has a zero byte".)
#[cfg(not(target_arch = "x86_64"))]
fn plain_in(chunk: [u8; 16]) -> Option<usize> {
    const ONES: u128 = u128::MAX / 0xff;
    let bytes = u128::from_le_bytes(chunk);
    let (quotes, backslashes) = (bytes ^ (ONES * 0x22), bytes ^ (ONES * 0x5c));
    let marks = (quotes.wrapping_sub(ONES) & !quotes)
        | (backslashes.wrapping_sub(ONES) & !backslashes)
        | (bytes.wrapping_sub(ONES * 0x20) & !bytes);
    let marks = marks & (ONES * 0x80);
    (marks != 0).then(|| (marks.trailing_zeros() / 8) as usize)
}

/// The character of the escape at the start of `bytes`, and the escape's length.
///
/// `None` for an unknown or unfinished escape and for half a surrogate pair.
pub(in crate::codec::decode) fn escape(bytes: &[u8]) -> Option<(char, usize)> {
    let plain = match bytes.get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode_escape(bytes),
        _ => return None,
    };
    Some((plain, 2))
}

fn unicode_escape(bytes: &[u8]) -> Option<(char, usize)> {
    let first = hex(bytes.get(2..6)?)?;
    if !(0xd800..0xdc00).contains(&first) {
        // A low surrogate is not a character, so it fails here.
        return Some((char::from_u32(first)?, 6));
    }
    if bytes.get(6..8)? != b"\\u" {
        return None;
    }
    let second = hex(bytes.get(8..12)?)?;
    if !(0xdc00..0xe000).contains(&second) {
        return None;
    }
    Some((char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))?, 12))
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
}

/// The text of a string: a part of the record, or `scratch` if escapes have to be resolved.
#[inline(always)]
pub(in crate::codec::decode) fn text<'a>(record: &'a str, raw: RawValue, scratch: &'a mut String) -> &'a str {
    let written = raw.of(record);
    if raw.json_type() != JsonType::Escaped {
        return written;
    }
    unescape(written, scratch);
    scratch
}

/// Replaces `out` by the text of `raw`, the inside of a string whose escapes are known to be valid.
fn unescape(raw: &str, out: &mut String) {
    out.clear();
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let Some((char, len)) = escape(&rest.as_bytes()[at..]) else {
            return;
        };
        out.push(char);
        rest = &rest[at + len..];
    }
    out.push_str(rest);
}
