//! Literals of expressions: numbers, and strings with their escapes, as CEL defines them.

use super::ast::AstNode;
use crate::model::{Decimal, Number};

/// Why a token is not a literal of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LiteralError {
    /// Not a number.
    NotNumber,
    /// A number beyond the range of its type.
    OutOfRange,
    /// An escape without a meaning.
    BadEscape,
    /// `3u`: CEL's unsigned numbers.
    Unsigned,
    /// `b"…"`: CEL's bytes.
    Bytes,
}

/// The number of a token, with the sign before it.
pub(crate) fn number(text: &str, is_negative: bool) -> Result<AstNode, LiteralError> {
    let sign = if is_negative { "-" } else { "" };
    if let Some(digits) = text.strip_prefix("0x") {
        let (digits, is_unsigned) = unsuffixed(digits);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(LiteralError::NotNumber);
        }
        let number = i64::from_str_radix(&format!("{sign}{digits}"), 16);
        return if is_unsigned { Err(LiteralError::Unsigned) } else { whole(number) };
    }
    let (digits, is_unsigned) = unsuffixed(text);
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        if is_unsigned {
            return Err(LiteralError::Unsigned);
        }
        if let Ok(number) = format!("{sign}{digits}").parse::<i64>() {
            return whole(Ok(number));
        }
        // Beyond 64 bits it is a double, as all literals beyond ±10¹⁸.
    }
    if !is_decimal(text) {
        return Err(LiteralError::NotNumber);
    }
    match format!("{sign}{text}").parse::<f64>() {
        Ok(double) if double.is_finite() => {
            let decimal = Decimal::literal(&format!("{sign}{text}"));
            Ok(AstNode::Number(decimal.map_or(Number::Double(double), Number::Decimal)))
        }
        _ => Err(LiteralError::OutOfRange),
    }
}

fn unsuffixed(digits: &str) -> (&str, bool) {
    digits.strip_suffix(['u', 'U']).map_or((digits, false), |digits| (digits, true))
}

fn whole(number: Result<i64, std::num::ParseIntError>) -> Result<AstNode, LiteralError> {
    let number = number.map_err(|_| LiteralError::OutOfRange)?;
    let decimal = Decimal::literal(&number.to_string());
    Ok(AstNode::Number(decimal.map_or(Number::Double(number as f64), Number::Decimal)))
}

/// Whether a text is digits with a fraction, an exponent, or both.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let has_exponent = exponent.is_none_or(|exponent| is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    has_exponent
        && match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole.is_empty() || is_digits(whole)) && is_digits(fraction),
            None => is_digits(mantissa),
        }
}

/// The text of a token in quotes.
pub(crate) fn string(token: &str) -> Result<AstNode, LiteralError> {
    let quoted = token.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let prefix = &token[..token.len() - quoted.len()];
    let fence = if is_triple(quoted) { 3 } else { 1 };
    let inner = &quoted[fence..quoted.len() - fence];
    if prefix.contains(['b', 'B']) {
        return Err(LiteralError::Bytes);
    }
    if prefix.is_empty() { unescaped(inner) } else { Some(inner.to_owned()) }
        .map(AstNode::Text)
        .ok_or(LiteralError::BadEscape)
}

fn is_triple(quoted: &str) -> bool {
    quoted.len() >= 6 && (quoted.starts_with("\"\"\"") || quoted.starts_with("'''"))
}

fn unescaped(inner: &str) -> Option<String> {
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let (character, len) = escape(&rest[at + 1..])?;
        text.push(character);
        rest = &rest[at + 1 + len..];
    }
    text.push_str(rest);
    Some(text)
}

/// The character of an escape, and the length of what follows the backslash.
fn escape(rest: &str) -> Option<(char, usize)> {
    let code = |from: usize, digits: usize, radix: u32| {
        let digits = rest.get(from..from + digits)?;
        let code = digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, radix).ok())??;
        Some((char::from_u32(code)?, from + digits.len()))
    };
    let character = match rest.chars().next()? {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        same @ ('"' | '\'' | '\\' | '?' | '`') => same,
        'x' | 'X' => return code(1, 2, 16),
        'u' => return code(1, 4, 16),
        'U' => return code(1, 8, 16),
        '0'..='3' => return code(0, 3, 8),
        _ => return None,
    };
    Some((character, 1))
}
