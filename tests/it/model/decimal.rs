//! Rounding of JSON numbers to millionths, and back to doubles.

use tagstream::model::Micros;

#[test]
fn rounds_half_even_from_the_digits() {
    let rows = [
        ("0", Some(0)),
        ("-0", Some(0)),
        ("-0.0e9", Some(0)),
        ("1", Some(1_000_000)),
        ("-1.5", Some(-1_500_000)),
        ("19.99", Some(19_990_000)),
        ("0.0000005", Some(0)),
        ("0.0000015", Some(2)),
        ("0.0000025", Some(2)),
        ("-0.0000015", Some(-2)),
        ("0.00000050000000000000000000001", Some(1)),
        ("0.00000049999999999999999999999", Some(0)),
        // The doubles of these lie on the other side of the tie.
        ("1.0000005", Some(1_000_000)),
        ("1.0000015", Some(1_000_002)),
        ("5e-7", Some(0)),
        ("15e-7", Some(2)),
        ("0.15E-5", Some(2)),
        ("51e-8", Some(1)),
        ("9e-8", Some(0)),
        ("9e-400", Some(0)),
        ("1e-999999999999999999999", Some(0)),
        ("0e999999999999999999999", Some(0)),
        ("0.000000000000000000001e21", Some(1_000_000)),
        ("100000000000000000000e-20", Some(1_000_000)),
        ("1e+2", Some(100_000_000)),
        ("9.9999999", Some(10_000_000)),
        ("1e12", Some(1_000_000_000_000_000_000)),
        ("-1e12", Some(-1_000_000_000_000_000_000)),
        ("999999999999.9999999", Some(1_000_000_000_000_000_000)),
        ("1000000000000.0000000e0", Some(1_000_000_000_000_000_000)),
        ("10000000000000000e-4", Some(1_000_000_000_000_000_000)),
        // What is written decides, though 10^12 is the double of the first three, and what they are rounded to.
        ("1000000000000.0000000000000000001", None),
        ("-1000000000000.0000001", None),
        ("10000000000000000001e-7", None),
        ("1000000000000.00005", None),
        ("1000000000001", None),
        ("-1e13", None),
        ("1e400", None),
        ("1e999999999999999999999", None),
    ];
    for (text, micros) in rows {
        assert_eq!(Micros::parse(text), micros.map(Micros), "{text}");
    }
}

/// A decimal is written with the point in a random place, and computed with integers.
#[test]
fn agrees_with_integers() {
    let mut random = fastrand::Rng::with_seed(2);
    for _ in 0..50_000 {
        let below = 10_u64.pow(random.u32(1..=18));
        let digits = random.u64(..below);
        let scale = random.u32(0..=18);
        let negative = random.bool();
        let exact = i128::from(digits) * 1_000_000;
        let unit = 10_i128.pow(scale);
        let (floor, rest) = (exact / unit, exact % unit);
        let up = 2 * rest > unit || 2 * rest == unit && floor % 2 == 1;
        let micros = (floor + i128::from(up)) * if negative { -1 } else { 1 };
        let text = written(digits, scale, negative, &mut random);
        let counts = i128::from(digits) <= 1_000_000_000_000 * unit;
        assert_eq!(Micros::parse(&text), counts.then_some(Micros(micros)), "{text}");
    }
}

/// `digits` / 10^`scale`, as one of the many texts that mean it.
fn written(digits: u64, scale: u32, negative: bool, random: &mut fastrand::Rng) -> String {
    let padded = format!("{digits:020}");
    let point = random.usize(1..=padded.len());
    let exponent = (padded.len() - point) as i64 - i64::from(scale);
    let (whole, part) = padded.split_at(point);
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if negative { "-" } else { "" };
    let mut text = format!("{sign}{whole}");
    if !part.is_empty() {
        text += &format!(".{part}");
    }
    if exponent != 0 || random.bool() {
        text += &format!("{}{exponent}", if random.bool() { "e" } else { "E" });
    }
    text
}

#[test]
fn to_the_nearest_double() {
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..50_000 {
        let micros = random.i128(i128::MIN + 1..) >> random.u32(0..128);
        let (whole, part) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
        let sign = if micros < 0 { "-" } else { "" };
        let nearest: f64 = format!("{sign}{whole}.{part:06}").parse().expect("a number");
        assert_eq!(Micros(micros).to_f64(), nearest, "{micros}");
    }
}
