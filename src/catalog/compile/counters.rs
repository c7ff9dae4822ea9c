//! Counters: exactly one aggregate, the events that it is over, and its window.

use super::compiler::Compiler;
use crate::catalog::compiled::{Aggregate, Counter, EventTypeSet, Intake, NumberSource, Source};
use crate::catalog::diagnostics::Span;
use crate::catalog::parse::parse_expression;
use crate::catalog::raw::{DurationMs, EventPath, EventTypes, RawCounter, RawNumberSource};
use crate::catalog::typecheck::{ItemUse, NumberUse, Scope};
use crate::catalog::yaml::{Field, Spanned};
use crate::model::{ArrayId, EventTypeId};

/// The most values that `distinct` and `top` tell apart; each of them is stored for each user.
const LIMIT_MAX: u64 = 4_096;
const DISTINCT_LIMIT: u32 = 256;
const TOP_LIMIT: u32 = 64;

/// The most steps of a sequence (spec 9.3).
const STEPS_MAX: usize = 8;

const AGGREGATES: &str = "`count`, `sum`, `avg`, `min`, `max`, `distinct`, `active_days`, `last`, `first`, `top`, \
    `sessions` or `sequence`";

impl RawCounter {
    /// The aggregates that are written, each with the place of its key.
    fn written(&self) -> Vec<(&'static str, Span)> {
        let keys = [
            ("count", self.count.key()),
            ("sum", self.sum.key()),
            ("avg", self.avg.key()),
            ("min", self.min.key()),
            ("max", self.max.key()),
            ("distinct", self.distinct.key()),
            ("active_days", self.active_days.key()),
            ("last", self.last.key()),
            ("first", self.first.key()),
            ("top", self.top.key()),
            ("sessions", self.sessions.key()),
            ("sequence", self.sequence.key()),
        ];
        keys.into_iter().filter_map(|(word, key)| Some((word, key?))).collect()
    }
}

