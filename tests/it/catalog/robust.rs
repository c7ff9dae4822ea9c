//! Files that mean harm, or came about by accident: a clear error, no crash, no hang.

use tagstream::catalog::{Colours, Problem, Severity, as_text, load};

/// The problems of a text that can't be a catalog.
fn problems(text: &str) -> Vec<Problem> {
    let loaded = load(text);
    assert!(loaded.catalog.is_none());
    assert!(loaded.problems.iter().any(|problem| problem.severity == Severity::Error));
    loaded.problems
}

fn with(expression: &str) -> String {
    format!("version: 1\ncounters:\n  n: {{ count: x }}\ntags:\n  t:\n    when: |-\n      {expression}\n")
}

#[test]
fn anchors_that_explode() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let uses = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{uses}]\n"));
    }
    assert_eq!(problems(&text)[0].code, "yaml-limit");
}

#[test]
fn files_of_ten_megabytes() {
    let tag = |n: usize| format!("  t{n}: {{ when: n > {n} }}\n");
    let tags: String = (0..400_000).map(tag).collect();
    let text = format!("version: 1\ncounters:\n  n: {{ count: x }}\ntags:\n{tags}");
    assert!(text.len() > 10_000_000);
    assert_eq!(problems(&text)[0].code, "file-too-large");
    let short = &text[..text[..3_000_000].rfind('\n').unwrap()];
    assert_eq!(problems(short)[0].code, "yaml-limit");
    assert_eq!(problems(&"x".repeat(4_000_000))[0].code, "wrong-type");
}

#[test]
fn ten_thousand_tags_are_fine_and_more_are_not() {
    let catalog = |count: usize| {
        let tags: String = (1..count).map(|n| format!("  t{n}: {{ when: tag.t{} }}\n", n - 1)).collect();
        format!("version: 1\ncounters:\n  n: {{ count: x }}\ntags:\n  t0: {{ when: n > 1 }}\n{tags}")
    };
    assert_eq!(load(&catalog(10_000)).catalog.unwrap().order.len(), 10_000);
    assert_eq!(problems(&catalog(10_001))[0].code, "too-many");
    let tags: String = (0..70_000).map(|n| format!("  t{n}:\n")).collect();
    assert_eq!(problems(&format!("version: 1\ntags:\n{tags}"))[0].code, "too-many");
}

#[test]
fn a_mistake_in_every_one_of_many_tags() {
    let counters: String = (0..8_000).map(|n| format!("  counter_{n}: {{ count: x }}\n")).collect();
    let tags: String = (0..8_000).map(|n| format!("  t{n}: {{ when: countr_{n} > 1 && tag.u{n} }}\n")).collect();
    let problems = problems(&format!("version: 1\ncounters:\n{counters}tags:\n{tags}"));
    assert_eq!(problems.len(), 201);
    assert_eq!(problems[200].message, "15800 more problems are not shown");
}

#[test]
fn a_chain_of_tags_that_ends_in_a_circle() {
    let tags: String = (0..9_000).map(|n| format!("  t{n}: {{ when: tag.t{} }}\n", (n + 1) % 9_000)).collect();
    let problems = problems(&format!("version: 1\ntags:\n{tags}"));
    assert_eq!(problems[0].code, "tag-cycle");
    assert!(problems[0].message.len() < 1_000, "{}", problems[0].message.len());
}

#[test]
fn nesting_without_end() {
    for text in ["[".repeat(1_000_000), "{a: ".repeat(100_000), "- ".repeat(100_000)] {
        let code = problems(&text)[0].code;
        assert!(code == "yaml-limit" || code == "yaml-syntax", "{code}");
    }
    let indented: String = (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert_eq!(problems(&indented)[0].code, "yaml-limit");
}

#[test]
fn expressions_without_end() {
    let cases = [
        format!("{}n{}", "(".repeat(3_000), ")".repeat(3_000)),
        format!("{}n{}", "(".repeat(30), ")".repeat(30)),
        "(".repeat(8_000),
        "!".repeat(8_000) + "true",
        "-".repeat(300) + "n > 1 > 2",
        vec!["n > 1"; 1_000].join(" && "),
        vec!["n"; 4_000].join("+"),
        "n > 1 ? ".repeat(500),
        "[".repeat(39) + &"]".repeat(39),
        "max(n, ".repeat(38) + "1" + &")".repeat(38),
        "a.".repeat(390) + "a",
        "n > ".to_owned() + &"9".repeat(5_000),
        "n in [".to_owned() + &"1,".repeat(4_000) + "'x']",
        "x".repeat(100_000),
        "\"".repeat(4_001),
        "\\".repeat(300),
        "n ".repeat(4_000),
        "日".repeat(2_000),
        "tag".to_owned() + &".t".repeat(300),
    ];
    for case in cases {
        let problems = problems(&with(&case));
        assert!(problems.len() <= 201, "{} problems of {}", problems.len(), &case[..20]);
    }
}

#[test]
fn at_the_bounds_expressions_are_fine() {
    let cases = [
        vec!["n > 1"; 190].join(" && "),
        vec!["n"; 380].join("+") + " > 3",
        format!("{}n{} > 3", "(".repeat(38), ")".repeat(38)),
        (0..19).map(|_| "n > 1 ? true : ").collect::<String>() + "false",
        "n in [".to_owned() + &vec!["1"; 4_000].join(",") + "]",
    ];
    for case in cases {
        let loaded = load(&with(&case));
        assert!(loaded.catalog.is_some(), "{:?}", loaded.problems);
    }
}

#[test]
fn odd_bytes() {
    for text in [
        "\0",
        "\u{feff}",
        "\u{feff}version: 2",
        "version: 1\r\ntags: 3\r\n",
        "%YAML 1.2\n---\nversion: 3\n",
        "\t",
        "&a",
        "*a",
        "<<: 3",
    ] {
        problems(text);
    }
    assert!(load("\u{feff}version: 1\r\n").catalog.is_some());
    let windows = "version: 1\r\ntags:\r\n  t: { when: d > 4\r\n  }\r\n";
    assert!(as_text("crlf.yaml", windows, &problems(windows), Colours::Off).is_ascii());
    let placed = problems("\u{feff}version: 2");
    assert_eq!((placed[0].line, placed[0].column), (1, 10));
}

#[test]
fn every_cut_of_a_catalog_ends_in_a_report() {
    let text = include_str!("good/everything.yaml");
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)).step_by(7) {
        let loaded = load(&text[..end]);
        for problem in loaded.problems {
            assert!(problem.span.end <= end && problem.line >= 1 && problem.column >= 1, "{problem:?}");
        }
    }
}
