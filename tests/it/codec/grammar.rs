//! What is JSON and what is not, wherever in a record it stands.

use super::fixtures::{catalog, decode, flat};
use tagstream::codec::{Decoder, Reject};
use tagstream::model::Event;

/// Whether a record is taken for JSON: whatever else is wrong with it.
fn is_json(record: &[u8]) -> bool {
    let catalog = catalog(flat(), &[], &["a", "deep.er"]);
    let mut event = Event::default();
    decode(&catalog, &mut Decoder::new(&catalog), &mut event, record) != Err(Reject::NotJson)
}

/// The value stands alone, where it is wanted, where it is walked through, in an array, and where it is not looked at.
#[track_caller]
fn check(value: &[u8], expected: bool) {
    let places: [(&[u8], &[u8]); 7] = [
        (b"", b""),
        (b" \t\r\n", b" \t\r\n"),
        (b"{\"user_id\":", b"}"),
        (b"{\"properties\":", b"}"),
        (b"{\"properties\":{\"deep\" :", b", \"a\":1}}"),
        (b"{\"properties\":{\"a\":[1,", b" , [] ]}}"),
        (b"{\"other\" : [ { \"x\" : ", b" } ] }"),
    ];
    for (before, after) in places {
        let record = [before, value, after].concat();
        assert_eq!(is_json(&record), expected, "{}", String::from_utf8_lossy(&record));
    }
}

#[test]
fn numbers() {
    for good in ["0", "-0", "7", "-7", "10", "0.5", "-0.05", "1e5", "1E5", "1e+5", "1e-05", "0e0", "1.5e400"] {
        check(good.as_bytes(), true);
    }
    let bad = ["00", "01", "-01", "+1", ".5", "1.", "1.e5", "-", "--1", "1e", "1e+", "1e1.5", "0x1", "1_0", "1 1"];
    for bad in bad.into_iter().chain(["NaN", "Infinity", "-Infinity", "1f", "1.2.3", "1e5e5", "١"]) {
        check(bad.as_bytes(), false);
    }
}

#[test]
fn strings() {
    let good = [
        r#""""#,
        r#""plain""#,
        r#""\"\\\/\b\f\n\r\t""#,
        r#""\u0000\u001f\uFFFF\ud7ff\uE000""#,
        r#""\ud83d\ude00""#,
        "\"\u{7f}\u{80}\u{2028}\u{feff}😀\"",
    ];
    for good in good {
        check(good.as_bytes(), true);
    }
    let bad = [
        "\"",
        "\"open",
        "'single'",
        r#""\""#,
        r#""\x""#,
        r#""\U0041""#,
        r#""\u12""#,
        r#""\u12g4""#,
        r#""\u+123""#,
        r#""\ud83d""#,
        r#""\ud83d ""#,
        r#""\ud83dx\ude00""#,
        r#""\ud83d\n""#,
        r#""\ud83d\u0041""#,
        r#""\ud83d\ud83d""#,
        r#""\ude00""#,
        r#""\ude00\ud83d""#,
        "\"tab\t\"",
        "\"line\n\"",
        "\"nul\0\"",
    ];
    for bad in bad {
        check(bad.as_bytes(), false);
    }
}

/// A byte that needs attention is found at every distance from the start of a string, also behind bytes that look
/// like it but for one bit.
#[test]
fn strings_of_every_length() {
    for length in 0..40 {
        for filler in ["x", " ", "!", "#", "[", "]", "\u{7f}", "é", "\u{a2}"] {
            let text = filler.repeat(length);
            check(format!("\"{text}\"").as_bytes(), true);
            check(format!("\"{text}\\n{text}\"").as_bytes(), true);
            check(format!("\"{text}\\q\"").as_bytes(), false);
            check(format!("\"{text}\u{1f}\"").as_bytes(), false);
            check(format!("\"{text}\"\"").as_bytes(), false);
            check(format!("\"{text}").as_bytes(), false);
        }
    }
}

#[test]
fn words_and_containers() {
    let good = ["true", "false", "null", "{}", "[]", "[ ]", "{ }", "[1,[2,{}],\"3\"]", r#"{"a":{"a":[]},"":null}"#];
    for good in good {
        check(good.as_bytes(), true);
    }
    let bad = [
        "",
        "tru",
        "True",
        "nul",
        "nulll",
        "truefalse",
        "[",
        "]",
        "{",
        "}",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{1:2}",
        "{a:1}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1"#,
        r#"{"a":1,}"#,
        r#"{,"a":1}"#,
        r#"{"a":1 "b":2}"#,
        r#"{"a" 1}"#,
        r#"{"a":1]"#,
        r#"{"a":1:2}"#,
        r#"{"a"::1}"#,
        "[1]]",
        "{}}",
        "{},",
        "// c\n1",
        "1//",
        "/**/1",
        "\u{feff}\u{feff}1",
        "\u{a0}1",
        "\u{c}1",
        "\u{b}1",
        "\0",
    ];
    for bad in bad {
        check(bad.as_bytes(), false);
    }
}

#[test]
fn bytes_that_are_no_utf8() {
    for bad in
        [&b"\"\xff\""[..], b"\"\xc0\x80\"", b"\"\xed\xa0\x80\"", b"\"\xe2\x82\"", b"\"\xf4\x90\x80\x80\"", b"\x80"]
    {
        check(bad, false);
    }
}

#[test]
fn nesting() {
    let rows = [("[", "]"), ("{\"a\":", "}"), ("{\"properties\":", "}"), ("{\"deep\":[", "]}")];
    for (open, close) in rows {
        let levels = open.matches(['[', '{']).count();
        for depth in [126, 127, 128, 129, 130] {
            let times = depth / levels;
            let record = format!("{}1{}", open.repeat(times), close.repeat(times));
            assert_eq!(is_json(record.as_bytes()), times * levels <= 127, "{record}");
        }
        let record = format!("{{\"properties\":{{\"a\":{}", open.repeat(50_000));
        assert!(!is_json(record.as_bytes()));
    }
    let wide = format!("[{}[]]", "[[]],".repeat(100_000));
    assert!(is_json(wide.as_bytes()));
}
