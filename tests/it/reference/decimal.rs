//! Numbers from their JSON text: the nearest double, the half-even micro-units of sums, and numbers for the output.

use serde_json::Value;

/// Micro-units in one.
pub const MICRO: i128 = 1_000_000;

/// Sums, averages and extremes leave out what is beyond this, in micro-units.
const COUNTED_MICRO_MAX: i128 = 1_000_000_000_000 * MICRO;

/// The same in ones.
pub const COUNTED_MAX: f64 = 1e12;

/// The double nearest to a number's text, unless none that is finite holds it.
pub fn double(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// The number in micro-units, rounded half-even from its decimal text, unless it is beyond ±10¹².
pub fn micro(text: &str) -> Option<i128> {
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
    // The number of digits of the value in micro-units that stand before the point.
    let kept = digits.len() as i64 + exponent - fraction.len() as i64 + 6;
    if kept > 19 {
        return None;
    }
    let (units, cut) = match usize::try_from(kept) {
        Err(_) => (0, "0"), // less than a tenth of a unit
        Ok(kept) if kept >= digits.len() => {
            (digits.parse::<i128>().expect("digits") * 10i128.pow((kept - digits.len()) as u32), "0")
        }
        Ok(kept) => (digits[..kept].parse::<i128>().unwrap_or(0), &digits[kept..]),
    };
    let beyond_half = cut.as_bytes()[0] > b'5' || cut.as_bytes()[0] == b'5' && cut[1..].bytes().any(|b| b != b'0');
    let at_half = cut.as_bytes()[0] == b'5' && !beyond_half;
    let rounded = units + i128::from(beyond_half || at_half && units % 2 == 1);
    let over = units > COUNTED_MICRO_MAX || units == COUNTED_MICRO_MAX && cut.bytes().any(|b| b != b'0');
    (!over).then_some(if negative { -rounded } else { rounded })
}

/// The double nearest to a sum of micro-units.
pub fn double_of_micro(sum: i128) -> f64 {
    let sign = if sum < 0 { "-" } else { "" };
    let text = format!("{sign}{}.{:06}", (sum / MICRO).abs(), (sum % MICRO).abs());
    double(&text).expect("a sum of finite numbers")
}

/// A number for the output: whole ones as integers while these are exact.
pub fn output(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        return Value::from(number as i64);
    }
    Value::from(number)
}
