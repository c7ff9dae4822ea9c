//! What was found, one line each, for people.

use super::{ClockLeap, ClosedFilter, InexactNumbers, InputAudit, LongTexts, MissingTypes};
use crate::catalog::Catalog;
use crate::model::DAY_MS;

impl InputAudit {
    /// Everything that is not so, in words.
    pub fn words(&self) -> Vec<String> {
        let catalog = &self.program.catalog;
        let leaps = self.leaps.found().map(leap);
        // Of no events at all nothing is missing.
        let types = self.types.found(catalog).filter(|_| self.events > 0).map(|missing| types(&missing));
        let filters = self.filters.found().map(|closed| filter(closed, catalog));
        let numbers = self.numbers.found().flat_map(numbers);
        let texts = self.texts.found().map(|long| texts(long, catalog.input.max_text));
        leaps.chain(types).chain(filters).chain(numbers).chain(texts).collect()
    }
}

fn leap(leap: &ClockLeap) -> String {
    let ClockLeap { line, key, event_type, time, next, late } = leap;
    let days = time.since(*next) / DAY_MS;
    let days = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    let late =
        if *late == 1 { "1 event after it is late".to_owned() } else { format!("{late} events after it are late") };
    format!(
        "line {line}: the event `{event_type}` of {key:?} at {time} moved the clock {days} past all that follow; \
         {late} because of it: remove that line, or give an end before it (`--until`, `--at`)"
    )
}

fn types(missing: &MissingTypes) -> String {
    let MissingTypes { owner, types, nearest } = missing;
    let names: Vec<String> = types.iter().map(|name| format!("`{name}`")).collect();
    let there_was = nearest.as_ref().map(|name| format!("; there was `{name}`")).unwrap_or_default();
    format!("{owner}: no event had the type {}{there_was}", names.join(" or "))
}

fn filter(closed: &ClosedFilter, catalog: &Catalog) -> String {
    let ClosedFilter { owner, events, elements, parts } = closed;
    let (count, of) = match elements {
        Some((array, 0)) => {
            let path = catalog.array(*array);
            let all = if *events == 1 { "1 event" } else { &format!("{events} events") };
            return format!("{owner}: its `each` met no element in {all}: there is no array at {path}, or it is empty");
        }
        Some((_, count)) => (*count, "elements"),
        None => (*events, "events"),
    };
    let failed = parts.iter().filter(|part| part.failed > 0);
    let parts: Vec<String> = failed.map(|part| part.describe(count, of, catalog)).collect();
    let whose = if elements.is_some() { "no element in the events of its types" } else { "no event of its types" };
    format!("{owner}: {whose} passed its `where`: {}", parts.join("; "))
}

fn numbers(found: &InexactNumbers) -> Vec<String> {
    let InexactNumbers { owner, rounded, lost, too_large, events_too_large: _ } = found;
    let mut lines = Vec::new();
    let mut tell = |count: u64, what: &str| {
        if count > 0 {
            let were = if count == 1 { "1 number was" } else { &format!("{count} numbers were") };
            lines.push(format!("{owner}: {were} {what}"));
        }
    };
    tell(*too_large, "too large to count; the limit is ±10¹⁵");
    tell(*lost, "computed to be so near to 0 that nothing is left with 9 decimals; compute in a smaller unit");
    tell(*rounded, "rounded to 9 decimals");
    lines
}

fn texts(found: &LongTexts, max_text: usize) -> String {
    let LongTexts { owner, texts, events: _, longest } = found;
    let texts = if *texts == 1 {
        format!("1 text was longer than {max_text} bytes and counts as missing: it has {longest}")
    } else {
        format!("{texts} texts were longer than {max_text} bytes and count as missing: the longest has {longest}")
    };
    format!("{owner}: {texts}; raise `input.max_text` to keep such texts")
}
