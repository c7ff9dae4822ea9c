//! Instants in milliseconds since 1970: reading RFC 3339, writing `at`, reading durations, and the civil calendar.

pub const DAY_MS: i64 = 86_400_000;

/// 0001-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: the times that there are.
pub const WRITABLE_MS: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

/// The number of a civil date's day, 0 being 1970-01-01.
pub fn day_of_civil(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year }; // years that begin in March
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a day's number.
pub fn civil_of_day(number: i64) -> (i64, i64, i64) {
    let mut year = 1970 + number.div_euclid(366);
    while day_of_civil(year + 1, 1, 1) <= number {
        year += 1;
    }
    while day_of_civil(year, 1, 1) > number {
        year -= 1;
    }
    let month = (1..=12).rev().find(|month| day_of_civil(year, *month, 1) <= number).expect("a month");
    (year, month, number - day_of_civil(year, month, 1) + 1)
}

/// The instant as a change's `at` shows it.
pub fn write(ms: i64) -> String {
    let (year, month, day) = civil_of_day(ms.div_euclid(DAY_MS));
    let of_day = ms.rem_euclid(DAY_MS);
    let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let (second, milli) = (of_day / 1000 % 60, of_day % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// The date as a change shows it.
pub fn write_date(day: i64) -> String {
    let (year, month, day) = civil_of_day(day);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The day of a text `YYYY-MM-DD`, of the years 1 to 9999.
pub fn parse_date(text: &str) -> Option<i64> {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return None };
    let number = |part: &str, length: usize| {
        (part.len() == length && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<i64>().ok())?
    };
    let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
    let found = (year >= 1 && (1..=12).contains(&month)).then(|| day_of_civil(year, month, day))?;
    (civil_of_day(found) == (year, month, day)).then_some(found)
}

/// The instant that an RFC 3339 text with an offset names, decimals after the third cut off.
pub fn parse(text: &str) -> Option<i64> {
    match read(text)? {
        (local, Some(offset_min)) => Some(local - offset_min * 60_000),
        (_, None) => None,
    }
}

/// What a text that is a time shows on the wall, in milliseconds, and its offset in minutes if it has one.
pub fn read(text: &str) -> Option<(i64, Option<i64>)> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        let part = bytes.get(from..to)?;
        part.iter().all(u8::is_ascii_digit).then(|| part.iter().fold(0, |n, b| n * 10 + i64::from(b - b'0')))
    };
    let mark = |at: usize, allowed: &[u8]| bytes.get(at).filter(|b| allowed.contains(b)).map(|_| ());
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    for (at, allowed) in [(4, b"-".as_slice()), (7, b"-"), (10, b"Tt "), (13, b":"), (16, b":")] {
        mark(at, allowed)?;
    }
    let mut at = 19;
    let mut milli = 0;
    if bytes.get(at) == Some(&b'.') {
        let decimals = bytes[at + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
        if decimals == 0 {
            return None;
        }
        milli = number(at + 1, at + 1 + decimals.min(3))? * [0, 100, 10, 1][decimals.min(3)];
        at += 1 + decimals;
    }
    let offset_min = match bytes.get(at) {
        None => None,
        Some(b'Z' | b'z') if bytes.len() == at + 1 => Some(0),
        Some(sign @ (b'+' | b'-')) => {
            // As in +01:00, +0100 and +01.
            let minutes = match bytes.len() - at {
                6 => mark(at + 3, b":").and_then(|()| number(at + 4, at + 6))?,
                5 => number(at + 3, at + 5)?,
                3 => 0,
                _ => return None,
            };
            let hours = number(at + 1, at + 3)?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            Some((hours * 60 + minutes) * if *sign == b'-' { -1 } else { 1 })
        }
        _ => return None,
    };
    let valid_day = (1..=12).contains(&month) && civil_of_day(day_of_civil(year, month, day)) == (year, month, day);
    if !valid_day || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let local = ((day_of_civil(year, month, day) * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + milli;
    Some((local, offset_min))
}

/// The length of a duration such as `36h` or `1h30m`.
pub fn duration_ms(text: &str) -> i64 {
    read_duration(text).unwrap_or_else(|| panic!("no duration: {text:?}"))
}

/// The same, if the text is a duration.
pub fn read_duration(text: &str) -> Option<i64> {
    let (mut total, mut last_unit) = (0i64, i64::MAX);
    let mut rest = Some(text).filter(|text| !text.is_empty())?;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letters = rest[digits..].bytes().take_while(u8::is_ascii_lowercase).count();
        let unit = match &rest[digits..digits + letters] {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => DAY_MS,
            "w" => 7 * DAY_MS,
            _ => return None,
        };
        let zeros = digits > 1 && rest.starts_with('0');
        if zeros || unit >= std::mem::replace(&mut last_unit, unit) {
            return None;
        }
        total = total.checked_add(rest[..digits].parse::<i64>().ok()?.checked_mul(unit)?)?;
        rest = &rest[digits + letters..];
    }
    Some(total)
}
