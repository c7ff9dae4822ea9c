//! Who enters and leaves each tag a day if nothing happens: a copy of the partitions is played forward.

use std::collections::BTreeMap;

use crate::catalog::Catalog;
use crate::engine::{Program, Sink};
use crate::model::{EntityKindId, Scalar, TagChange, Timestamp};
use crate::serve::replica::ReplicaView;

/// What happens if nothing happens, day by day.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// The instant from which on it looks; `None`: there are no events to look ahead from.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub days: Vec<DayForecast>,
}

/// One local day of the catalog's time zone, or what is left of the first one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DayForecast {
    /// `2026-03-01`.
    pub date: String,
    /// By tag, and by band or stage where it has them; only those in which something happens.
    pub tags: BTreeMap<(String, Option<String>), TagMoves>,
}

/// How many entities get a tag and lose it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TagMoves {
    pub entered: u64,
    pub left: u64,
}

/// Counts changes by tag.
struct MoveCounter<'a> {
    catalog: &'a Catalog,
    /// The tag that is asked for; `None`: all.
    only: Option<&'a str>,
    tags: BTreeMap<(String, Option<String>), TagMoves>,
}

impl MoveCounter<'_> {
    fn count(&mut self, tag: &str, value: Scalar<'_>, entered: u64) {
        let definition = self.catalog.tags.iter().find(|known| *known.name == *tag).map(|known| &known.definition);
        let has_labels = definition.is_some_and(|definition| !definition.labels().is_empty());
        let label = match value {
            Scalar::Absent => return,
            Scalar::String(label) if has_labels => Some(label.to_owned()),
            _ => None,
        };
        let moves = self.tags.entry((tag.to_owned(), label)).or_default();
        moves.entered += entered;
        moves.left += 1 - entered;
    }
}

impl Sink for MoveCounter<'_> {
    fn change(&mut self, change: &TagChange<'_>) {
        if self.only.is_some_and(|only| only != change.tag) {
            return;
        }
        self.count(change.tag, change.previous, 0);
        self.count(change.tag, change.value, 1);
    }
}

impl Forecast {
    /// Looks ahead over the partitions of a kind of entity, from the greatest of their clocks. What a partition whose clock is
    /// behind it has to change until then counts on the first day.
    pub fn of(view: &ReplicaView, kind: EntityKindId, only: Option<&str>, horizon_ms: i64) -> Self {
        let program = view.compiled.of(kind);
        let Some(from) = view.of(kind).filter_map(|partition| partition.standing.clock()).max() else {
            return Forecast { from: None, to: None, days: Vec::new() };
        };
        let to = from.plus(horizon_ms);
        let ends = day_ends(program, from, to);
        let mut days = vec![DayForecast::default(); ends.len()];
        for (day, (date, _)) in days.iter_mut().zip(&ends) {
            day.date.clone_from(date);
        }
        let catalog = &view.compiled.catalog;
        // One partition after another, so that only one copy is in memory.
        for partition in view.of(kind) {
            let mut copy = partition.partition();
            for (day, (_, at)) in days.iter_mut().zip(&ends) {
                let mut counter = MoveCounter { catalog, only, tags: std::mem::take(&mut day.tags) };
                copy.advance(*at, &mut counter);
                day.tags = counter.tags;
            }
        }
        Forecast { from: Some(from), to: Some(to), days }
    }
}

/// The local days between two instants: each with its date and its last instant. A change at midnight belongs to the new
/// day.
fn day_ends(program: &Program, from: Timestamp, to: Timestamp) -> Vec<(String, Timestamp)> {
    let mut days = Vec::new();
    let mut at = from;
    while at < to {
        let next = at.plus(1);
        at = program.zone.start(program.zone.day(next) + 1).plus(-1).min(to);
        let instant = jiff::Timestamp::from_millisecond(next.ms()).unwrap_or_default();
        days.push((instant.to_zoned(program.catalog.timezone.clone()).date().to_string(), at));
    }
    days
}
