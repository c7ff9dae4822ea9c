//! What came and went, how often, and why.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::reader::HistoryView;
use super::row::{PackedChange, raw};
use super::store::HistoryError;
use crate::model::{ChangeType, HOUR_MS, Timestamp};

/// Reasons are counted among this many of the latest changes.
const REASONS_OF_MAX: i64 = 10_000;
const REASONS_MAX: usize = 20;

/// How many entities got a tag, changed its value and lost it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TagFigures {
    pub entered: i64,
    pub changed: i64,
    pub left: i64,
}

/// The changes of one hour, which begins at `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourCount {
    pub from: Timestamp,
    pub counts: TagFigures,
}

/// Why a tag was entered or left, and how often among the latest changes.
#[derive(Clone, Debug, Serialize)]
pub struct ReasonCount {
    pub change: &'static str,
    pub cause: &'static str,
    pub because: Box<RawValue>,
    pub count: u64,
}

impl TagFigures {
    fn add(&mut self, change: i64, count: i64) {
        match super::row::change_of(change) {
            ChangeType::Added => self.entered += count,
            ChangeType::Changed => self.changed += count,
            ChangeType::Removed => self.left += count,
        }
    }

    fn add_all(&mut self, other: TagFigures) {
        self.entered += other.entered;
        self.changed += other.changed;
        self.left += other.left;
    }
}

impl HistoryView<'_> {
    /// What happened to a tag after one instant, up to and with another.
    ///
    /// # Errors
    /// The store cannot be read, or the answer takes too long.
    pub fn figures(
        &self,
        (kind, tag): (&str, &str),
        after: Timestamp,
        until: Timestamp,
    ) -> Result<TagFigures, HistoryError> {
        let mut sum = TagFigures::default();
        let Some(tag) = self.tag(kind, tag)? else { return Ok(sum) };
        // Whole hours were counted; the rest is counted now.
        let first_whole = Timestamp::from_ms((after.ms().div_euclid(HOUR_MS) + 1) * HOUR_MS);
        let last_whole = Timestamp::from_ms(until.ms().div_euclid(HOUR_MS) * HOUR_MS);
        if first_whole >= last_whole {
            sum.add_all(self.count_rows(tag, after, until)?);
            return Ok(sum);
        }
        sum.add_all(self.count_rows(tag, after, first_whole.plus(-1))?);
        for hour in self.whole_hours(tag, first_whole, last_whole)? {
            sum.add_all(hour.counts);
        }
        sum.add_all(self.count_rows(tag, last_whole.plus(-1), until)?);
        Ok(sum)
    }

    /// The changes of a tag by hour, for the hours that begin in this time; hours without a change are left out.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn hours(
        &self,
        (kind, tag): (&str, &str),
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<HourCount>, HistoryError> {
        match self.tag(kind, tag)? {
            Some(tag) => self.whole_hours(tag, from, to),
            None => Ok(Vec::new()),
        }
    }

    fn whole_hours(&self, tag: i64, from: Timestamp, to: Timestamp) -> Result<Vec<HourCount>, HistoryError> {
        let text =
            "SELECT hour, added, changed, removed FROM hourly WHERE tag = ? AND hour >= ? AND hour < ? ORDER BY hour";
        let mut statement = self.connection.prepare_cached(text)?;
        let (first, end) = (from.ms().div_euclid(HOUR_MS), to.ms().div_euclid(HOUR_MS));
        let hour = |row: &rusqlite::Row<'_>| {
            let from = Timestamp::from_ms(row.get::<_, i64>(0)? * HOUR_MS);
            let counts = TagFigures { entered: row.get(1)?, changed: row.get(2)?, left: row.get(3)? };
            Ok(HourCount { from, counts })
        };
        Ok(statement.query_map((tag, first, end), hour)?.collect::<Result<_, _>>()?)
    }

    /// Counts rows after one instant, up to and with another. Those of entities that were erased count, too.
    fn count_rows(&self, tag: i64, after: Timestamp, until: Timestamp) -> Result<TagFigures, HistoryError> {
        let mut sum = TagFigures::default();
        for segment in self.segments.0.iter().filter(|all| all.last_at > after && all.first_at <= until) {
            let text = format!(
                "SELECT change, count(*) FROM change_{} WHERE tag = ? AND at > ? AND at <= ? GROUP BY change",
                segment.id
            );
            let mut statement = self.connection.prepare_cached(&text)?;
            let mut rows = statement.query((tag, after.ms(), until.ms()))?;
            while let Some(row) = rows.next()? {
                sum.add(row.get(0)?, row.get(1)?);
            }
        }
        Ok(sum)
    }

    /// Why a tag was entered and left: the most frequent reasons among the latest changes after an instant.
    ///
    /// # Errors
    /// The store cannot be read, or the answer takes too long.
    pub fn reasons(&self, (kind, tag): (&str, &str), after: Timestamp) -> Result<Vec<ReasonCount>, HistoryError> {
        let Some(tag) = self.tag(kind, tag)? else { return Ok(Vec::new()) };
        let mut counts: HashMap<(i64, &'static str, String), u64> = HashMap::new();
        let (mut left, mut rows) = (REASONS_OF_MAX, 0);
        for segment in self.segments.0.iter().rev().filter(|all| all.last_at > after) {
            let text = format!(
                "SELECT change, packed FROM change_{} WHERE tag = ? AND at > ? ORDER BY tag DESC, at DESC LIMIT ?",
                segment.id
            );
            let mut statement = self.connection.prepare_cached(&text)?;
            let mut found = statement.query((tag, after.ms(), left))?;
            while let Some(row) = found.next()? {
                self.check_deadline(&mut rows)?;
                left -= 1;
                let Some(packed) = PackedChange::unpack(row.get_ref(1)?.as_blob().unwrap_or_default()) else {
                    continue;
                };
                let reason = (row.get(0)?, packed.cause.name(), packed.because.to_owned());
                *counts.entry(reason).or_default() += 1;
            }
            if left <= 0 {
                break;
            }
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_unstable_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then_with(|| a.cmp(b)));
        counts.truncate(REASONS_MAX);
        let reason = |((change, cause, because), count): ((i64, &'static str, String), u64)| ReasonCount {
            change: super::row::change_of(change).name(),
            cause,
            because: raw(&because),
            count,
        };
        Ok(counts.into_iter().map(reason).collect())
    }
}
