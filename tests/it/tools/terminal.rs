//! Keys and values come from senders: printed for people, they do nothing to a terminal.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A title of a window, a bell, a cleared screen, a line that is overwritten, and text that runs from right to left.
const HOSTILE: &str = "\u{1b}]0;x\u{7}\u{9b}2J\r\n\u{202e}z";
/// The same in YAML and in JSON.
const WRITTEN: &str = "\\u001b]0;x\\u0007\\u009b2J\\r\\n\\u202ez";

const CATALOG: &str = "version: 1\n\
    attributes:\n  city: { from: \"*\", value: properties.city, type: string }\n\
    counters:\n  n: { count: \"*\" }\n\
    tags:\n  place: { value: city }\n  often: { when: n >= 1 && city == \"x\" }\n";

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("terminal-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file");
    write("catalog.yaml", CATALOG);
    write("new.yaml", &CATALOG.replace("place:", "spot:"));
    let event = |key: &str| {
        format!(
            "{{\"user_id\":\"{key}\",\"type\":\"a\",\"timestamp\":\"2026-03-01T10:00:00Z\",\"properties\":{{\"city\":\"{WRITTEN}\"}}}}\n"
        )
    };
    write("events.ndjson", &(event(WRITTEN) + &event("u-1")));
    let case = format!(
        "catalog: catalog.yaml\ncases:\n  - name: \"{WRITTEN}\"\n    events:\n      \
         - [\"2026-03-01T10:00:00Z\", \"{WRITTEN}\", a, {{ city: \"{WRITTEN}\" }}]\n    expect:\n      \
         - [\"2026-03-01T11:00:00Z\", \"{WRITTEN}\", {{ place: y }}]\n      \
         - [\"2026-03-01T11:00:00Z\", \"{WRITTEN}b\", {{ place: y }}]\n    changes:\n      \
         - [\"2026-03-01T10:00:00Z\", \"{WRITTEN}\", place, y]\n"
    );
    write("tests.yaml", &case);
    write(
        "bad.yaml",
        &format!(
            "version: 1\n\"{WRITTEN}\": 1\ntags:\n  a: {{ when: \"'{WRITTEN}' == 1\" }}\n  \u{202e}b: {{ when: x }}\n"
        ),
    );
    write(&format!("{HOSTILE}.yaml"), "version: 1\ntags: 1\n");
    folder
}

fn is_harmless(c: char) -> bool {
    c == '\n' || !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}')
}

#[test]
fn what_comes_from_senders_does_nothing_to_a_terminal() {
    let folder = folder();
    let file = format!("{HOSTILE}.yaml");
    let other = format!("{HOSTILE}?");
    let input = ["--input", "events.ndjson"];
    // The exit code, and whether the text shows what the sender wrote.
    let rows: [(&[&str], i32, bool); 11] = [
        (&["explain", "catalog.yaml", "--key", HOSTILE], 0, true),
        (&["explain", "catalog.yaml", "--key", "u-1"], 0, true),
        (&["explain", "catalog.yaml", "--key", &other], 1, true),
        (&["explain", "catalog.yaml", "--key", "u-1", "--tag", HOSTILE], 2, true),
        (&["diff", "catalog.yaml", "new.yaml"], 0, true),
        (&["forecast", "catalog.yaml", "--all"], 0, false),
        (&["forecast", &file], 1, true),
        (&["test", "tests.yaml"], 1, true),
        (&["check", "bad.yaml"], 1, false),
        (&["check", &file], 1, true),
        (&["check", &other], 1, true),
    ];
    for (row, code, shows) in rows {
        let reads_events = ["explain", "diff", "forecast"].contains(&row[0]);
        let args = [row, if reads_events { &input } else { &[] }].concat();
        let output = Command::new(env!("CARGO_BIN_EXE_tagstream"))
            .args(&args)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .output()
            .expect("tagstream");
        for text in [&output.stdout, &output.stderr] {
            let text = std::str::from_utf8(text).expect("UTF-8");
            let harmful: Vec<char> = text.chars().filter(|c| !is_harmless(*c)).collect();
            assert!(harmful.is_empty(), "{args:?}: {harmful:?} in\n{}", text.escape_debug());
        }
        let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
        assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
        assert!(!shows || text.contains("\\u001b]0;x\\u0007\\u009b2J"), "{args:?}: {text}");
    }
    fs::remove_dir_all(folder).expect("the folder is there");
}
