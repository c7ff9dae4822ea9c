//! The inside of JSON strings: how far plain text goes, and what an escape stands for.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// How many bytes from `at` on are neither a quote, nor a backslash, nor a control character.
///
/// Eight at a time: subtracting from every byte at once borrows out of just those that are zero (or less than a
/// space). A borrow may also mark the neighbour above, so only the lowest mark counts, and it is always right.
pub(super) fn plain_len(bytes: &[u8], at: usize) -> usize {
    let mut rest = &bytes[at..];
    while let Some(chunk) = rest.first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let (quote, backslash) = (word ^ (ONES * 0x22), word ^ (ONES * 0x5c));
        let marks = (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let marks = marks & HIGHS;
        if marks != 0 {
            return bytes.len() - at - rest.len() + (marks.trailing_zeros() / 8) as usize;
        }
        rest = &rest[8..];
    }
    let plain = rest.iter().take_while(|b| **b >= 0x20 && **b != b'"' && **b != b'\\').count();
    bytes.len() - at - rest.len() + plain
}

/// The character that the escape at the start of `bytes` stands for, and the escape's length.
///
/// `None` for an unknown or unfinished escape and for half a surrogate pair.
pub(super) fn escape(bytes: &[u8]) -> Option<(char, usize)> {
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
        // A low surrogate is no character, so it fails here.
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

/// Replaces `out` by the text that stands for `raw`, the inside of a string whose escapes are known to be right.
pub(super) fn unescape(raw: &str, out: &mut String) {
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
