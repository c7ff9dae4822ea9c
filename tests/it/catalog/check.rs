//! `tagstream check` as people and programs run it.

use std::process::{Command, Output};

fn check(args: &[&str]) -> Output {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/catalog");
    Command::new(env!("CARGO_BIN_EXE_tagstream")).arg("check").args(args).current_dir(folder).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn exit_codes_and_the_last_line() {
    let fine = check(&["good/spec.yaml"]);
    assert_eq!(fine.status.code(), Some(0));
    assert!(
        stdout(&fine).ends_with("good/spec.yaml: fine: 6 tags, 7 counters, 2 attributes; 3 warnings\n"),
        "{}",
        stdout(&fine)
    );
    assert_eq!(check(&["good/everything.yaml", "--deny-warnings"]).status.code(), Some(0));
    let entities = check(&["good/entities.yaml", "--deny-warnings"]);
    let sizes = "8 tags, 3 counters, 2 attributes, 3 entities (account, user, device)";
    assert_eq!(stdout(&entities), format!("good/entities.yaml: fine: {sizes}\n"));
    assert_eq!(check(&["good/spec.yaml", "--deny-warnings"]).status.code(), Some(1));
    let bad = check(&["good/spec.yaml", "bad/wrong-types.bad.yaml"]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(stdout(&bad).ends_with("bad/wrong-types.bad.yaml: 8 errors\n"), "{}", stdout(&bad));
    assert_eq!(check(&["bad/warning-unused.bad.yaml"]).status.code(), Some(0));
    assert_eq!(check(&["no-such-file.yaml"]).status.code(), Some(1));
    assert_eq!(check(&[]).status.code(), Some(2));
    assert_eq!(check(&["--format", "xml", "good/spec.yaml"]).status.code(), Some(2));
}

#[test]
fn json_for_programs() {
    let output = check(&["--format", "json", "good/everything.yaml", "bad/unknown-name.bad.yaml", "no-such-file.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(report["ok"], false);
    assert_eq!(report["files"][0]["catalog"]["tags"], 5);
    assert_eq!(report["files"][0]["catalog"]["entities"], 1);
    assert_eq!(report["files"][0]["problems"], serde_json::json!([]));
    let problem = &report["files"][1]["problems"][0];
    let expected = serde_json::json!({
        "severity": "error", "code": "unknown-name", "message": "unknown name `purchase`",
        "help": "did you mean `purchases`?", "line": 9, "column": 11, "start": 230, "end": 238, "related": [],
    });
    assert_eq!(*problem, expected);
    assert_eq!(report["files"][2]["problems"][0]["code"], "unreadable");
}

#[test]
fn bytes_that_are_no_text() {
    let path = std::env::temp_dir().join(format!("tagstream-check-{}.yaml", std::process::id()));
    std::fs::write(&path, b"version: 1\ntags:\n  t: { title: caf\xe9, when: has(last_seen) }\n").unwrap();
    let output = check(&[path.to_str().unwrap()]);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("not UTF-8") && stdout(&output).contains("line 3"), "{}", stdout(&output));
}

/// What a schema says of a YAML value, as far as this schema goes: enough to see that it takes what `check` takes.
fn fits(schema: &serde_json::Value, root: &serde_json::Value, value: &serde_json::Value) -> bool {
    use serde_json::Value;
    if let Some(name) = schema["$ref"].as_str() {
        return fits(root.pointer(name.trim_start_matches('#')).unwrap(), root, value);
    }
    let any = |key: &str| schema[key].as_array().is_none_or(|all| all.iter().any(|one| fits(one, root, value)));
    let all = schema["allOf"].as_array().is_none_or(|all| all.iter().all(|one| fits(one, root, value)));
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    };
    let kind = match &schema["type"] {
        Value::String(kind) => is(kind),
        Value::Array(kinds) => kinds.iter().any(|kind| is(kind.as_str().unwrap())),
        _ => true,
    };
    let constant = schema.get("const").is_none_or(|constant| constant == value);
    let listed = schema["enum"].as_array().is_none_or(|words| words.contains(value));
    let members = value.as_object().is_none_or(|members| {
        members.iter().all(|(name, member)| match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) => false,
            (Value::Null, Value::Object(_)) => fits(&schema["additionalProperties"], root, member),
            (Value::Null, _) => true,
            (property, _) => fits(property, root, member),
        })
    });
    let items = value
        .as_array()
        .is_none_or(|items| schema.get("items").is_none_or(|schema| items.iter().all(|item| fits(schema, root, item))));
    let length = value.as_array().is_none_or(|items| {
        let count = items.len() as u64;
        let is_at = |key: &str, other: u64| schema[key].as_u64().unwrap_or(other);
        (is_at("minItems", 0)..=is_at("maxItems", u64::MAX)).contains(&count)
    });
    let pattern = schema["pattern"].as_str().zip(value.as_str()).is_none_or(|(pattern, text)| {
        // The crate has no look-ahead; of durations it says that a text is not empty.
        let plain = pattern.replace("(?=.)", "");
        (plain.len() == pattern.len() || !text.is_empty()) && regex::Regex::new(&plain).unwrap().is_match(text)
    });
    let counts = constant && listed && length && pattern;
    schema.get("not").is_none() && any("anyOf") && any("oneOf") && all && kind && counts && members && items
}

#[test]
fn the_schema_takes_good_catalogs_and_not_bad_ones() {
    let output = check(&["--schema"]);
    assert_eq!(output.status.code(), Some(0));
    let schema: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    let fits = |text: &str| fits(&schema, &schema, &serde_saphyr::from_str(text).unwrap());
    assert!(fits(include_str!("good/spec.yaml")));
    assert!(fits(include_str!("good/everything.yaml")));
    assert!(fits(include_str!("good/entities.yaml")));
    assert!(!fits(include_str!("bad/tag-key-typo.bad.yaml")));
    assert!(!fits(include_str!("bad/counter-count-true.bad.yaml")));
    assert!(!fits(include_str!("bad/counter-resolution-unknown.bad.yaml")));
    assert!(!fits(include_str!("bad/entities.bad.yaml")));
    assert!(!fits(include_str!("bad/history.bad.yaml")));
    assert!(!fits(include_str!("bad/tag-manual.bad.yaml")));
    let counter = |counter: &str| fits(&format!("version: 1\ncounters: {{ a: {{ {counter} }} }}\n"));
    assert!(counter("sequence: [a, { on: [b, 'c*'], where: properties.x > 1 }], within: 1h"));
    assert!(!counter("sequence: [a], within: 1h"));
    assert!(!counter("sequence: [a, b, c, d, e, f, g, h, i], within: 1h"));
    assert!(counter("sum: item.price * item.quantity, on: a, each: properties.items, since: { on: b }"));
    assert!(counter("count: a, each: 'properties[\"two words\"].x', calendar: week, ago: 2"));
    assert!(!counter("count: a, each: time"));
    assert!(!counter("count: a, each: item.x"));
    assert!(counter("sessions: [a, 'b*'], gap: 30m"));
    assert!(!counter("sessions: a, gap: half an hour"));
    let when = &schema["definitions"]["RawTag"]["properties"]["when"];
    assert_eq!(when["description"], "On while this condition holds.");
}
