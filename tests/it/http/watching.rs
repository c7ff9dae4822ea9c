//! The dashboard and the alerts ask for metrics that exist, and the runbook has every alert.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use tagstream::telemetry::{MetricDescription, Metrics, PushMetrics, ServeMetrics};

fn file(name: &str) -> String {
    let path = format!("{}/deploy/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every name that a page of metrics may have.
fn registered() -> BTreeSet<String> {
    let (service, serve, push) = (Metrics::new(), ServeMetrics::new(), PushMetrics::new());
    let series = |metric: &MetricDescription| match metric.metric_type {
        "histogram" => ["_bucket", "_sum", "_count"].map(|suffix| metric.name.clone() + suffix).to_vec(),
        _ => vec![metric.name.clone()],
    };
    [service.descriptions(), serve.descriptions(), push.descriptions()].concat().iter().flat_map(series).collect()
}

/// The names of metrics in a text.
fn names_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("tagstream_") || word.starts_with("process_")).map(str::to_owned).collect()
}

fn dashboard() -> Value {
    serde_json::from_str(&file("watching/dashboard.json")).expect("JSON")
}

fn panels(dashboard: &Value) -> &[Value] {
    dashboard["panels"].as_array().expect("panels")
}

fn text_of(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("no {member}: {value}")).to_owned()
}

/// The queries of all panels.
fn queries(dashboard: &Value) -> Vec<String> {
    let targets = panels(dashboard).iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    targets.map(|target| text_of(target, "expr")).collect()
}

fn alerts() -> Vec<String> {
    let text = file("watching/alerts.yaml");
    text.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).map(str::to_owned).collect()
}

#[test]
fn the_dashboard_shows_every_metric_and_no_other() {
    let queries: BTreeSet<String> = queries(&dashboard()).iter().flat_map(|query| names_in(query)).collect();
    let registered = registered();
    let unknown: Vec<&String> = queries.difference(&registered).collect();
    // A mean needs the sum and the count of a histogram, its quantiles the buckets alone.
    let is_shown = |name: &&String| {
        let base = ["_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
        !queries.contains(*name) && !base.is_some_and(|base| queries.contains(&format!("{base}_bucket")))
    };
    let not_shown: Vec<&String> = registered.iter().filter(is_shown).collect();
    assert!(unknown.is_empty() && not_shown.is_empty(), "no such metric: {unknown:?}; not shown: {not_shown:?}");
}

#[test]
fn the_dashboard_can_be_imported_as_it_is() {
    let dashboard = dashboard();
    assert!(dashboard.get("__inputs").is_none(), "Grafana's provisioning does not fill __inputs in");
    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    assert_eq!(text_of(&variables[0], "type"), "datasource");
    let mut taken = BTreeSet::new();
    let mut rows = Vec::new();
    for panel in panels(&dashboard) {
        assert!(taken.insert(format!("id {}", panel["id"])), "two panels have the id {}", panel["id"]);
        let place = |member: &str| panel["gridPos"][member].as_u64().expect("a number");
        for (x, y) in (0..place("w")).flat_map(|x| (0..place("h")).map(move |y| (x, y))) {
            let (x, y) = (place("x") + x, place("y") + y);
            assert!(x < 24 && taken.insert(format!("{x},{y}")), "two panels are at {x},{y}: {}", panel["title"]);
        }
        if panel["type"] == "row" {
            rows.push(text_of(panel, "title"));
            continue;
        }
        assert!(!text_of(panel, "description").is_empty(), "{}", panel["title"]);
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
    }
    let wanted = [
        "Is it well",
        "Throughput",
        "Latency",
        "Lag and clock",
        "Tags in and out",
        "Transactions",
        "Restore",
        "Memory and machine",
        "Read side",
        "Push to a webhook",
    ];
    assert_eq!(rows, wanted);
}

#[test]
fn alerts_ask_for_metrics_that_exist() {
    for name in ["watching/alerts.yaml", "watching/alerts.test.yaml"] {
        let unknown: Vec<String> = names_in(&file(name)).difference(&registered()).cloned().collect();
        assert!(unknown.is_empty(), "{name}: no such metric: {unknown:?}");
    }
}

#[test]
fn every_alert_is_tried_and_has_a_runbook() {
    let (tried, runbook) = (file("watching/alerts.test.yaml"), file("docs/watching.md"));
    let alerts = alerts();
    assert!(!alerts.is_empty());
    for alert in &alerts {
        assert!(tried.contains(&format!("alertname=\"{alert}\"")), "alerts.test.yaml never has {alert} fire");
        assert!(runbook.contains(&format!("\n### {alert}\n")), "watching.md has no section {alert}");
    }
    let sections = runbook.lines().filter_map(|line| line.strip_prefix("### "));
    let gone: Vec<&str> = sections.filter(|section| !alerts.iter().any(|alert| alert == section)).collect();
    assert!(gone.is_empty(), "watching.md has alerts that do not exist: {gone:?}");
}
