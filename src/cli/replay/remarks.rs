//! What is odd about the events of a replay and yet no error: told when it is over.

use crate::catalog::{Aggregate, Expr, Source, Type};
use crate::cli::report;
use crate::cli::shown::distance;
use crate::engine::{AttributeStats, Partition, PartitionSet, Stats};

/// Events that came after later ones.
#[derive(Clone, Debug, Default)]
pub struct Late {
    events: u64,
    late: u64,
    most_ms: i64,
}

/// Live streams have events that come a while after later ones: up to here nobody is told.
const LATE_MS: i64 = 3_600_000;

/// One event that is so late may be a phone that was off; in a file it is mostly the order that is wrong.
const TOLD_MS: i64 = 86_400_000;

/// So many of the events are told of, however late: one in this many.
const TOLD_SHARE: u64 = 100;

impl Late {
    /// Counts an event that came so long after its time.
    pub fn note(&mut self, behind_ms: i64) {
        self.events += 1;
        self.late += u64::from(behind_ms > LATE_MS);
        self.most_ms = self.most_ms.max(behind_ms);
    }

    /// Says how many there were, if it is worth a word.
    pub fn tell(&self) {
        let is_many = self.late * TOLD_SHARE > self.events;
        if self.most_ms <= TOLD_MS && !is_many {
            return;
        }
        let (late, most) = (
            counted(self.late, "event is older than one before it", "events are older than one before them"),
            distance(self.most_ms),
        );
        report(&format!("{late}, by up to {most}; what windows no longer hold is not counted: sort the input by time"));
    }
}

/// A number with its noun.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Says which counters had events that they could not count for want of a value, and which attributes had values that they
/// do not take, or none at all.
pub fn tell_skipped(world: &mut PartitionSet) {
    world.partitions_mut().iter_mut().for_each(tell_skipped_in);
}

fn tell_skipped_in(partition: &mut Partition) {
    let Stats { skipped, attributes: heard, .. } = partition.take_stats();
    let program = partition.program();
    for (series, skipped) in (0..).zip(skipped).filter(|(_, skipped)| *skipped > 0) {
        let all = program.catalog.counters.iter().zip(&program.counters);
        let sharing: Vec<_> = all.filter(|(_, plan)| plan.series.0 == series).map(|(counter, _)| counter).collect();
        let Some((what, of)) = sharing.first().and_then(|counter| wanted(counter.aggregate)) else { continue };
        let names: Vec<&str> = sharing.iter().map(|counter| &*counter.name).collect();
        let counters = if names.len() == 1 { "counter" } else { "counters" };
        let path = program.catalog.written(&of);
        report(&format!("{counters} {}: {skipped} of its events had no {what} at {path}", names.join(", ")));
    }
    for (attribute, heard) in program.by_attribute(&heard) {
        let Source::Property(path) = attribute.value else { continue };
        let (name, path) = (&attribute.name, program.catalog.written(&Expr::Property(path)));
        let AttributeStats { events, mismatched: misfits, missing: silent } = heard;
        if misfits > 0 {
            let scalar = "text, a number, true or false";
            let what = attribute.kind.map_or(scalar, |kind| Type::of_attribute(Some(kind)).name());
            report(&format!("attribute {name}: {misfits} of its events had something else than {what} at {path}"));
        }
        if silent > 0 && silent == events {
            let none = if events == 1 { "its only event".to_owned() } else { format!("all of its {events} events") };
            report(&format!("attribute {name}: {none} had nothing at {path}"));
        }
    }
}

/// What an aggregate takes, and whence.
fn wanted(aggregate: Aggregate) -> Option<(&'static str, Expr)> {
    let (what, path) = match aggregate {
        Aggregate::Sum(path) | Aggregate::Avg(path) | Aggregate::Min(path) | Aggregate::Max(path) => ("number", path),
        Aggregate::Top { of: Source::Property(path), .. } => ("text", path),
        Aggregate::Distinct { of: Source::Property(path), .. }
        | Aggregate::Last(Source::Property(path))
        | Aggregate::First(Source::Property(path)) => ("value", path),
        _ => return None,
    };
    Some((what, Expr::Property(path)))
}
