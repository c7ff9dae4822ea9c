//! What goes on under which name when another catalog takes over (spec 8): counters that mean the same keep what they have,
//! with whatever window, and so do attributes; tags go on by their names.

use std::collections::BTreeMap;

use serde_json::Value as Yaml;

use super::catalog::{Aggregate, Catalog, Counter, TagKind};
use super::catalog_reader::section;
use super::instant::duration_ms;
use super::window::{Resolution, Window};

/// Where a counter's history comes from.
#[derive(Clone, Copy, Debug)]
pub struct Heir {
    /// The counter of the old catalog.
    pub of: usize,
    /// Events before this instant had left all windows of the old one.
    pub from: i64,
}

#[derive(Debug)]
pub struct Succession {
    /// By counter of the new catalog.
    pub counters: Vec<Option<Heir>>,
    /// By counter of the new catalog, the clock up to which events may be missing, if any may.
    pub added: Vec<Option<i64>>,
    /// By attribute of the new catalog.
    pub attributes: Vec<Option<usize>>,
    /// By tag of the new catalog.
    pub tags: Vec<Option<usize>>,
}

/// The clock of the change, and what the old catalog's counters may be missing.
#[derive(Clone, Copy, Debug)]
pub struct Clocks<'a> {
    pub clock: i64,
    pub added: &'a [Option<i64>],
}

impl Succession {
    /// From one catalog, read from its YAML, to another.
    pub fn new([old_yaml, new_yaml]: [&Yaml; 2], old: &Catalog, new: &Catalog, now: Clocks) -> Self {
        let (before, after) = (meanings(old_yaml, old), meanings(new_yaml, new));
        let mut added = Vec::new();
        let counters = after.iter().zip(&new.counters).map(|(meaning, counter)| {
            let same = (0..before.len()).filter(|index| before[*index] == *meaning);
            // One that keeps all that is needed, else the one that keeps most.
            let best = same.min_by_key(|index| {
                let window = old.counters[*index].window;
                (!window.covers(counter.window), window.keeps_from(&old.zone, now.clock))
            });
            let Some(of) = best else {
                added.push(Some(now.clock));
                return None;
            };
            let kept = old.counters[of].window;
            // Counters of one meaning share what is kept, if their windows differ in length alone.
            let sharing = after.iter().zip(&new.counters).filter(|(own, _)| *own == meaning && shares(counter));
            let is_covered =
                kept.covers(counter.window) && sharing.into_iter().all(|(_, other)| covers_or_differs(kept, other));
            let from = kept.keeps_from(&old.zone, now.clock);
            added.push(if is_covered { now.added[of] } else { now.added[of].max(Some(from)) });
            Some(Heir { of, from: if is_covered { i64::MIN } else { from } })
        });
        let counters = counters.collect();
        let (before, after) = (attributes(old_yaml, old), attributes(new_yaml, new));
        let attributes = after.iter().map(|meaning| before.iter().position(|own| own == meaning)).collect();
        let tags = new.tags.iter().map(|tag| {
            let is_manual = |kind: &TagKind| matches!(kind, TagKind::Manual { .. });
            let fits = |own: &TagKind| is_manual(own) == is_manual(&tag.kind) || !is_manual(&tag.kind);
            old.tags.iter().position(|own| own.name == tag.name && fits(&own.kind))
        });
        Self { counters, added, attributes, tags: tags.collect() }
    }
}

/// Whether counters of this aggregate read one series with windows of any length.
fn shares(counter: &Counter) -> bool {
    use Aggregate::{Distinct, First, Last, Top};
    !matches!(counter.aggregate, Distinct | First | Last | Top)
}

/// Whether a counter's window differs in more than its length, or is covered.
fn covers_or_differs(kept: Window, other: &Counter) -> bool {
    let is_alike = match (kept, other.window) {
        (Window::Calendar(unit, _), Window::Calendar(other, _)) => unit == other,
        (Window::Rolling { .. }, Window::Rolling { .. }) | (Window::Lifetime, Window::Lifetime) => true,
        _ => false,
    };
    !is_alike || kept.covers(other.window)
}

/// By counter, everything about it but for its name and the length and place of its window.
fn meanings(yaml: &Yaml, catalog: &Catalog) -> Vec<BTreeMap<String, Yaml>> {
    let counters = section(yaml, "counters").zip(&catalog.counters);
    let meaning = |((_, own), counter): ((&String, &Yaml), &Counter)| {
        let mut meaning: BTreeMap<String, Yaml> =
            own.as_object().expect("a map").iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        for word in ["window", "calendar", "ago", "resolution"] {
            meaning.remove(word);
        }
        // Both are made of the same sums.
        if let Some(of) = meaning.remove("avg") {
            meaning.insert("sum".to_owned(), of);
        }
        for word in ["gap", "within"] {
            if let Some(length) = meaning.get_mut(word) {
                *length = duration_ms(length.as_str().expect("a length")).into();
            }
        }
        let grid = match counter.window {
            _ if counter.aggregate == Aggregate::ActiveDays => "days".to_owned(),
            Window::Lifetime => "whole".to_owned(),
            Window::Rolling { resolution: Resolution::Fixed(ms), .. } => ms.to_string(),
            Window::Rolling { resolution: Resolution::LocalDay, .. } => "Day".to_owned(),
            Window::Calendar(unit, _) => format!("{unit:?}"),
        };
        meaning.insert("grid".to_owned(), grid.into());
        meaning
    };
    counters.map(meaning).collect()
}

/// By attribute, everything about it but for its name.
fn attributes(yaml: &Yaml, catalog: &Catalog) -> Vec<Yaml> {
    assert_eq!(section(yaml, "attributes").count(), catalog.attributes.len());
    section(yaml, "attributes").map(|(_, own)| own.clone()).collect()
}
