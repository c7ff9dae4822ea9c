//! Packages that break often or mark a border: each is one part's own, and some come only with a feature.

use std::process::Command;

use super::paths::paths;
use super::sources::{Source, all_sources, expect_none, root};

/// A package and a part that may use it; no part without such a row may.
const OWNED: [(&str, &str); 30] = [
    ("annotate_snippets", "catalog"),
    ("axum", "http"),
    ("axum", "serve"),
    ("clap", "cli"),
    ("comfy_table", "cli"),
    ("config", "settings"),
    ("crossterm", "demo"),
    ("hmac", "push"),
    ("indicatif", "cli"),
    ("ort", "scoring"),
    ("prometheus", "telemetry"),
    ("prost_reflect", "registry"),
    ("protox", "registry"),
    ("rdkafka", "kafka"),
    ("dashmap", "serve"),
    ("maud", "serve"),
    ("roaring", "serve"),
    ("rustls", "registry"),
    ("rusqlite", "serve"),
    ("schemars", "catalog"),
    ("serde_saphyr", "catalog"),
    ("sha2", "push"),
    ("sha2", "serve"),
    ("subtle", "serve"),
    ("tokio_rustls", "serve"),
    ("tracing_subscriber", "telemetry"),
    ("ureq", "push"),
    ("ureq", "registry"),
    ("utoipa", "serve"),
    ("utoipa_axum", "serve"),
];

#[test]
fn border_packages_stay_where_they_belong() {
    expect_none(strayed(&all_sources()));
}

/// Uses of a package outside the part that it belongs to.
pub fn strayed(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        let Some(own) = source.part() else { continue };
        for path in paths(&source.text) {
            let package = &path.segments[0];
            let owners: Vec<&str> =
                OWNED.iter().filter(|(owned, _)| *owned == package.as_str()).map(|(_, part)| *part).collect();
            if !owners.is_empty() && !owners.contains(&own.as_str()) {
                let (place, owners) = (format!("{}:{}", source.name, path.line), owners.join("'s and "));
                findings.push(format!("{place}: {package} is {owners}'s; ask {owners} for what you need"));
            }
        }
    }
    findings
}

/// What a program that embeds the engine alone does not build.
const OF_FEATURES: [&str; 7] = ["axum", "clap", "prometheus", "rdkafka", "rdkafka-sys", "rusqlite", "tokio"];

#[test]
fn without_features_the_engine_comes_alone() {
    let cargo = Command::new(env!("CARGO"))
        .args(["tree", "--no-default-features", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(["--offline", "--locked", "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .output()
        .expect("cargo");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(cargo.status.success(), "{}", text(&cargo.stderr));
    let tree = text(&cargo.stdout);
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"jiff"), "the tree is read wrongly:\n{tree}");
    let found: Vec<&&str> = OF_FEATURES.iter().filter(|package| names.contains(package)).collect();
    assert!(found.is_empty(), "built without any feature: {found:?}");
}
