//! Numbers: integers as JSON writes them, decimals with nine places, and doubles; how they compare and are written.

use std::cmp::Ordering;

use serde_json::Value as Output;

/// Units of a decimal in one.
pub const UNIT: i128 = 1_000_000_000;

/// A decimal beyond this, in units, is absent: 10²⁷.
pub const DECIMAL_MAX: i128 = 10i128.pow(36);

/// Numbers beyond this, in units, do not count in sums and the like: 10¹⁵.
pub const COUNTED_MAX: i128 = 10i128.pow(24);

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// An integer of an event.
    Whole(i64),
    /// In units.
    Decimal(i128),
    Double(f64),
}

impl Number {
    /// A number of an event; nothing where no finite double holds it.
    pub fn of_json(text: &str) -> Option<Self> {
        let is_integer = !text.contains(['.', 'e', 'E']);
        match text.parse::<i64>() {
            Ok(whole) if is_integer => Some(Self::Whole(whole)),
            _ => double(text).map(Self::Double),
        }
    }

    /// A literal of the catalog: a decimal with at most nine places up to 10¹⁸, else a double.
    pub fn literal(text: &str) -> Self {
        let inexact = || Self::Double(double(text).expect("a literal that a double holds"));
        let Some((digits, exponent)) = digits(text) else { return inexact() };
        if digits == 0 {
            return Self::Decimal(0);
        }
        if !(-9..=18).contains(&exponent) {
            return inexact();
        }
        match digits.checked_mul(10i128.pow((exponent + 9) as u32)) {
            Some(units) if units.abs() <= 10i128.pow(18) * UNIT => Self::Decimal(units),
            _ => inexact(),
        }
    }

    pub fn count(number: usize) -> Self {
        Self::Decimal(number as i128 * UNIT)
    }

    pub fn double(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            // Both are exact as doubles, so the one division rounds once, to the nearest.
            Self::Decimal(units) if units.abs() < 1 << 53 => units as f64 / UNIT as f64,
            Self::Decimal(units) => double(&decimal_text(units)).expect("a decimal"),
            Self::Double(double) => double,
        }
    }

    pub fn is_finite(self) -> bool {
        match self {
            Self::Double(double) => double.is_finite(),
            _ => true,
        }
    }

    pub fn negated(self) -> Self {
        match self {
            Self::Decimal(units) => Self::Decimal(-units),
            other => Self::Double(-other.double()),
        }
    }

    pub fn absolute(self) -> Self {
        match self {
            Self::Decimal(units) => Self::Decimal(units.abs()),
            other => Self::Double(other.double().abs()),
        }
    }

    /// Whether it is a literal such as a decimal may be multiplied by.
    pub fn is_whole_decimal(self) -> bool {
        matches!(self, Self::Decimal(units) if units % UNIT == 0)
    }

    /// The integer at or above, for what is not too large.
    pub fn ceiling(self) -> f64 {
        match self {
            Self::Decimal(units) => (units.div_euclid(UNIT) + i128::from(units.rem_euclid(UNIT) != 0)) as f64,
            other => other.double().ceil(),
        }
    }

    /// The number that the shortest text of a result stands for, as sums take it: in units, nothing where it is too large.
    pub fn counted(self) -> Option<i128> {
        match self {
            Self::Whole(whole) => units(&whole.to_string()),
            other => units(&format!("{}", other.double())),
        }
    }

    /// As a tag change shows it.
    pub fn output(self) -> Output {
        match self {
            Self::Whole(whole) => whole.into(),
            Self::Decimal(units) => output(&decimal_text(units)),
            Self::Double(number) if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 => {
                Output::from(number as i64)
            }
            Self::Double(number) => Output::from(number),
        }
    }
}

/// What compares: integers exactly with whatever number, decimals exactly with each other, and as doubles with doubles.
impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (*self, *other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(&b)),
            (Self::Decimal(a), Self::Decimal(b)) => Some(a.cmp(&b)),
            (Self::Whole(a), Self::Decimal(b)) => Some((i128::from(a) * UNIT).cmp(&b)),
            (Self::Decimal(a), Self::Whole(b)) => Some(a.cmp(&(i128::from(b) * UNIT))),
            (Self::Whole(a), Self::Double(b)) => whole_to_double(a, b),
            (Self::Double(a), Self::Whole(b)) => whole_to_double(b, a).map(Ordering::reverse),
            (a, b) => a.double().partial_cmp(&b.double()),
        }
    }
}

fn whole_to_double(whole: i64, double: f64) -> Option<Ordering> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if double.is_nan() {
        return None;
    }
    if double >= BEYOND {
        return Some(Ordering::Less);
    }
    if double < -BEYOND {
        return Some(Ordering::Greater);
    }
    let below = double.floor();
    let above = if double > below { Ordering::Less } else { Ordering::Equal };
    Some(whole.cmp(&(below as i64)).then(above))
}

/// The double nearest to a number's text, unless none that is finite holds it.
pub fn double(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// A number's text as it stands in a tag change, so that no digit is lost in comparing two of them.
pub fn output(text: &str) -> Output {
    if let Ok(whole) = text.parse::<i64>() {
        return whole.into();
    }
    let number = double(text).expect("a number");
    // Where two shortest texts are as near, ECMAScript takes the even one, and Rust the other.
    let is_shortest = |text: &str| text.len() == format!("{number}").len() && text.parse() == Ok(number);
    if text.contains('e') || is_shortest(text) { number.into() } else { format!("number {text}").into() }
}

/// In full, without trailing zeros.
fn decimal_text(units: i128) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let text = format!("{sign}{}.{:09}", (units / UNIT).abs(), (units % UNIT).abs());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The digits of a number without trailing zeros, as a whole number, and the power of ten that belongs to it.
fn digits(text: &str) -> Option<(i128, i64)> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let kept = all.trim_end_matches('0');
    let exponent = exponent.parse::<i64>().ok()? - fraction.len() as i64 + (all.len() - kept.len()) as i64;
    let kept = kept.trim_start_matches('0');
    let number: i128 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
    Some((if negative { -number } else { number }, exponent))
}

/// The number in units, rounded half-even from its decimal text, unless it is beyond ±10¹⁵.
pub fn units(text: &str) -> Option<i128> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    // An exponent that no i64 holds is as good as a very large or a very small one.
    let exponent = exponent.parse::<i64>().unwrap_or(if exponent.starts_with('-') { -1_000_000 } else { 1_000_000 });
    let exponent = exponent.clamp(-1_000_000, 1_000_000);
    // The number of digits of the value in units that stand before the point.
    let kept = digits.len() as i64 + exponent - fraction.len() as i64 + 9;
    if kept > 25 {
        return None;
    }
    let (units, cut) = match usize::try_from(kept) {
        Err(_) => (0, "0"), // less than a tenth of a unit
        Ok(kept) if kept >= digits.len() => {
            (digits.parse::<i128>().expect("digits") * 10i128.pow((kept - digits.len()) as u32), "0")
        }
        Ok(kept) => (digits[..kept].parse::<i128>().unwrap_or(0), &digits[kept..]),
    };
    let rest = cut[1..].bytes().any(|b| b != b'0');
    let beyond_half = cut.as_bytes()[0] > b'5' || cut.as_bytes()[0] == b'5' && rest;
    let at_half = cut.as_bytes()[0] == b'5' && !rest;
    let over = units > COUNTED_MAX || units == COUNTED_MAX && (rest || cut.as_bytes()[0] != b'0');
    let rounded = units + i128::from(beyond_half || at_half && units % 2 == 1);
    (!over).then_some(if negative { -rounded } else { rounded })
}
