//! `numbers_in_text`: where a number is wanted, a text that is a JSON number counts as that number.

use serde_json::Value;

use super::agreement::{NOW_MS, run_engine};
use crate::generate::Case;

/// The values that the tag `z` takes while these properties come, one event each.
fn values(input: &str, definitions: &str, properties: &[&str]) -> Vec<Value> {
    let line = |(hour, properties): (usize, &&str)| {
        let time = format!("2026-01-01T{hour:02}:00:00Z");
        format!(r#"{{"user_id":"u","type":"told","timestamp":"{time}","properties":{properties}}}"#).into_bytes()
    };
    let lines = properties.iter().enumerate().map(line).collect();
    let catalog = format!("version: 1\ninput: {{ {input} }}\n{definitions}\ntags: {{ z: {{ value: x }} }}\n");
    let (changes, rejects) = run_engine(&Case { catalog, lines, until: None }, NOW_MS).expect("a catalog");
    assert_eq!(rejects, []);
    changes.iter().map(|change| change["value"].clone()).collect()
}

fn check(definitions: &str, properties: &[&str], expected: Value) {
    let found = values("numbers_in_text: true", definitions, properties);
    assert_eq!(Value::from(found), expected, "{definitions}");
}

#[test]
fn aggregates_take_numbers_in_text() {
    let told =
        [r#"{"n":"0.1"}"#, r#"{"n":0.2}"#, r#"{"n":"1e-1"}"#, r#"{"n":" 5"}"#, r#"{"n":"007"}"#, r#"{"n":"+1"}"#];
    check("counters: { x: { sum: properties.n, on: told } }", &told, serde_json::json!([0.1, 0.3, 0.4]));
    check("counters: { x: { max: properties.n, on: told } }", &told, serde_json::json!([0.1, 0.2]));
    let huge = [r#"{"n":"1000000000000000.1"}"#, r#"{"n":"1e400"}"#, r#"{"n":"-0"}"#, r#"{"n":"1.0000000005"}"#];
    check("counters: { x: { max: properties.n, on: told } }", &huge, serde_json::json!([0, 1]));
    let off = values("dedup: 1h", "counters: { x: { sum: properties.n, on: told } }", &told);
    assert_eq!(off, [serde_json::json!(0), serde_json::json!(0.2)]);
}

#[test]
fn attributes_of_type_number_take_them_and_others_keep_the_text() {
    let told = [r#"{"n":"42"}"#, r#"{"n":"9007199254740993"}"#, r#"{"n":"4 2"}"#];
    let of_type = |kind: &str| format!("attributes: {{ x: {{ from: told, value: properties.n{kind} }} }}");
    check(&of_type(", type: number"), &told, serde_json::json!([42, 9_007_199_254_740_993_i64]));
    check(&of_type(", type: string"), &told, serde_json::json!(["42", "9007199254740993", "4 2"]));
    check(&of_type(""), &told, serde_json::json!(["42", "9007199254740993", "4 2"]));
    check(
        "counters: { x: { distinct: properties.n, on: told } }",
        &[r#"{"n":"5"}"#, r#"{"n":5}"#],
        serde_json::json!([1, 2]),
    );
    check("counters: { x: { last: properties.n, on: told } }", &[r#"{"n":"5"}"#], serde_json::json!(["5"]));
    check("counters: { x: { top: properties.n, on: told } }", &[r#"{"n":"5"}"#], serde_json::json!(["5"]));
}

#[test]
fn a_where_wants_numbers_beside_numbers() {
    let counts = |condition: &str, told: &[&str], expected: Value| {
        check(&format!("counters: {{ x: {{ count: told, where: '{condition}' }} }}"), told, expected);
    };
    let told = [r#"{"n":"26","m":26,"list":["1","26"]}"#];
    let (yes, no) = (serde_json::json!([1]), serde_json::json!([0]));
    for (condition, expected) in [
        ("properties.n > 25", &yes),
        ("25 < properties.n", &yes),
        ("properties.n == properties.m", &yes),
        ("properties.n in [1, 26]", &yes),
        ("26 in properties.list", &yes),
        ("properties.m in properties.list", &yes),
        ("properties.n + 1 == 27", &yes),
        ("-properties.n == -26", &yes),
        ("abs(properties.n) == 26", &yes),
        ("min(properties.n, 3) == 3", &yes),
        ("properties.m == \"26\"", &yes),
        // Between two texts nothing wants a number.
        ("properties.n > \"100\"", &yes),
        ("properties.n == \"26.0\"", &no),
        ("properties.n != 26", &no),
    ] {
        counts(condition, &told, expected.clone());
    }
    // A text that is not a number is compared with numbers as before: never equal, and not unequal either.
    for condition in ["properties.n == 26", "properties.n != 26", "properties.n > 0"] {
        counts(condition, &[r#"{"n":"026"}"#], no.clone());
    }
}
