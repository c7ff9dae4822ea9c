//! Counters: exactly one aggregate, the events that it is over, and its window.

use super::compiler::Compiler;
use crate::catalog::compiled::{Aggregate, Counter, Source};
use crate::catalog::diagnostics::Span;
use crate::catalog::raw::{EventPath, EventTypes, RawCounter};
use crate::catalog::yaml::{Field, Spanned};
use crate::model::PathId;

/// The most values that `distinct` and `top` tell apart; each of them is stored for each user.
const LIMIT_MAX: u64 = 4_096;
const DISTINCT_LIMIT: u32 = 256;
const TOP_LIMIT: u32 = 64;

const AGGREGATES: &str = "`count`, `sum`, `avg`, `min`, `max`, `distinct`, `active_days`, `last`, `first` or `top`";

/// The key of an aggregate.
enum AggregateField<'r> {
    /// `count`, `active_days`: event types.
    EventTypes(&'r Field<EventTypes>),
    Property(&'r Field<EventPath>),
}

impl RawCounter {
    fn aggregates(&self) -> [(&'static str, AggregateField<'_>); 10] {
        [
            ("count", AggregateField::EventTypes(&self.count)),
            ("sum", AggregateField::Property(&self.sum)),
            ("avg", AggregateField::Property(&self.avg)),
            ("min", AggregateField::Property(&self.min)),
            ("max", AggregateField::Property(&self.max)),
            ("distinct", AggregateField::Property(&self.distinct)),
            ("active_days", AggregateField::EventTypes(&self.active_days)),
            ("last", AggregateField::Property(&self.last)),
            ("first", AggregateField::Property(&self.first)),
            ("top", AggregateField::Property(&self.top)),
        ]
    }

    fn written(&self) -> Vec<(&'static str, Span)> {
        let key = |(name, over): (&'static str, AggregateField<'_>)| match over {
            AggregateField::EventTypes(field) => field.key().map(|key| (name, key)),
            AggregateField::Property(field) => field.key().map(|key| (name, key)),
        };
        self.aggregates().into_iter().filter_map(key).collect()
    }
}

impl Compiler<'_> {
    pub(super) fn counter(&mut self, name: &Spanned<String>, raw: &RawCounter) -> Option<Counter> {
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
            on: self.interner.event_types(&on),
            filter,
            aggregate: aggregate?,
            window: window?,
        })
    }

    /// The key of the counter's aggregate; none, or several, are reported.
    fn aggregate_word(&mut self, name: &Spanned<String>, raw: &RawCounter) -> Option<&'static str> {
        match raw.written().as_slice() {
            [(word, _)] => Some(word),
            [] => {
                let message = format!("the counter `{}` has no aggregate", name.value);
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

    /// The event types of a counter: those of `on`, or of `count` or `active_days`.
    fn on(&mut self, word: &str, name: &Spanned<String>, raw: &RawCounter) -> Option<EventTypes> {
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
        short.value().cloned()
    }

    fn aggregate(&mut self, word: &str, raw: &RawCounter) -> Option<Aggregate> {
        let limit = |default: u32| raw.limit.value().map_or(default, |limit| *limit as u32);
        Some(match word {
            "count" => Aggregate::Count,
            "active_days" => Aggregate::ActiveDays,
            "sum" => Aggregate::Sum(self.numbers(word, &raw.sum)?),
            "avg" => Aggregate::Avg(self.numbers(word, &raw.avg)?),
            "min" => Aggregate::Min(self.numbers(word, &raw.min)?),
            "max" => Aggregate::Max(self.numbers(word, &raw.max)?),
            "distinct" => Aggregate::Distinct { of: self.values(word, &raw.distinct)?, limit: limit(DISTINCT_LIMIT) },
            "top" => Aggregate::Top { of: self.values(word, &raw.top)?, limit: limit(TOP_LIMIT) },
            "last" => Aggregate::Last(self.source(raw.last.value()?)),
            _ => Aggregate::First(self.source(raw.first.value()?)),
        })
    }

    fn source(&mut self, path: &EventPath) -> Source {
        match path {
            EventPath::Property(segments) => Source::Property(self.interner.path(segments)),
            EventPath::Time => Source::Time,
            EventPath::EventType => Source::EventType,
        }
    }

    /// A path to a number.
    fn numbers(&mut self, word: &str, field: &Field<EventPath>) -> Option<PathId> {
        let path = field.get()?;
        if let Source::Property(path) = self.source(&path.value) {
            return Some(path);
        }
        let message = format!("`{word}` works on numbers; an event's {} is not a number", path.value);
        self.report
            .error("bad-path", path.span, message)
            .help("name a property; `time` goes with `last` and `first`, `type` also with `distinct` and `top`");
        None
    }

    /// A path to values that are told apart.
    fn values(&mut self, word: &str, field: &Field<EventPath>) -> Option<Source> {
        let path = field.get()?;
        if path.value != EventPath::Time {
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
