//! A strict reader of Prometheus' text format: what it takes, any scraper takes.

use std::collections::{BTreeMap, BTreeSet};

/// What a page of metrics says.
#[derive(Debug, Default)]
pub struct Page {
    /// By series, written `name{label="value",…}` with the labels in order.
    samples: BTreeMap<String, f64>,
    /// By name.
    pub kinds: BTreeMap<String, String>,
}

impl Page {
    /// The value of a series that must be there.
    pub fn value(&self, series: &str) -> f64 {
        self.find(series).unwrap_or_else(|| panic!("no {series} in {:#?}", self.samples))
    }

    pub fn find(&self, series: &str) -> Option<f64> {
        self.samples.get(series).copied()
    }

    /// All series of a metric.
    pub fn of(&self, name: &str) -> Vec<(&str, f64)> {
        let labelled = format!("{name}{{");
        let mine = |series: &str| series == name || series.starts_with(&labelled);
        self.samples.iter().filter(|(series, _)| mine(series)).map(|(series, value)| (&**series, *value)).collect()
    }
}

/// Reads a page, or fails.
pub fn parse(text: &str) -> Page {
    assert!(text.ends_with('\n'), "the last line does not end");
    let mut page = Page::default();
    let (mut helped, mut over) = (BTreeSet::new(), BTreeSet::new());
    let mut current = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help text");
            assert!(!help.is_empty(), "{line}");
            assert!(helped.insert(name.to_owned()), "help is there twice: {line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(helped.contains(name), "no help before {line}");
            assert!(page.kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "type is there twice: {line}");
            over.insert(std::mem::replace(&mut current, name.to_owned()));
        } else {
            let (name, labels, value) = sample(line);
            let family = if page.kinds[&current] == "histogram" {
                ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(&name)
            } else {
                &name
            };
            assert_eq!(family, current, "out of its family: {line}");
            assert!(!over.contains(family), "a family in two places: {line}");
            let labels = labels.into_iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect::<Vec<_>>();
            let series = if labels.is_empty() { name } else { format!("{name}{{{}}}", labels.join(",")) };
            assert!(page.samples.insert(series, value).is_none(), "a series twice: {line}");
        }
    }
    page.kinds.iter().filter(|(_, kind)| *kind == "histogram").for_each(|(name, _)| check_histogram(&page, name));
    page
}

fn check_histogram(page: &Page, name: &str) {
    let mut buckets: Vec<(f64, f64)> = Vec::new();
    for (series, count) in page.of(&format!("{name}_bucket")) {
        let bound = series.split('"').nth(1).expect("le=\"…\"");
        buckets.push((if bound == "+Inf" { f64::INFINITY } else { number(bound) }, count));
    }
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    assert!(buckets.is_sorted_by_key(|bucket| bucket.1), "{name}: buckets are cumulative: {buckets:?}");
    let (bound, all) = *buckets.last().expect("a bucket");
    assert!(bound.is_infinite(), "{name} has no bucket for all");
    assert_eq!(all, page.value(&format!("{name}_count")), "{name}");
    assert!(page.value(&format!("{name}_sum")) >= 0.0, "{name}");
}

/// Name, labels by name, value.
fn sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("no value: {line}"));
    let name = &line[..end];
    assert!(is_name(name), "{line}");
    let mut labels = BTreeMap::new();
    let mut rest = &line[end..];
    if let Some(inside) = rest.strip_prefix('{') {
        let mut left = inside;
        loop {
            let (label, value) = left.split_once("=\"").unwrap_or_else(|| panic!("no label: {line}"));
            assert!(is_name(label) && !label.contains(':') && !label.starts_with("__"), "{line}");
            let end = closing_quote(value).unwrap_or_else(|| panic!("no end of a value: {line}"));
            assert!(labels.insert(label.to_owned(), value[..end].to_owned()).is_none(), "{line}");
            left = &value[end + 1..];
            if let Some(after) = left.strip_prefix('}') {
                rest = after;
                break;
            }
            left = left.strip_prefix(',').unwrap_or_else(|| panic!("no comma: {line}"));
        }
    }
    let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("no space before the value: {line}"));
    (name.to_owned(), labels, number(value))
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    })
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("no number: {text}"))
}

fn is_name(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    text.starts_with(first) && text.chars().all(|c| first(c) || c.is_ascii_digit())
}
