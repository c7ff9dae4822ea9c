//! The documentation's table of metrics and the code say the same.

use std::collections::BTreeSet;
use std::fs;

use tagstream::telemetry::{MetricDescription, Metrics, PushMetrics, ServeMetrics};

/// Name, type and labels, as the table writes them.
type Row = (String, String, String);

fn documented() -> Vec<Row> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/docs/operations.md");
    let text = fs::read_to_string(path).expect("the documentation");
    let rows = text.lines().filter(|line| line.starts_with("| `tagstream_") || line.starts_with("| `process_"));
    let cells = |line: &str| {
        let cells: Vec<String> = line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
        assert_eq!(cells.len(), 5, "name, type, labels, meaning, alert: {line}");
        assert!(!cells[3].is_empty(), "no meaning: {line}");
        (cells[0].clone(), cells[1].clone(), cells[2].clone())
    };
    rows.map(cells).collect()
}

/// The metrics of all processes.
fn descriptions() -> Vec<MetricDescription> {
    let (service, serve, push) = (Metrics::new(), ServeMetrics::new(), PushMetrics::new());
    [service.descriptions(), serve.descriptions(), push.descriptions()].concat()
}

#[test]
fn the_documentation_lists_every_metric_and_no_other() {
    let documented = documented();
    let unique: BTreeSet<Row> = documented.iter().cloned().collect();
    assert_eq!(unique.len(), documented.len(), "a metric is there twice");
    let row =
        |metric: &MetricDescription| (metric.name.clone(), metric.metric_type.to_owned(), metric.labels.join(", "));
    let registered: BTreeSet<Row> = descriptions().iter().map(row).collect();
    let missing: Vec<&Row> = registered.difference(&unique).collect();
    let gone: Vec<&Row> = unique.difference(&registered).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not documented: {missing:#?}\nno such metric: {gone:#?}");
}

#[test]
fn names_follow_the_conventions() {
    for metric in descriptions() {
        let name = &metric.name;
        assert_eq!(metric.metric_type == "counter", name.ends_with("_total"), "{name}");
        assert!(metric.metric_type != "histogram" || name.ends_with("_seconds"), "{name}");
        assert!(!metric.help.is_empty(), "{name}");
        assert!(name.starts_with("tagstream_") || name.starts_with("process_"), "{name}");
    }
}
