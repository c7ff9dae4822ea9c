//! What a test can check of how the code should read: purposes, sizes, names, and who may import whom.

use std::fs;
use std::path::{Path, PathBuf};

/// The parts of `src/`, in reading order: a part imports only those before it.
const PARTS: [&str; 12] = [
    "model",
    "catalog",
    "scoring",
    "engine",
    "codec",
    "settings",
    "telemetry",
    "kafka",
    "http",
    "service",
    "demo",
    "cli",
];

/// Packages that break often or mark a border: each is one part's own.
const OWNED: [(&str, &str); 14] = [
    ("annotate_snippets", "catalog"),
    ("axum", "http"),
    ("cel", "catalog"),
    ("clap", "cli"),
    ("comfy_table", "cli"),
    ("config", "settings"),
    ("crossterm", "demo"),
    ("indicatif", "cli"),
    ("ort", "scoring"),
    ("prometheus", "telemetry"),
    ("rdkafka", "kafka"),
    ("schemars", "catalog"),
    ("serde_saphyr", "catalog"),
    ("tracing_subscriber", "telemetry"),
];

const LINES_MAX: usize = 500;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Fails with all findings at once.
fn expect_none(findings: Vec<String>) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

fn all_sources() -> Vec<(String, String)> {
    let folders = ["src", "tests", "benches"];
    let paths = folders.iter().flat_map(|folder| sources(&root().join(folder)));
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root()).expect("it is below the root").display().to_string();
        (name, fs::read_to_string(path).expect("a source is text"))
    };
    paths.map(read).collect()
}

/// The part that a source of `src/` belongs to.
fn part(name: &str) -> Option<usize> {
    let inside = name.strip_prefix("src/")?;
    let word = inside.split(['/', '.']).next()?;
    PARTS.iter().position(|part| *part == word)
}

#[test]
fn every_file_opens_with_its_purpose() {
    let missing = |(name, text): &(String, String)| {
        let first = text.lines().next().unwrap_or_default();
        let has_purpose = first.starts_with("//! ") && first.len() > 20;
        (!has_purpose).then(|| format!("{name}: begin with one `//!` sentence that says what the file is for"))
    };
    expect_none(all_sources().iter().filter_map(missing).collect());
}

#[test]
fn files_stay_small_and_have_names() {
    let mut findings = Vec::new();
    for (name, text) in all_sources() {
        let lines = text.lines().count();
        if lines > LINES_MAX {
            findings.push(format!("{name}: {lines} lines; split it by noun before {LINES_MAX}"));
        }
        let stem = Path::new(&name).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if matches!(stem, "util" | "utils" | "common" | "helpers" | "misc") {
            findings.push(format!("{name}: name the file for what it holds"));
        }
    }
    expect_none(findings);
}

#[test]
fn parts_import_only_what_comes_before_them() {
    let mut findings = Vec::new();
    for (name, text) in all_sources() {
        let Some(own) = part(&name) else {
            continue;
        };
        for (index, other) in PARTS.iter().enumerate() {
            if index > own && text.contains(&format!("crate::{other}")) {
                findings.push(format!("{name}: {} must not know {other}, which comes after it", PARTS[own]));
            }
        }
    }
    expect_none(findings);
}

#[test]
fn border_packages_stay_where_they_belong() {
    let mut findings = Vec::new();
    for (name, text) in all_sources() {
        let Some(own) = part(&name) else {
            continue;
        };
        for (package, owner) in OWNED {
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let used = code.filter(|line| uses(line, package)).count();
            if used > 0 && PARTS[own] != owner {
                findings.push(format!("{name}: {package} is {owner}'s; ask {owner} for what you need"));
            }
        }
    }
    expect_none(findings);
}

fn uses(line: &str, package: &str) -> bool {
    let path = format!("{package}::");
    line.match_indices(&path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':')
    })
}

#[test]
fn the_core_reads_no_clock() {
    let clocks = ["SystemTime::now", "Instant::now", "Timestamp::now", "Zoned::now"];
    let mut findings = Vec::new();
    for (name, text) in all_sources() {
        let is_core = ["src/model", "src/catalog", "src/engine", "src/codec"].iter().any(|core| name.starts_with(core));
        for clock in clocks.iter().filter(|clock| is_core && text.contains(**clock)) {
            findings.push(format!("{name}: {clock}: time is an argument below the shell"));
        }
    }
    expect_none(findings);
}
