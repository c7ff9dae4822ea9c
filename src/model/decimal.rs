//! Exact decimal numbers in billionths, for sums, counts and the literals of a catalog.

use std::fmt;

/// How many billionths are one.
const ONE: i128 = 1_000_000_000;

/// The number of decimals.
const DECIMALS: i64 = 9;

/// A number with nine decimals, of at most ±10^27 (spec 9.1).
///
/// It is packed so that a value of any type takes no more room than a text does.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(Rust, packed(8))]
pub struct Decimal(i128);

/// The largest numbers that a text may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Magnitude {
    /// 10^15: of numbers that `sum`, `avg`, `min` and `max` take.
    Counted,
    /// 10^18: of a catalog's literals.
    Literal,
}

impl Magnitude {
    fn exponent(self) -> u32 {
        match self {
            Magnitude::Counted => 15,
            Magnitude::Literal => 18,
        }
    }

    /// In billionths.
    fn most(self) -> i128 {
        ONE * 10_i128.pow(self.exponent())
    }

    /// The most digits before the decimal point.
    fn integer_digits(self) -> i64 {
        i64::from(self.exponent()) + 1
    }
}

impl Decimal {
    pub const ZERO: Decimal = Decimal(0);
    /// 10^27: a result beyond it, or beyond its negative, is absent.
    pub const MAX: Decimal = Decimal(ONE * 1_000_000_000_000_000_000_000_000_000);

    pub const fn from_billionths(billionths: i128) -> Self {
        Decimal(billionths)
    }

    pub const fn billionths(self) -> i128 {
        self.0
    }

    pub const fn whole(number: i64) -> Self {
        Decimal(number as i128 * ONE)
    }

    /// The number, where it has no fraction and 64 bits hold it.
    pub fn as_whole(self) -> Option<i64> {
        // A division of 128 bits takes several times as long.
        if let Ok(billionths) = i64::try_from(self.0) {
            return (billionths % ONE as i64 == 0).then_some(billionths / ONE as i64);
        }
        if self.0 % ONE == 0 { i64::try_from(self.0 / ONE).ok() } else { None }
    }

    /// Rounds a JSON number half-even to nine decimals, from its digits and not from its double.
    ///
    /// `None` where the number as written is beyond ±10^15. `text` must be a valid JSON number.
    pub fn rounded(text: &str) -> Option<Self> {
        let rounded = round(text, Magnitude::Counted)?;
        Some(Decimal(rounded.billionths))
    }

    /// A literal of a catalog, if it has at most nine decimals and is not beyond ±10^18. `text` must be a valid JSON
    /// number.
    pub fn literal(text: &str) -> Option<Self> {
        let rounded = round(text, Magnitude::Literal)?;
        rounded.is_exact.then_some(Decimal(rounded.billionths))
    }

    /// Whether [`Decimal::rounded`] gives a JSON number as it is written.
    pub fn is_exact(text: &str) -> bool {
        round(text, Magnitude::Counted).is_some_and(|rounded| rounded.is_exact)
    }

    /// The double nearest to this decimal.
    pub fn to_f64(self) -> f64 {
        const EXACT: i128 = 1 << 53;
        let billionths = self.0;
        if billionths.abs() <= EXACT {
            // Both operands are exact, so one division rounds once.
            return billionths as f64 / ONE as f64;
        }
        // Beyond, the integer would be rounded, and then the quotient again. So divide as integers, shifted left as far
        // as possible: that gives over 90 bits. A remainder sets the lowest bit, which distinguishes a tie from a value
        // above it; then only the conversion rounds, and shifting back is exact.
        let magnitude = billionths.unsigned_abs();
        let shift = magnitude.leading_zeros();
        let moved = magnitude << shift;
        let quotient = (moved / ONE as u128) | u128::from(!moved.is_multiple_of(ONE as u128));
        let double = quotient as f64 / (1_u128 << shift) as f64;
        if billionths < 0 { -double } else { double }
    }

    /// `None` beyond ±10^27.
    fn checked(billionths: Option<i128>) -> Option<Self> {
        billionths.map(Decimal).filter(|decimal| decimal.0.unsigned_abs() <= Decimal::MAX.0.unsigned_abs())
    }

    pub fn plus(self, other: Self) -> Option<Self> {
        Decimal::checked(self.0.checked_add(other.0))
    }

