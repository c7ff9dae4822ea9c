//! Durations as settings write them: whole numbers with units, such as `100ms` or `1h30m`.

use std::time::Duration;

const UNITS: [(&str, u64); 6] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

/// A duration as users write it, in the largest unit that divides it.
pub(crate) fn display(length: Duration) -> String {
    let ms = length.as_millis();
    // Weeks are written as days.
    let fitting = UNITS[..5].iter().rev().find(|(_, unit_ms)| ms.is_multiple_of(u128::from(*unit_ms)));
    match fitting {
        Some((unit, unit_ms)) if ms > 0 => format!("{}{unit}", ms / u128::from(*unit_ms)),
        _ => "0s".to_owned(),
    }
}

/// Parses whole numbers, each followed by `ms`, `s`, `m`, `h`, `d` or `w`; `None` for anything else.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut total_ms = 0_u64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let count: u64 = rest[..digits].parse().ok()?;
        let unit_end = rest[digits..].find(|c: char| !c.is_ascii_alphabetic()).map_or(rest.len(), |at| digits + at);
        let (_, unit_ms) = UNITS.iter().find(|(name, _)| *name == &rest[digits..unit_end])?;
        total_ms = total_ms.checked_add(count.checked_mul(*unit_ms)?)?;
        rest = &rest[unit_end..];
    }
    Some(Duration::from_millis(total_ms))
}
