//! Durations as settings write them: whole numbers with units, such as `100ms` or `1h30m`.

use std::time::Duration;

use crate::catalog::parse_duration;

/// Without weeks, which are written as days.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// A duration as users write it, in the largest unit that divides it.
pub(crate) fn display(length: Duration) -> String {
    let ms = length.as_millis();
    let fitting = UNITS.iter().rev().find(|(_, unit_ms)| ms.is_multiple_of(u128::from(*unit_ms)));
    match fitting {
        Some((unit, unit_ms)) if ms > 0 => format!("{}{unit}", ms / u128::from(*unit_ms)),
        _ => "0s".to_owned(),
    }
}

/// Parses whole numbers, each followed by a unit, without spaces between them; `None` for anything else.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let ms = parse_duration(text).ok().filter(|_| !text.contains(char::is_whitespace))?;
    Some(Duration::from_millis(ms.unsigned_abs()))
}