    pub fn minus(self, other: Self) -> Option<Self> {
        Decimal::checked(self.0.checked_sub(other.0))
    }

    /// The product, where one of the two is whole and the product is not beyond ±10^27.
    pub fn times_whole(self, other: Self) -> Option<Self> {
        let (a, b) = (self.0, other.0);
        Decimal::checked(if b % ONE == 0 { a.checked_mul(b / ONE) } else { (a / ONE).checked_mul(b) })
    }

    pub fn is_whole(self) -> bool {
        self.0 % ONE == 0
    }

    pub fn is_negative(self) -> bool {
        self.0 < 0
    }

    pub fn negated(self) -> Self {
        Decimal(-self.0)
    }

    pub fn magnitude(self) -> Self {
        Decimal(self.0.abs())
    }
}

/// In full, without an exponent and without zeros at the end.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(self.text().bytes()).map_err(|_| fmt::Error)?)
    }
}

impl Decimal {
    /// The bytes that [`fmt::Display`] writes.
    pub fn text(self) -> DecimalText {
        let mut text = DecimalText { bytes: [0; DecimalText::LEN], begin: DecimalText::LEN };
        let magnitude = self.0.unsigned_abs();
        let (mut whole, mut fraction) = match u64::try_from(magnitude) {
            Ok(small) => (u128::from(small / ONE as u64), small % ONE as u64),
            Err(_) => (magnitude / ONE as u128, (magnitude % ONE as u128) as u64),
        };
        if fraction > 0 {
            let mut places = DECIMALS;
            while fraction.is_multiple_of(10) {
                fraction /= 10;
                places -= 1;
            }
            for _ in 0..places {
                text.push_front(b'0' + (fraction % 10) as u8);
                fraction /= 10;
            }
            text.push_front(b'.');
        }
        while u64::try_from(whole).is_err() {
            text.push_front(b'0' + (whole % 10) as u8);
            whole /= 10;
        }
        let mut rest = whole as u64;
        loop {
            text.push_front(b'0' + (rest % 10) as u8);
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if self.is_negative() {
            text.push_front(b'-');
        }
        text
    }
}

/// A decimal as text.
pub struct DecimalText {
    bytes: [u8; DecimalText::LEN],
    begin: usize,
}

impl DecimalText {
    /// A sign, the digits of 128 bits, a point.
    const LEN: usize = 41;

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.begin..]
    }

    fn push_front(&mut self, byte: u8) {
        self.begin -= 1;
        self.bytes[self.begin] = byte;
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The result of rounding.
struct Rounded {
    billionths: i128,
    is_exact: bool,
}

fn round(text: &str, magnitude: Magnitude) -> Option<Rounded> {
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
    // The digit at index i is worth 10^(point + exponent - 1 - i): those worth at least a billionth are kept.
    let kept = (point as i64).saturating_add(exponent).saturating_add(DECIMALS);
    let mut rounded = round_digits(&mut digits, kept, magnitude)?;
    if negative {
        rounded.billionths = -rounded.billionths;
    }
    Some(rounded)
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

/// The first `kept` digits as an integer, rounded half-even by those that follow; `None` for what is too large before it
/// is rounded.
fn round_digits(digits: &mut impl Iterator<Item = u8>, kept: i64, magnitude: Magnitude) -> Option<Rounded> {
    let digits_max = magnitude.integer_digits() + DECIMALS;
    let mut value = 0_i128;
    let mut significant = 0;
    for _ in 0..kept.max(0) {
        let digit = digits.next();
        if digit.is_none() && value == 0 {
            // Only zeros follow.
            return Some(Rounded { billionths: 0, is_exact: true });
        }
        value = value * 10 + i128::from(digit.unwrap_or(0));
        significant += i64::from(value != 0);
        if significant > digits_max {
            return None;
        }
    }
    // With kept < 0 there is a zero between the rounding position and the first digit.
    let next = if kept < 0 { 0 } else { digits.next().unwrap_or(0) };
    let rest_is_zero = digits.all(|d| d == 0);
    let is_exact = next == 0 && rest_is_zero;
    if value > magnitude.most() || value == magnitude.most() && !is_exact {
        return None;
    }
    let up = match next.cmp(&5) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => !rest_is_zero || value % 2 == 1,
    };
    Some(Rounded { billionths: value + i128::from(up), is_exact })
}
