//! Decimals from their text: billionths, rounded half-even.

/// Billionths in one.
pub const ONE: i128 = 1_000_000_000;

/// Sums, averages and extremes leave out what is beyond this, in ones.
pub const COUNTED_MAX: i128 = 1_000_000_000_000_000;

/// Literals beyond this, in ones, are doubles.
const LITERAL_MAX: i128 = 1_000_000_000_000_000_000;

/// The double nearest to a number's text, unless none that is finite holds it.
pub fn double(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// A number that is counted, in billionths.
pub fn counted(text: &str) -> Option<i128> {
    rounded(text, COUNTED_MAX).map(|(number, _)| number)
}

/// A literal of a catalog in billionths, unless it is a double.
pub fn literal(text: &str) -> Option<i128> {
    rounded(text, LITERAL_MAX).and_then(|(number, exact)| exact.then_some(number))
}

/// The number in billionths, rounded half-even from its decimal text, unless that is beyond the limit; and whether
/// nothing was lost.
fn rounded(text: &str, limit: i128) -> Option<(i128, bool)> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    if digits.is_empty() {
        return Some((0, true));
    }
    // An exponent that no i64 holds is as good as a very large or a very small one.
    let exponent = exponent.parse::<i64>().unwrap_or(if exponent.starts_with('-') { -1_000_000 } else { 1_000_000 });
    let exponent = exponent.clamp(-1_000_000, 1_000_000);
    // The number of digits of the value in billionths that stand before the point.
    let kept = digits.len() as i64 + exponent - fraction.len() as i64 + 9;
    if kept > 29 {
        return None;
    }
    let (units, cut) = match usize::try_from(kept) {
        Err(_) => (0, format!("0{digits}")), // less than a tenth of a unit
        Ok(kept) if kept >= digits.len() => {
            (digits.parse::<i128>().expect("digits") * 10i128.pow((kept - digits.len()) as u32), "0".to_owned())
        }
        Ok(kept) => (digits[..kept].parse::<i128>().unwrap_or(0), digits[kept..].to_owned()),
    };
    let beyond_half = cut.as_bytes()[0] > b'5' || cut.as_bytes()[0] == b'5' && cut[1..].bytes().any(|b| b != b'0');
    let at_half = cut.as_bytes()[0] == b'5' && !beyond_half;
    let whole = units + i128::from(beyond_half || at_half && units % 2 == 1);
    let exact = cut.bytes().all(|b| b == b'0');
    let over = units > limit * ONE || units == limit * ONE && !exact;
    (!over).then_some((if negative { -whole } else { whole }, exact))
}

/// In full, without an exponent and without zeros at the end.
pub fn written(billionths: i128) -> String {
    let sign = if billionths < 0 { "-" } else { "" };
    let text = format!("{sign}{}.{:09}", (billionths / ONE).abs(), (billionths % ONE).abs());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The double nearest to a decimal.
pub fn nearest(billionths: i128) -> f64 {
    double(&written(billionths)).expect("a number in digits")
}
