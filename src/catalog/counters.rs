//! Counters: exactly one aggregate, the events it is over, and its window.

use super::compile::Compiler;
use super::compiled::{Aggregate, Counter, Source};
use super::kinds::Kinds;
use super::path::Path;
use super::problems::Span;
use super::raw::{RawCounter, value};
use super::read::{At, Field};
use crate::model::PathId;

/// The most values that `distinct` and `top` tell apart; every one of them is kept for every user.
const LIMIT_MAX: u64 = 4_096;
const DISTINCT_LIMIT: u32 = 256;
const TOP_LIMIT: u32 = 64;

const AGGREGATES: &str = "`count`, `sum`, `avg`, `min`, `max`, `distinct`, `active_days`, `last`, `first` or `top`";

/// What a counter's aggregate is written with.
enum Over<'r> {
    /// `count`, `active_days`: event types.
    Kinds(&'r Field<Kinds>),
    Path(&'r Field<Path>),
}

impl RawCounter {
    fn aggregates(&self) -> [(&'static str, Over<'_>); 10] {
        [
            ("count", Over::Kinds(&self.count)),
            ("sum", Over::Path(&self.sum)),
            ("avg", Over::Path(&self.avg)),
            ("min", Over::Path(&self.min)),
            ("max", Over::Path(&self.max)),
            ("distinct", Over::Path(&self.distinct)),
            ("active_days", Over::Kinds(&self.active_days)),
            ("last", Over::Path(&self.last)),
            ("first", Over::Path(&self.first)),
            ("top", Over::Path(&self.top)),
        ]
    }

    fn written(&self) -> Vec<(&'static str, Span)> {
        let key = |(name, over): (&'static str, Over<'_>)| match over {
            Over::Kinds(field) => field.key().map(|key| (name, key)),
            Over::Path(field) => field.key().map(|key| (name, key)),
        };
        self.aggregates().into_iter().filter_map(key).collect()
    }
}

impl Compiler<'_> {
    pub fn counter(&mut self, name: &At<String>, raw: &RawCounter) -> Option<Counter> {
        let aggregate_word = self.aggregate_word(name, raw);
        let filter = raw.r#where.get().map(|text| self.filter(&text.value));
        let word = aggregate_word?;
        let on = self.on(word, name, raw);
        let aggregate = self.aggregate(word, raw);
        let window = self.window(word, raw);
        let limit_is_fine = self.limit_is_fine(word, raw);
        let filter = match filter {
            Some(filter) => Some(filter?),
            None if raw.r#where.is_written() => return None,
            None => None,
        };
        let on = on?;
        limit_is_fine.then_some(())?;
        Some(Counter {
            name: name.value.as_str().into(),
            entity: self.names.owner(&name.value)?,
            on: self.interner.kinds(&on),
            filter,
            aggregate: aggregate?,
            window: window?,
        })
    }

    /// The one aggregate of a counter.
    fn aggregate_word(&mut self, name: &At<String>, raw: &RawCounter) -> Option<&'static str> {
        match raw.written().as_slice() {
            [(word, _)] => Some(word),
            [] => {
                let message = format!("the counter `{}` counts nothing", name.value);
                self.report
                    .error("no-aggregate", name.span, message)
                    .help(format!("give it exactly one of {AGGREGATES}"));
                None
            }
            [(first, first_at), (second, second_at), ..] => {
                let message = format!("a counter has one aggregate; this has `{first}` and `{second}`");
                self.report
                    .error("two-aggregates", *second_at, message)
                    .help("make two counters of it")
                    .related(*first_at, "the first one");
                None
            }
        }
    }

    /// Which events: `on`, or what stands behind `count` or `active_days`.
    fn on(&mut self, word: &str, name: &At<String>, raw: &RawCounter) -> Option<Kinds> {
        let short = match word {
            "count" => Some(&raw.count),
            "active_days" => Some(&raw.active_days),
            _ => None,
        };
        let Some(short) = short else {
            return self
                .required(&raw.on, "on", name.span, "this counter", "which event types count, or \"*\" for all")
                .map(|on| on.value);
        };
        if let Some(on) = raw.on.key() {
            let place = short.key().unwrap_or(on);
            self.report
                .error("two-event-types", on, format!("the event types are given twice: `{word}` names them already"))
                .help(format!("`{word}: X` is short for `on: X`: remove this line"))
                .related(place, "given here");
            return None;
        }
        value(short).cloned()
    }

    fn aggregate(&mut self, word: &str, raw: &RawCounter) -> Option<Aggregate> {
        let limit = |default: u32| value(&raw.limit).map_or(default, |limit| *limit as u32);
        Some(match word {
            "count" => Aggregate::Count,
            "active_days" => Aggregate::ActiveDays,
            "sum" => Aggregate::Sum(self.numbers(word, &raw.sum)?),
            "avg" => Aggregate::Avg(self.numbers(word, &raw.avg)?),
            "min" => Aggregate::Min(self.numbers(word, &raw.min)?),
            "max" => Aggregate::Max(self.numbers(word, &raw.max)?),
            "distinct" => Aggregate::Distinct { of: self.values(word, &raw.distinct)?, limit: limit(DISTINCT_LIMIT) },
            "top" => Aggregate::Top { of: self.values(word, &raw.top)?, limit: limit(TOP_LIMIT) },
            "last" => Aggregate::Last(self.source(value(&raw.last)?)),
            _ => Aggregate::First(self.source(value(&raw.first)?)),
        })
    }

    fn source(&mut self, path: &Path) -> Source {
        match path {
            Path::Property(segments) => Source::Property(self.interner.path(segments)),
            Path::Time => Source::Time,
            Path::Kind => Source::Kind,
        }
    }

    /// A path that must lead to numbers.
    fn numbers(&mut self, word: &str, field: &Field<Path>) -> Option<PathId> {
        let path = field.get()?;
        if let Source::Property(path) = self.source(&path.value) {
            return Some(path);
        }
        let message = format!("`{word}` works on numbers; an event's {} is none", path.value);
        self.report
            .error("bad-path", path.span, message)
            .help("name a property; `time` goes with `last` and `first`, `type` also with `distinct` and `top`");
        None
    }

    /// A path whose values are told apart.
    fn values(&mut self, word: &str, field: &Field<Path>) -> Option<Source> {
        let path = field.get()?;
        if path.value != Path::Time {
            return Some(self.source(&path.value));
        }
        self.report
            .error("bad-path", path.span, format!("`{word}` can't tell times apart"))
            .help("`time` goes with `last` and `first`; for days with an event use `active_days`");
        None
    }

    fn limit_is_fine(&mut self, word: &str, raw: &RawCounter) -> bool {
        let Some(limit) = raw.limit.get() else { return !raw.limit.is_written() };
        if !matches!(word, "distinct" | "top") {
            let key = raw.limit.key().unwrap_or(limit.span);
            self.report
                .error("unneeded-key", key, format!("`{word}` has no limit"))
                .help("`limit` goes with `distinct` and `top`: remove it");
            return false;
        }
        let is_fine = (1..=LIMIT_MAX).contains(&limit.value);
        if !is_fine {
            let message = format!("a limit lies between 1 and {LIMIT_MAX}");
            self.report
                .error("out-of-range", limit.span, message)
                .help("every value within the limit is kept for every user");
        }
        is_fine
    }
}