impl Compiler<'_> {
    pub(super) fn counter(&mut self, name: &Spanned<String>, raw: &RawCounter) -> Option<Counter> {
        let aggregate_word = self.aggregate_word(name, raw);
        let items = if raw.each.is_written() { ItemUse::Each } else { ItemUse::None };
        let filter = raw.r#where.get().map(|text| self.filter_of(&text.value, items));
        let word = aggregate_word?;
        let intake = self.intake(word, name, raw);
        let on = if word == "sequence" { None } else { self.on(word, name, raw) };
        let each = self.each(raw);
        let aggregate = self.aggregate(word, raw, items);
        let window = self.window(word, raw);
        let limit_is_fine = self.limit_is_fine(word, raw);
        let filter = match filter {
            Some(filter) => Some(filter?),
            None if raw.r#where.is_written() => return None,
            None => None,
        };
        let ago = window.and_then(|window| self.ago(word, raw, window));
        let intake = intake?;
        let on = match on {
            Some(on) => self.interner.event_types(&on),
            None if word == "sequence" => all_types(&intake),
            None => return None,
        };
        limit_is_fine.then_some(())?;
        Some(Counter {
            name: name.value.as_str().into(),
            entity: self.names.owner(&name.value)?,
            on,
            filter,
            aggregate: aggregate?,
            window: window?,
            ago: ago?,
            intake,
            each: each?,
        })
    }

    /// The array whose elements count; `Some(None)` where events do.
    fn each(&mut self, raw: &RawCounter) -> Option<Option<ArrayId>> {
        if !raw.each.is_written() {
            return Some(None);
        }
        let each = raw.each.get()?;
        let EventPath::Property(segments) = &each.value else {
            self.report
                .error("bad-path", each.span, format!("`each` goes over an array; an event's {} is none", each.value))
                .help("name a property: `each: properties.items`");
            return None;
        };
        Some(Some(self.interner.array(segments)))
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
            "sessions" => Some(&raw.sessions),
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

    fn aggregate(&mut self, word: &str, raw: &RawCounter, items: ItemUse) -> Option<Aggregate> {
        let limit = |default: u32| raw.limit.value().map_or(default, |limit| *limit as u32);
        Some(match word {
            "count" | "sessions" | "sequence" => Aggregate::Count,
            "active_days" => Aggregate::ActiveDays,
            "sum" => Aggregate::Sum(self.numbers(word, &raw.sum, items)?),
            "avg" => Aggregate::Avg(self.numbers(word, &raw.avg, items)?),
            "min" => Aggregate::Min(self.numbers(word, &raw.min, items)?),
            "max" => Aggregate::Max(self.numbers(word, &raw.max, items)?),
            "distinct" => {
                Aggregate::Distinct { of: self.values(word, &raw.distinct, items)?, limit: limit(DISTINCT_LIMIT) }
            }
            "top" => Aggregate::Top { of: self.values(word, &raw.top, items)?, limit: limit(TOP_LIMIT) },
            "last" => Aggregate::Last(self.source(raw.last.get()?, items)?),
            _ => Aggregate::First(self.source(raw.first.get()?, items)?),
        })
    }

    fn source(&mut self, path: &Spanned<EventPath>, items: ItemUse) -> Option<Source> {
        Some(match &path.value {
            EventPath::Property(segments) => Source::Property(self.interner.path(segments)),
            EventPath::Item(_) if items == ItemUse::None => {
                self.no_each(path.span);
                return None;
            }
            EventPath::Item(segments) => Source::Item(self.interner.item_path(segments)),
            EventPath::Time => Source::Time,
            EventPath::EventType => Source::EventType,
        })
    }

    /// A path to a number, or an expression that computes one.
    fn numbers(&mut self, word: &str, field: &Field<RawNumberSource>, items: ItemUse) -> Option<NumberSource> {
        let Spanned { span, value } = field.get()?;
        let path = match value {
            RawNumberSource::Formula(text) => {
                let ast = parse_expression(text, self.report)?;
                let mut checker = self.checker(Scope::Event, text);
                checker.items = items;
                checker.numbers = NumberUse::Doubles;
                let formula = checker.number(&ast, &format!("`{word}`"))?;
                return Some(NumberSource::Formula(self.interner.formula(formula.expr)));
            }
            RawNumberSource::Path(path) => Spanned { span: *span, value: path.clone() },
        };
        match self.source(&path, items)? {
            Source::Property(path) => return Some(NumberSource::Property(path)),
            Source::Item(path) => return Some(NumberSource::Item(path)),
            Source::Time | Source::EventType => {}
        }
        let message = format!("`{word}` works on numbers; an event's {} is not a number", path.value);
        self.report
            .error("bad-path", path.span, message)
            .help("name a property; `time` goes with `last` and `first`, `type` also with `distinct` and `top`");
        None
    }

    /// A path to values that are told apart.
    fn values(&mut self, word: &str, field: &Field<EventPath>, items: ItemUse) -> Option<Source> {
        let path = field.get()?;
        if path.value != EventPath::Time {
            return self.source(path, items);
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

/// Resets, sessions and sequences.
impl Compiler<'_> {
    fn intake(&mut self, word: &str, name: &Spanned<String>, raw: &RawCounter) -> Option<Intake> {
        let before = self.report.errors();
        self.only_with("sessions", "gap", &raw.gap, word);
        self.only_with("sequence", "within", &raw.within, word);
        match word {
            "sessions" => self.never_with(word, &[("since", raw.since.key()), ("each", raw.each.key())]),
            "sequence" => self.never_with(
                word,
                &[
                    ("since", raw.since.key()),
                    ("on", raw.on.key()),
                    ("where", raw.r#where.key()),
                    ("each", raw.each.key()),
                ],
            ),
            _ => {}
        }
        let intake = match word {
            "sessions" => {
                let gap = self.length("gap", "sessions", &raw.gap, name.span, "how long a silence ends a session");
                gap.map(|gap| Intake::Sessions { gap_ms: gap.0 })
            }
            "sequence" => self.sequence(name, raw),
            _ if raw.since.is_written() => {
                let reset = raw.since.get();
                reset.and_then(|reset| self.selector("`since`", reset)).map(Intake::Since)
            }
            _ => Some(Intake::All),
        };
        intake.filter(|_| self.report.errors() == before)
    }

    fn sequence(&mut self, name: &Spanned<String>, raw: &RawCounter) -> Option<Intake> {
        let what = "how long the steps may take from the first to the last";
        let within = self.length("within", "sequence", &raw.within, name.span, what);
        let written = raw.sequence.get()?;
        if !(2..=STEPS_MAX).contains(&written.value.len()) {
            let message = format!("a sequence has 2 to {STEPS_MAX} steps; this has {}", written.value.len());
            let help = match written.value.len() {
                0 | 1 => "for one event use `count`; a step is a type, a list of types, or `{ on, where }`",
                _ => "leave out steps between the first and the last, or make two counters of it",
            };
            self.report.error("bad-sequence", written.span, message).help(help);
            return None;
        }
        let steps: Vec<_> = written.value.iter().map(|step| self.selector("a step", step)).collect();
        Some(Intake::Sequence { steps: steps.into_iter().collect::<Option<_>>()?, within_ms: within?.0 })
    }

    /// A length of time that an aggregate needs.
    fn length(
        &mut self,
        key: &str,
        word: &str,
        field: &Field<DurationMs>,
        whose: Span,
        what: &str,
    ) -> Option<DurationMs> {
        let length = self.required(field, key, whose, &format!("`{word}`"), what)?;
        if length.value.0 == 0 {
            let help = "for example `30m` or `2h`";
            self.report.error("out-of-range", length.span, format!("`{key}` must be longer than 0")).help(help);
            return None;
        }
        Some(length.value)
    }

    /// Reports a key that has a meaning beside one aggregate only.
    fn only_with<T>(&mut self, owner: &str, key: &str, field: &Field<T>, word: &str) {
        let Some(span) = field.key().filter(|_| word != owner) else { return };
        self.report
            .error("unneeded-key", span, format!("`{word}` has no `{key}`"))
            .help(format!("`{key}` goes with `{owner}`: remove it"));
    }

    /// Reports keys that have no meaning beside an aggregate.
    fn never_with(&mut self, word: &str, keys: &[(&str, Option<Span>)]) {
        for (key, span) in keys {
            let Some(span) = span else { continue };
            let help = match *key {
                "on" | "where" => "each step names its types, or is `{ on, where }`: write it there",
                "each" => "remove it: sessions and steps are made of events, not of their elements",
                _ => "make two counters of it",
            };
            self.report.error("unneeded-key", *span, format!("`{word}` takes no `{key}`")).help(help);
        }
    }
}

/// The event types of all steps.
fn all_types(intake: &Intake) -> EventTypeSet {
    let mut all: Vec<EventTypeId> = Vec::new();
    for step in intake.selectors() {
        let EventTypeSet::Of(types) = &step.on else { return EventTypeSet::Any };
        all.extend(types);
    }
    all.sort_unstable_by_key(|id| id.0);
    all.dedup();
    EventTypeSet::Of(all)
}
