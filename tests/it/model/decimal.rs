//! Rounding of JSON numbers to billionths, literals, arithmetic, and back to doubles.

use tagstream::model::Decimal;

#[test]
fn rounds_half_even_from_the_digits() {
    let rows = [
        ("0", Some(0)),
        ("-0", Some(0)),
        ("-0.0e9", Some(0)),
        ("1", Some(1_000_000_000)),
        ("-1.5", Some(-1_500_000_000)),
        ("19.99", Some(19_990_000_000)),
        ("0.0000000005", Some(0)),
        ("0.0000000015", Some(2)),
        ("0.0000000025", Some(2)),
        ("-0.0000000015", Some(-2)),
        ("0.00000000050000000000000000000001", Some(1)),
        ("0.00000000049999999999999999999999", Some(0)),
        // The doubles of these lie on the other side of the tie.
        ("1.0000000005", Some(1_000_000_000)),
        ("1.0000000015", Some(1_000_000_002)),
        ("5e-10", Some(0)),
        ("15e-10", Some(2)),
        ("0.15E-8", Some(2)),
        ("51e-11", Some(1)),
        ("9e-11", Some(0)),
        ("9e-400", Some(0)),
        ("1e-999999999999999999999", Some(0)),
        ("0e999999999999999999999", Some(0)),
        ("0.000000000000000000001e21", Some(1_000_000_000)),
        ("100000000000000000000e-20", Some(1_000_000_000)),
        ("1e+2", Some(100_000_000_000)),
        ("9.9999999999", Some(10_000_000_000)),
        ("1e15", Some(1_000_000_000_000_000_000_000_000)),
        ("-1e15", Some(-1_000_000_000_000_000_000_000_000)),
        ("999999999999999.9999999999", Some(1_000_000_000_000_000_000_000_000)),
        ("1000000000000000.0000000e0", Some(1_000_000_000_000_000_000_000_000)),
        ("10000000000000000000e-4", Some(1_000_000_000_000_000_000_000_000)),
        // What is written decides, though 10^15 is the double of the first three, and what they are rounded to.
        ("1000000000000000.0000000000000000001", None),
        ("-1000000000000000.0000000001", None),
        ("10000000000000000000001e-7", None),
        ("1000000000000000.00005", None),
        ("1000000000000001", None),
        ("-1e16", None),
        ("1e400", None),
        ("1e999999999999999999999", None),
    ];
    for (text, billionths) in rows {
        assert_eq!(Decimal::rounded(text), billionths.map(Decimal::from_billionths), "{text}");
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
        let exact = i128::from(digits) * 1_000_000_000;
        let unit = 10_i128.pow(scale);
        let (floor, rest) = (exact / unit, exact % unit);
        let up = 2 * rest > unit || 2 * rest == unit && floor % 2 == 1;
        let billionths = (floor + i128::from(up)) * if negative { -1 } else { 1 };
        let text = written(digits, scale, negative, &mut random);
        let counts = i128::from(digits) <= 1_000_000_000_000_000 * unit;
        assert_eq!(Decimal::rounded(&text), counts.then_some(Decimal::from_billionths(billionths)), "{text}");
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
        let billionths = random.i128(i128::MIN + 1..) >> random.u32(0..128);
        let (whole, part) = (billionths.unsigned_abs() / 1_000_000_000, billionths.unsigned_abs() % 1_000_000_000);
        let sign = if billionths < 0 { "-" } else { "" };
        let text = format!("{sign}{whole}.{part:09}");
        let nearest: f64 = text.parse().expect("a number");
        let decimal = Decimal::from_billionths(billionths);
        assert_eq!(decimal.to_f64(), nearest, "{billionths}");
        assert_eq!(decimal.to_string(), text.trim_end_matches('0').trim_end_matches('.'), "in full");
    }
}

#[test]
fn literals_are_exact_or_doubles() {
    for (text, billionths) in [
        ("2.50", Some(2_500_000_000)),
        ("1e3", Some(1_000_000_000_000)),
        ("1.0000000000000", Some(1_000_000_000)),
        ("0.000000001", Some(1)),
        ("0.0000000001", None),
        ("0.1234567891", None),
        ("-506.22", Some(-506_220_000_000)),
        ("1e18", Some(1_000_000_000_000_000_000_000_000_000)),
        ("1000000000000000001", None),
        ("1000000000000000000.0000000001", None),
        ("1e-400", None),
        ("0e-400", Some(0)),
    ] {
        assert_eq!(Decimal::literal(text), billionths.map(Decimal::from_billionths), "{text}");
    }
}

#[test]
fn results_beyond_the_limit_are_none() {
    let (one, most) = (Decimal::whole(1), Decimal::MAX);
    let least = Decimal::from_billionths(1);
    assert_eq!(most.minus(one).and_then(|less| less.plus(one)), Some(most));
    assert_eq!(most.plus(least), None);
    assert_eq!(most.negated().minus(least), None);
    assert_eq!(most.times_whole(Decimal::whole(1_000_000_000_000_000_000)), None);
    assert_eq!(most.times_whole(one), Some(most));
    let price = Decimal::literal("19.99").expect("a literal");
    assert_eq!(price.times_whole(Decimal::whole(-3)), Decimal::literal("-59.97"));
    assert_eq!(Decimal::whole(-3).times_whole(price), Decimal::literal("-59.97"));
}
