//! Packages that break often or mark a border: each is one part's own, and some come only with a feature.

use super::paths::paths;
use super::sources::{Source, all_sources, expect_none};

/// A package and the part that alone may use it.
const OWNED: [(&str, &str); 15] = [
    ("annotate_snippets", "catalog"),
    ("axum", "http"),
    ("cel", "catalog"),
    ("clap", "cli"),
    ("comfy_table", "cli"),
    ("config", "settings"),
    ("crossterm", "demo"),
    ("fastrand", "demo"),
    ("indicatif", "cli"),
    ("ort", "scoring"),
    ("prometheus", "telemetry"),
    ("rdkafka", "kafka"),
    ("schemars", "catalog"),
    ("serde_saphyr", "catalog"),
    ("tracing_subscriber", "telemetry"),
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
            for (package, owner) in OWNED.iter().filter(|(package, _)| path.segments[0] == *package) {
                if own != *owner {
                    let place = format!("{}:{}", source.name, path.line);
                    findings.push(format!("{place}: {package} is {owner}'s; ask {owner} for what you need"));
                }
            }
        }
    }
    findings
}
