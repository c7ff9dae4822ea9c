//! Warnings about the events of a replay, printed at its end.

use super::console::report;
use super::escape::escaped;
use super::format::{counted, distance};
use crate::catalog::{Aggregate, Catalog, Expr, Source, Type};
use crate::engine::{AttributeStats, Partition, Stats};
use crate::replay::{Lateness, Replay};

/// An event in a file that is later than this is more likely a sign of a wrong order than of a phone that was off.
const WARN_MS: i64 = 86_400_000;

/// If more than one event in this many is late, a warning is printed, however late they are.
const WARN_SHARE: u64 = 100;

/// Prints the warnings about the events of a replay.
pub(crate) fn print_warnings(replay: &mut Replay) {
    let audit = replay.audit();
    let words = audit.words();
    let by_leaps = audit.clock_leaps().iter().map(|leap| leap.late).max().unwrap_or(0);
    let too_large = audit.inexact_numbers().into_iter().map(|found| (&found.owner, found.events_too_large));
    let too_long = audit.long_texts().into_iter().map(|found| (&found.owner, found.events));
    let told: Vec<(String, u64)> =
        too_large.chain(too_long).map(|(owner, events)| (owner.name().to_owned(), events)).collect();
    replay
        .partition_set_mut()
        .partitions_mut()
        .iter_mut()
        .for_each(|partition| warn_of_skipped_values(partition, &told));
    words.iter().for_each(|line| report(&escaped(line)));
    warn_of_late_events(replay.lateness(), by_leaps);
}

/// `by_leaps` of the late events have been explained.
fn warn_of_late_events(lateness: &Lateness, by_leaps: u64) {
    let Lateness { events, late, max_ms } = *lateness;
    let late = late.saturating_sub(by_leaps);
    if late == 0 || max_ms <= WARN_MS && late * WARN_SHARE <= events {
        return;
    }
    let count = counted(late, "event is older than one before it", "events are older than one before them");
    let max = distance(max_ms);
    report(&format!("{count}, by up to {max}; what windows no longer hold is not counted: sort the input by time"));
}

/// Names the counters with events that had no value to count, and the attributes with values of another type or with
/// none at all. `told`: of how many events of a counter or an attribute the reason is told by itself.
fn warn_of_skipped_values(partition: &mut Partition, told: &[(String, u64)]) {
    let Stats { skipped, attributes: heard, ids_crowded_out, items_left_out, .. } = partition.take_stats();
    let program = partition.program();
    if ids_crowded_out > 0 {
        let limit = program.catalog.input.dedup_limit;
        let count = counted(ids_crowded_out, "event id was forgotten", "event ids were forgotten");
        report(&format!(
            "{count} before their time, since an entity had more than {limit} within `dedup`: a repeat of such an event \
             counts again; raise `dedup_limit`, or look for a sender that sends too much"
        ));
    }
    if items_left_out > 0 {
        let count = counted(items_left_out, "element of an array was", "elements of arrays were");
        report(&format!(
            "{count} left out, since an event had more than 1,000 of them: `each` looks at the first 1,000"
        ));
    }
    let told_of =
        |names: &[&str]| told.iter().find(|(name, _)| names.contains(&name.as_str())).map_or(0, |(_, count)| *count);
    for (series, skipped) in (0..).zip(skipped).filter(|(_, skipped)| *skipped > 0) {
        let all = program.catalog.counters.iter().zip(&program.counters);
        let sharing: Vec<_> = all.filter(|(_, plan)| plan.series.0 == series).map(|(counter, _)| counter).collect();
        let Some((what, of)) = sharing.first().and_then(|counter| wanted(counter.aggregate, &program.catalog)) else {
            continue;
        };
        let names: Vec<&str> = sharing.iter().map(|counter| &*counter.name).collect();
        let skipped = skipped.saturating_sub(told_of(&names));
        if skipped == 0 {
            continue;
        }
        let counters = if names.len() == 1 { "counter" } else { "counters" };
        report(&format!("{counters} {}: {skipped} of its events had no {what} at {of}", names.join(", ")));
    }
    for (attribute, heard) in program.by_attribute(&heard) {
        let Source::Property(path) = attribute.value else { continue };
        let (name, path) = (&attribute.name, program.catalog.format_expr(&Expr::Property(path)));
        let AttributeStats { events, mismatched, missing: silent } = heard;
        let misfits = mismatched.saturating_sub(told_of(&[name]));
        if misfits > 0 {
            let scalar = "text, a number, true or false";
            let what = attribute.value_type.map_or(scalar, |declared| Type::of_attribute(Some(declared)).name());
            report(&format!("attribute {name}: {misfits} of its events had something else than {what} at {path}"));
        }
        if silent > 0 && silent == events {
            let none = if events == 1 { "its only event".to_owned() } else { format!("all of its {events} events") };
            report(&format!("attribute {name}: {none} had nothing at {path}"));
        }
    }
}

/// The type of value that an aggregate takes, and where it is in the event.
fn wanted(aggregate: Aggregate, catalog: &Catalog) -> Option<(&'static str, String)> {
    let is_path = |source: &Source| matches!(source, Source::Property(_) | Source::Item(_));
    let (what, of) = match aggregate {
        Aggregate::Sum(of) | Aggregate::Avg(of) | Aggregate::Min(of) | Aggregate::Max(of) => {
            return Some(("number", catalog.number_source(of)));
        }
        Aggregate::Top { of, .. } => ("text", of),
        Aggregate::Distinct { of, .. } | Aggregate::Last(of) | Aggregate::First(of) => ("value", of),
        Aggregate::Count | Aggregate::ActiveDays => return None,
    };
    Some(of).filter(is_path).map(|of| (what, catalog.source(of)))
}
