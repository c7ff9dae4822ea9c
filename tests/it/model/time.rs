//! Reading and writing instants.

use tagstream::model::Timestamp;

#[test]
fn reads() {
    let rows = [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-03-15T08:00:00Z", 1_773_561_600_000),
        ("2026-03-15t08:00:00z", 1_773_561_600_000),
        ("2026-03-15 08:00:00Z", 1_773_561_600_000),
        ("2026-03-15T09:30:00+01:30", 1_773_561_600_000),
        ("2026-03-14T08:01:00-23:59", 1_773_561_600_000),
        ("2026-03-15T08:00:00-00:00", 1_773_561_600_000),
        ("2026-03-15T08:00:00.1Z", 1_773_561_600_100),
        ("2026-03-15T08:00:00.12Z", 1_773_561_600_120),
        ("2026-03-15T08:00:00.123Z", 1_773_561_600_123),
        ("2026-03-15T08:00:00.123999999999999999999Z", 1_773_561_600_123),
        ("2026-03-15T23:59:59.9999+00:00", 1_773_619_199_999),
        // Cutting goes toward the past also before 1970.
        ("1969-12-31T23:59:59.9999Z", -1),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ("2000-02-29T00:00:00Z", 951_782_400_000),
        ("0000-02-29T00:00:00Z", -62_162_121_600_000),
        ("0000-01-01T00:00:00Z", Timestamp::MIN.ms()),
        ("9999-12-31T23:59:59.999Z", Timestamp::MAX.ms()),
        ("0000-01-01T00:00:00+00:01", Timestamp::MIN.ms() - 60_000),
        ("9999-12-31T23:59:59.999-00:01", Timestamp::MAX.ms() + 60_000),
        ("1990-01-01T00:00:00Z", Timestamp::OLDEST_EVENT.ms()),
    ];
    for (text, ms) in rows {
        assert_eq!(Timestamp::parse(text).map(Timestamp::ms), Ok(ms), "{text}");
    }
}

#[test]
fn refuses() {
    let rows = [
        "",
        "now",
        "2026-03-15",
        "2026-03-15T08:00Z",
        "2026-03-15T08:00:00",
        "2026-03-15T08:00:00.Z",
        "2026-03-15T08:00:00,5Z",
        "2026-03-15T08:00:00.5",
        "2026-03-15T08:00:60Z",
        "2026-03-15T08:60:00Z",
        "2026-03-15T24:00:00Z",
        "2026-03-32T08:00:00Z",
        "2026-03-00T08:00:00Z",
        "2026-00-15T08:00:00Z",
        "2026-13-15T08:00:00Z",
        "2026-04-31T08:00:00Z",
        "2026-02-29T08:00:00Z",
        "1900-02-29T08:00:00Z",
        "2026-03-15T08:00:00+24:00",
        "2026-03-15T08:00:00+01:60",
        "2026-03-15T08:00:00+0100",
        "2026-03-15T08:00:00+01",
        "2026-03-15T08:00:00 Z",
        "2026-03-15T08:00:00ZZ",
        "2026-03-15T08:00:00+01:00 ",
        " 2026-03-15T08:00:00Z",
        "2026-03-15_08:00:00Z",
        "2026-03-15  08:00:00Z",
        "+2026-03-15T08:00:00Z",
        "-026-03-15T08:00:00Z",
        "20260315T080000.0000Z",
        "2026/03/15T08:00:00Z",
        "2026-3-15T08:00:00.00Z",
        "2026-03-15T08:00:0\u{661}Z",
        "2026-W11-7T08:00:00Z",
    ];
    for text in rows {
        assert!(Timestamp::parse(text).is_err(), "{text}");
    }
}

#[test]
fn writes() {
    let rows = [
        (1_773_561_600_007, "2026-03-15T08:00:00.007Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (Timestamp::MIN.ms(), "0000-01-01T00:00:00.000Z"),
        (Timestamp::MAX.ms(), "9999-12-31T23:59:59.999Z"),
        (Timestamp::MAX.ms() + 1, "+010000-01-01T00:00:00.000Z"),
        (Timestamp::MIN.ms() - 1, "-000001-12-31T23:59:59.999Z"),
    ];
    for (ms, text) in rows {
        assert_eq!(Timestamp::from_ms(ms).to_string(), text);
    }
}

/// jiff, which the calendar windows use, has the same calendar; what is written reads back.
#[test]
fn agrees_with_another_calendar() {
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..20_000 {
        let ms = random.i64(Timestamp::MIN.ms()..=Timestamp::MAX.ms() - 86_400_000 * 2);
        let written = Timestamp::from_ms(ms).to_string();
        let jiff = jiff::Timestamp::from_millisecond(ms).expect("within its range");
        assert_eq!(written, format!("{jiff:.3}"));
        assert_eq!(Timestamp::parse(&written), Ok(Timestamp::from_ms(ms)));
    }
}
