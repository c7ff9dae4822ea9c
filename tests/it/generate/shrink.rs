//! Making a failing case small: fewer events, then fewer tags, counters and attributes.

use serde_json::Value;

use super::{Case, yaml};

/// The smallest case found that still fails.
pub fn shrink(case: Case, still_fails: &dyn Fn(&Case) -> bool) -> Case {
    let mut smallest = case;
    loop {
        let before = size(&smallest);
        smallest = with_fewer_lines(smallest, still_fails);
        smallest = with_less_catalog(smallest, still_fails);
        if size(&smallest) == before {
            return smallest;
        }
    }
}

/// The same without fewer lines.
pub fn shrink_catalog(case: Case, still_fails: &dyn Fn(&Case) -> bool) -> Case {
    let mut smallest = case;
    loop {
        let before = size(&smallest);
        smallest = with_less_catalog(smallest, still_fails);
        if size(&smallest) == before {
            return smallest;
        }
    }
}

fn size(case: &Case) -> usize {
    case.catalog.len() + case.lines.len()
}

/// Drops runs of lines: halves first, then ever shorter ones down to single lines.
fn with_fewer_lines(mut case: Case, still_fails: &dyn Fn(&Case) -> bool) -> Case {
    let mut length = case.lines.len().div_ceil(2).max(1);
    loop {
        let mut from = 0;
        while from < case.lines.len() {
            let mut fewer = case.clone();
            fewer.lines.drain(from..(from + length).min(case.lines.len()));
            if still_fails(&fewer) { case = fewer } else { from += length }
        }
        if length == 1 {
            return case;
        }
        length = length.div_ceil(2);
    }
}

/// Drops tags, counters and attributes that nothing else in the catalog mentions, and what entries can do without.
fn with_less_catalog(mut case: Case, still_fails: &dyn Fn(&Case) -> bool) -> Case {
    for word in ["history", "input"] {
        let mut less = read(&case.catalog);
        if less.as_object_mut().expect("a map").shift_remove(word).is_some() {
            case = kept(case, &less, still_fails);
        }
    }
    for section in ["tags", "counters", "attributes", "entities"] {
        let catalog = read(&case.catalog);
        let names: Vec<String> =
            catalog[section].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
        for name in names {
            let mut less = read(&case.catalog);
            let entries = less[section].as_object_mut().expect("a map");
            entries.shift_remove(&name);
            if section == "entities" && entries.is_empty() {
                less.as_object_mut().expect("a map").shift_remove(section);
            }
            if !mentions(&less, &name) {
                case = kept(case, &less, still_fails);
            }
            for word in [
                "until",
                "for",
                "keep_for",
                "margin",
                "where",
                "limit",
                "title",
                "group",
                "forget_after",
                "ago",
                "since",
                "each",
                "resolution",
            ] {
                let mut less = read(&case.catalog);
                let entry = less[section].get_mut(&name).and_then(Value::as_object_mut);
                if entry.is_some_and(|entry| entry.shift_remove(word).is_some()) {
                    case = kept(case, &less, still_fails);
                }
            }
        }
    }
    case
}

fn kept(case: Case, less: &Value, still_fails: &dyn Fn(&Case) -> bool) -> Case {
    let smaller = Case { catalog: yaml::write(less), ..case.clone() };
    if still_fails(&smaller) { smaller } else { case }
}

fn read(catalog: &str) -> Value {
    serde_saphyr::from_str(catalog).expect("a YAML file")
}

/// Whether the name stands as a word anywhere in the texts of the catalog.
fn mentions(catalog: &Value, name: &str) -> bool {
    match catalog {
        Value::String(text) => text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name),
        Value::Array(items) => items.iter().any(|item| mentions(item, name)),
        Value::Object(entries) => entries.values().any(|entry| mentions(entry, name)),
        _ => false,
    }
}
