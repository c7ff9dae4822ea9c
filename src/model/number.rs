//! A number: an integer of an event, an exact decimal or a double, and how the three compare (spec 9.1).

use std::cmp::Ordering;
use std::fmt;

use super::Decimal;

/// A finite number.
///
/// Numbers are equal as they are in an expression, whatever their form: an integer is compared exactly with every
/// number, a decimal that meets a double as the double nearest to it.
#[derive(Clone, Copy)]
pub enum Number {
    /// An integer of an event.
    Integer(i64),
    Decimal(Decimal),
    Double(f64),
}

impl Number {
    pub const ZERO: Number = Number::Decimal(Decimal::ZERO);

    /// A double; `None` if it is not finite.
    pub fn double(number: f64) -> Option<Self> {
        number.is_finite().then_some(Number::Double(number))
    }

    /// The number that a text is; `None` for a text that is not a JSON number, and for a number that no finite double
    /// holds.
    pub fn from_json(text: &str) -> Option<Self> {
        if !is_json_number(text.as_bytes()) {
            return None;
        }
        let integer = if text.contains(['.', 'e', 'E']) { None } else { text.parse().ok().map(Number::Integer) };
        integer.or_else(|| Number::double(text.parse().ok()?))
    }

    pub const fn count(number: u64) -> Self {
        Number::Decimal(Decimal::from_billionths(number as i128 * 1_000_000_000))
    }

    /// The double nearest to this number.
    pub fn to_f64(self) -> f64 {
        match self {
            Number::Integer(integer) => integer as f64,
            Number::Decimal(decimal) => decimal.to_f64(),
            Number::Double(double) => double,
        }
    }

    /// Whether a number as it is written is this number: of a double, whether it is what the double is written as.
    pub fn is_written(self, text: &str) -> bool {
        match self {
            Number::Double(double) => significant(text) == significant(&double.to_string()),
            Number::Integer(_) | Number::Decimal(_) => true,
        }
    }

    /// How this number compares with another one.
    pub fn compare(self, other: Number) -> Ordering {
        match (self, other) {
            (Number::Decimal(a), Number::Decimal(b)) => a.cmp(&b),
            (Number::Double(a), Number::Double(b)) => compare_doubles(a, b),
            (Number::Integer(a), Number::Integer(b)) => a.cmp(&b),
            (Number::Integer(a), Number::Decimal(b)) => Decimal::whole(a).cmp(&b),
            (Number::Decimal(a), Number::Integer(b)) => a.cmp(&Decimal::whole(b)),
            (Number::Decimal(a), Number::Double(b)) => compare_doubles(a.to_f64(), b),
            (Number::Double(a), Number::Decimal(b)) => compare_doubles(a, b.to_f64()),
            (Number::Integer(a), Number::Double(b)) => compare_with_integer(b, a).reverse(),
            (Number::Double(a), Number::Integer(b)) => compare_with_integer(a, b),
        }
    }

    /// The lesser of two numbers.
    pub fn least(self, other: Number) -> Number {
        if other < self { other } else { self }
    }

    /// The greater of two numbers.
    pub fn greatest(self, other: Number) -> Number {
        if other > self { other } else { self }
    }

    /// The difference: exact, unless one of the two is a double with a fraction.
    pub fn minus(self, other: Number) -> Number {
        let exact = self.as_decimal().zip(other.as_decimal()).and_then(|(a, b)| a.minus(b));
        exact.map_or(Number::Double(self.to_f64() - other.to_f64()), Number::Decimal)
    }

    fn as_decimal(self) -> Option<Decimal> {
        match self {
            Number::Integer(integer) => Some(Decimal::whole(integer)),
            Number::Decimal(decimal) => Some(decimal),
            Number::Double(double) if double.fract() == 0.0 && double.abs() < 1e18 => {
                Some(Decimal::whole(double as i64))
            }
            Number::Double(_) => None,
        }
    }

    /// Whether the two are equal and have one form, so that they are equal in every expression.
    pub fn is_same(self, other: Number) -> bool {
        self == other && std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }

    /// The double that is exactly this number, if there is one.
    pub fn exact_f64(self) -> Option<f64> {
        let double = self.to_f64();
        match self {
            Number::Integer(integer) if compare_with_integer(double, integer).is_ne() => None,
            _ => Some(double),
        }
    }
}

/// RFC 8259, section 6, without anything around it.
fn is_json_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(unsigned);
    let mut rest = &unsigned[whole..];
    let mut is_number = whole == 1 || whole > 1 && unsigned[0] != b'0';
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = digits(fraction);
        is_number &= count > 0;
        rest = &fraction[count..];
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let exponent = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
        let count = digits(exponent);
        is_number &= count > 0;
        rest = &exponent[count..];
    }
    is_number && rest.is_empty()
}

/// The digits of a number as it is written, without zeros at their ends, and the power of ten of the last one.
fn significant(text: &str) -> (String, i64) {
    let unsigned = text.trim_start_matches(['-', '+', ' ']);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_end_matches('0');
    let exponent = exponent.parse().unwrap_or(0) + (digits.len() - kept.len()) as i64 - fraction.len() as i64;
    let kept = kept.trim_start_matches('0');
    (kept.to_owned(), if kept.is_empty() { 0 } else { exponent })
}

fn compare_doubles(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or(Ordering::Equal)
}

/// Compares a double with an integer, exactly.
fn compare_with_integer(double: f64, integer: i64) -> Ordering {
    /// 2^63, the first double beyond every integer.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if double >= BEYOND {
        return Ordering::Greater;
    }
    if double < -BEYOND {
        return Ordering::Less;
    }
    let floor = double.floor();
    (floor as i64).cmp(&integer).then(if double > floor { Ordering::Greater } else { Ordering::Equal })
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.compare(*other).is_eq()
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.compare(*other))
    }
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Number::Double(number)
    }
}

impl From<Decimal> for Number {
    fn from(number: Decimal) -> Self {
        Number::Decimal(number)
    }
}

/// Integers and decimals in full, doubles as ECMAScript writes them.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Integer(integer) => write!(f, "{integer}"),
            Number::Decimal(decimal) => write!(f, "{decimal}"),
            Number::Double(double) => f.write_str(ryu_js::Buffer::new().format(*double)),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
