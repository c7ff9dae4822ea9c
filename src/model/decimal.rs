//! Exact decimal arithmetic in millionths, for sums without rounding errors.

/// A number rounded half-even to six decimals, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Micros(pub i128);

/// The greatest magnitude that `sum`, `avg`, `min` and `max` accept: 10^12.
const MAGNITUDE_MAX: i128 = 1_000_000_000_000_000_000;

/// The number of digits before the decimal point that a number up to [`MAGNITUDE_MAX`] can have.
const INTEGER_DIGITS_MAX: i64 = 13;

impl Micros {
    /// Rounds a JSON number half-even to six decimals, from its digits and not from its double.
    ///
    /// `None` where the number as written is beyond ±10^12. `text` must be a valid JSON number.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (negative, bytes) = match bytes.first() {
            Some(b'-') => (true, &bytes[1..]),
            _ => (false, bytes),
        };
        let mantissa_len = bytes.iter().take_while(|b| !matches!(b, b'e' | b'E')).count();
        let mantissa = &bytes[..mantissa_len];
        let exponent = exponent(&bytes[mantissa_len..]);
        let point = mantissa.iter().position(|b| *b == b'.').unwrap_or(mantissa.len());
        let mut digits = mantissa.iter().filter(|b| **b != b'.').map(|b| b - b'0');
        // The digit at index i is worth 10^(point + exponent - 1 - i): those worth at least a millionth are kept.
        let kept = (point as i64).saturating_add(exponent).saturating_add(6);
        let micros = round(&mut digits, kept)?;
        Some(Micros(if negative { -micros } else { micros }))
    }

    /// Whether a JSON number has no more than six decimals, as [`Micros`] has.
    pub fn is_exact(text: &str) -> bool {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let decimals = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.trim_end_matches('0').len());
        let zeros = match mantissa.split_once('.') {
            None => mantissa.len() - mantissa.trim_end_matches('0').len(),
            Some(_) => 0,
        };
        let shift: i64 = exponent.parse().unwrap_or(0);
        decimals as i64 - zeros as i64 - shift <= 6 || mantissa.bytes().all(|b| matches!(b, b'0' | b'.' | b'-'))
    }

    /// The double nearest to this decimal.
    pub fn to_f64(self) -> f64 {
        const EXACT: i128 = 1 << 53;
        if self.0.abs() <= EXACT {
            // Both operands are exact, so one division rounds once.
            return self.0 as f64 / 1e6;
        }
        // Beyond, the integer would be rounded, and then the quotient again. So divide as integers, shifted left as far
        // as possible: that gives over 100 bits. A remainder sets the lowest bit, which distinguishes a tie from a value
        // above it; then only the conversion rounds, and shifting back is exact.
        let magnitude = self.0.unsigned_abs();
        let shift = magnitude.leading_zeros();
        let moved = magnitude << shift;
        let quotient = (moved / 1_000_000) | u128::from(!moved.is_multiple_of(1_000_000));
        let double = quotient as f64 / (1_u128 << shift) as f64;
        if self.0 < 0 { -double } else { double }
    }
}

/// The number behind an `e`, limited to ±2^40: no mantissa is long enough to compensate for more.
fn exponent(bytes: &[u8]) -> i64 {
    let Some((_, digits)) = bytes.split_first() else {
        return 0;
    };
    let negative = digits.first() == Some(&b'-');
    let mut value = 0_i64;
    for digit in digits.iter().filter(|b| b.is_ascii_digit()) {
        value = (value * 10 + i64::from(digit - b'0')).min(1 << 40);
    }
    if negative { -value } else { value }
}

/// The first `kept` digits as an integer, rounded half-even by those that follow; `None` for what is beyond
/// [`MAGNITUDE_MAX`] before it is rounded.
fn round(digits: &mut impl Iterator<Item = u8>, kept: i64) -> Option<i128> {
    let mut value = 0_i128;
    let mut significant = 0;
    for _ in 0..kept.max(0) {
        let Some(digit) = digits.next() else {
            // Only zeros follow: their number alone can make the value too large.
            if value == 0 {
                return Some(0);
            }
            value *= 10;
            significant += 1;
            if significant > INTEGER_DIGITS_MAX + 6 {
                return None;
            }
            continue;
        };
        value = value * 10 + i128::from(digit);
        significant += i64::from(value != 0);
        if significant > INTEGER_DIGITS_MAX + 6 {
            return None;
        }
    }
    // With kept < 0 there is a zero between the rounding position and the first digit.
    let (next, rest_is_zero) = if kept < 0 { (0, false) } else { (digits.next().unwrap_or(0), digits.all(|d| d == 0)) };
    if value > MAGNITUDE_MAX || value == MAGNITUDE_MAX && !(next == 0 && rest_is_zero) {
        return None;
    }
    let up = match next.cmp(&5) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => !rest_is_zero || value % 2 == 1,
    };
    Some(value + i128::from(up))
}
