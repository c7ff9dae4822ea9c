//! From the test file as written to cases over a catalog: times become instants, tags and their values are resolved.

use std::collections::HashMap;

use super::cases::{Expectation, ExpectedChange, ResolvedTime, TestCase, TestEvent, TestFile};
use super::entity_ref::EntityRef;
use super::raw::{RawChange, RawEvent, RawExpectation, RawTestCase, RawTestFile};
use super::relative_time::TestTime;
use super::short_form::{AnyJson, ShortForm};
use crate::catalog::compiled::{AttributeType, Catalog, Condition, Expr, TagDefinition, TagId, TimeName};
use crate::catalog::diagnostics::{Report, SourceText, Span, did_you_mean, listed};
use crate::catalog::yaml::{Field, NameMap, Spanned};
use crate::model::{Date, Decimal, EntityKindId, Number, Timestamp, Value};

/// The default of `base`, from which durations are counted: 2026-01-01T00:00:00Z.
const BASE: Timestamp = Timestamp::from_ms(1_767_225_600_000);

/// The most events that one entry may repeat.
const TIMES_MAX: u64 = 100_000;

/// Compiles the cases over the catalog that `open` loads; they may be run when the report has no errors.
pub(super) fn compile(
    raw: &Spanned<RawTestFile>,
    open: impl FnOnce(&str) -> Option<Catalog>,
    source: &SourceText<'_>,
    report: &mut Report,
) -> Option<(TestFile, Catalog)> {
    let mut required = RequiredFields { report };
    let path = required.value(&raw.value.catalog, "catalog", raw.span, "a test file");
    let cases = required.value(&raw.value.cases, "cases", raw.span, "a test file");
    let catalog = open(path?)?;
    let base = raw.value.base.get().map_or(BASE, |at| at.value.0);
    let tags = catalog.tags.iter().zip(0..).map(|(tag, id)| (&*tag.name, TagId(id))).collect();
    let mut compiler = CaseCompiler { catalog: &catalog, tags, source, required, base };
    let cases: Vec<Option<TestCase>> = cases?.iter().map(|case| compiler.case(case, base)).collect();
    let cases = cases.into_iter().collect::<Option<_>>()?;
    Some((TestFile { cases }, catalog))
}

/// Reports keys that must be written and are not.
pub(super) struct RequiredFields<'a> {
    pub report: &'a mut Report,
}

impl RequiredFields<'_> {
    pub(super) fn value<'f, T>(&mut self, field: &'f Field<T>, key: &str, whose: Span, what: &str) -> Option<&'f T> {
        if !field.is_written() {
            let start = Span::new(whose.start, whose.start);
            self.report.error("missing-key", start, format!("{what} needs `{key}`"));
        }
        field.get().map(|at| &at.value)
    }
}

pub(super) struct CaseCompiler<'a> {
    pub catalog: &'a Catalog,
    tags: HashMap<&'a str, TagId>,
    source: &'a SourceText<'a>,
    pub required: RequiredFields<'a>,
    /// The base of the case that is compiled.
    base: Timestamp,
}

impl CaseCompiler<'_> {
    fn case(&mut self, raw: &Spanned<RawTestCase>, base: Timestamp) -> Option<TestCase> {
        let (case, errors) = (&raw.value, self.required.report.errors());
        self.base = case.base.get().map_or(base, |at| at.value.0);
        let name = self.required.value(&case.name, "name", raw.span, "a case").cloned();
        let events = arrivals(list(&case.events).iter().filter_map(|event| self.event(event)));
        let mut expectations: Vec<_> = list(&case.expect).iter().filter_map(|raw| self.expectation(raw)).collect();
        expectations.sort_by_key(|expectation| expectation.when.at);
        let changes = case.changes.is_written().then(|| {
            let mut changes: Vec<_> = list(&case.changes).iter().filter_map(|raw| self.change(raw)).collect();
            changes.sort_by_key(|change| change.when.at);
            changes
        });
        let until = case.until.get().map(|at| at.value.from(self.base));
        if !case.expect.is_written() && !case.changes.is_written() {
            let message = "this case expects nothing, and can't fail";
            self.required.report.error("no-expectation", self.head(raw), message).help("give it `expect` or `changes`");
        }
        let input = case.input.get().map_or(Vec::new(), |texts| texts.value.0.clone());
        let case = TestCase { name: name?, line: self.line(raw.span), input, events, until, expectations, changes };
        (self.required.report.errors() == errors).then_some(case)
    }

    fn event(&mut self, raw: &Spanned<ShortForm<RawEvent>>) -> Option<Vec<TestEvent>> {
        let (event, span) = (&raw.value.0, raw.span);
        let at = self.required.value(&event.at, "at", span, "an event");
        let user = self.required.value(&event.user, "user", span, "an event");
        let keys = self.keys(&event.keys);
        let event_type = self.required.value(&event.r#type, "type", span, "an event");
        let properties = match event.properties.get() {
            None => serde_json::Map::new(),
            Some(Spanned { value: AnyJson(serde_json::Value::Object(members)), .. }) => members.clone(),
            Some(other) => {
                let message = "the properties of an event are a map";
                self.required.report.error("wrong-type", other.span, message).help("for example `{ amount: 12.5 }`");
                return None;
            }
        };
        let times = event.times.get().map_or(1, |at| at.value);
        let every = event.every.get().map(|at| at.value.0);
        if times != 1 && every.is_none() || times > TIMES_MAX {
            let message = format!("`times` is at most {TIMES_MAX}, and needs `every`");
            self.required.report.error("bad-times", span, message).help("for example `times: 10, every: 1d`");
            return None;
        }
        let (first, key, event_type) = (at?.from(self.base), &user?.0, event_type?);
        let line = self.line(span);
        let one = |nth: u64| TestEvent {
            at: first.plus(nth as i64 * every.unwrap_or_default()),
            user: key.clone(),
            keys: keys.clone(),
            event_type: event_type.clone(),
            // Each repeat of an entry is an event of its own.
            id: event.id.get().map(|id| if nth == 0 { id.value.0.clone() } else { format!("{}-{nth}", id.value.0) }),
            properties: properties.clone(),
            line,
        };
        Some((0..times).map(one).collect())
    }

    fn expectation(&mut self, raw: &Spanned<ShortForm<RawExpectation>>) -> Option<Expectation> {
        let (expectation, span) = (&raw.value.0, raw.span);
        let when = self.when(&expectation.at, span, "an expectation");
        let is_exact = expectation.exactly.is_written();
        if is_exact == expectation.tags.is_written() {
            let message = "an expectation has either `tags` or `exactly`";
            self.required
                .report
                .error("bad-expectation", span, message)
                .help("for example `tags: { churn_risk: true }`");
            return None;
        }
        let named = if is_exact { &expectation.exactly } else { &expectation.tags };
        let named = named.get()?;
        let whose = EntityRef { key: &expectation.key, user: &expectation.user, entity: &expectation.entity };
        let first = named.value.0.iter().find_map(|(name, _)| self.tags.get(name.value.as_str()).copied());
        let (entity, key) = self.entity_ref(&whose, first, span, "an expectation")?;
        let mut tags = self.expected_tags(named, entity);
        if is_exact {
            let is_other = |id: &TagId| self.catalog.tag(*id).entity == entity && tags.iter().all(|(tag, _)| tag != id);
            let others: Vec<TagId> = (0..self.catalog.tags.len() as u16).map(TagId).filter(is_other).collect();
            tags.extend(others.into_iter().map(|id| (id, None)));
        }
        Some(Expectation { when: when?, entity, key, tags, line: self.line(span) })
    }

    fn expected_tags(
        &mut self,
        named: &Spanned<NameMap<AnyJson>>,
        entity: EntityKindId,
    ) -> Vec<(TagId, Option<Value>)> {
        let mut tags = Vec::with_capacity(named.value.0.len());
        for (name, json) in &named.value.0 {
            let Some(id) = self.tag(name).filter(|id| self.is_put_on(*id, entity, name.span)) else { continue };
            let value = json.as_ref().and_then(|json| self.expected(id, json, name.span));
            tags.extend(value.map(|value| (id, value)));
        }
        tags
    }

    fn change(&mut self, raw: &Spanned<ShortForm<RawChange>>) -> Option<ExpectedChange> {
        let (change, span) = (&raw.value.0, raw.span);
        let when = self.when(&change.at, span, "a change");
        self.required.value(&change.tag, "tag", span, "a change")?;
        let name = change.tag.get()?;
        let tag = self.tag(name)?;
        let whose = EntityRef { key: &change.key, user: &change.user, entity: &change.entity };
        let (entity, key) = self.entity_ref(&whose, Some(tag), span, "a change")?;
        if !self.is_put_on(tag, entity, name.span) {
            return None;
        }
        let value = match change.value.get() {
            Some(json) => self.expected(tag, &json.value, json.span)?,
            None if change.value.is_written() => return None,
            None => None,
        };
        Some(ExpectedChange { when: when?, key, tag, value })
    }

    fn when(&mut self, field: &Field<TestTime>, whose: Span, what: &str) -> Option<ResolvedTime> {
        let at = self.required.value(field, "at", whose, what)?.from(self.base);
        let written = self.source.slice(field.get()?.span).trim_matches(['"', '\'']).to_owned();
        Some(ResolvedTime { written, at })
    }

    fn tag(&mut self, name: &Spanned<String>) -> Option<TagId> {
        let found = self.tags.get(name.value.as_str()).copied();
        if found.is_none() {
            let known: Vec<&str> = self.catalog.tags.iter().map(|tag| &*tag.name).collect();
            let help = did_you_mean(&name.value, known.iter().copied());
            self.required
                .report
                .error("unknown-name", name.span, format!("unknown tag `{}`", name.value))
                .help(help.unwrap_or_else(|| format!("the catalog's tags are {}", listed(&known))));
        }
        found
    }

    /// The expected value of a tag; `Some(None)`: it must have no value.
    fn expected(&mut self, id: TagId, json: &AnyJson, at: Span) -> Option<Option<Value>> {
        let tag = &self.catalog.tags[usize::from(id.0)];
        let names = tag.definition.labels();
        if names.is_empty() && !matches!(tag.definition, TagDefinition::Rule { .. }) {
            return self.free_value(json, is_date(&tag.definition, self.catalog), at);
        }
        match &json.0 {
            serde_json::Value::Null | serde_json::Value::Bool(false) => return Some(None),
            serde_json::Value::Bool(true) if names.is_empty() => return Some(Some(Value::Bool(true))),
            serde_json::Value::String(text) if names.contains(&text.as_str()) => {
                return Some(Some(Value::String(text.as_str().into())));
            }
            _ => {}
        }
        let message = format!("`{}` is never {}", tag.name, json.0);
        let help = match &json.0 {
            _ if names.is_empty() => "it is `true` or `false`".to_owned(),
            serde_json::Value::String(text) => did_you_mean(text, names.iter().copied())
                .unwrap_or_else(|| format!("it is {}, or `false` for none", listed(&names))),
            _ => format!("it is {}, or `false` for none", listed(&names)),
        };
        self.required.report.error("bad-value", at, message).help(help);
        None
    }

    /// The expected value of a tag without bands and stages: any value; `null` for none.
    fn free_value(&mut self, json: &AnyJson, is_date: bool, at: Span) -> Option<Option<Value>> {
        Some(match &json.0 {
            serde_json::Value::Null => None,
            serde_json::Value::Bool(b) => Some(Value::Bool(*b)),
            serde_json::Value::Number(number) => Some(Value::Number(expected_number(number)?)),
            serde_json::Value::String(text) => Some(match (Timestamp::parse(text), Date::parse(text)) {
                (Ok(time), _) => Value::Time(time),
                (_, Some(date)) if is_date => Value::Date(date),
                _ => Value::String(text.as_str().into()),
            }),
            _ => {
                let message = "a tag's value is text, a number, a time, true or false";
                self.required.report.error("bad-value", at, message).help("`null` stands for no value");
                return None;
            }
        })
    }

    /// The span of a case's name, or of the case.
    fn head(&self, raw: &Spanned<RawTestCase>) -> Span {
        raw.value.name.get().map_or(raw.span, |name| name.span)
    }

    fn line(&self, span: Span) -> usize {
        self.source.position(span.start).0
    }
}

/// A number as an event would have it, or with the digits of a decimal.
fn expected_number(number: &serde_json::Number) -> Option<Number> {
    let written = number.to_string();
    let exact = number.as_i64().map(Number::Integer).or_else(|| Decimal::literal(&written).map(Number::Decimal));
    exact.or_else(|| Number::double(number.as_f64()?))
}

/// The events in the order of arrival: entries in their order, and their repeats at their times among later entries.
fn arrivals(entries: impl Iterator<Item = Vec<TestEvent>>) -> Vec<TestEvent> {
    let mut arrived = Vec::new();
    // In the order of time.
    let mut repeats: Vec<TestEvent> = Vec::new();
    for entry in entries {
        let mut entry = entry.into_iter();
        if let Some(first) = entry.next() {
            let due = repeats.partition_point(|repeat| repeat.at <= first.at);
            arrived.extend(repeats.drain(..due));
            arrived.push(first);
            repeats.extend(entry);
            repeats.sort_by_key(|repeat| repeat.at);
        }
    }
    arrived.extend(repeats);
    arrived
}

fn list<T>(field: &Field<Vec<T>>) -> &[T] {
    field.get().map_or(&[], |at| &at.value)
}

/// Whether the value of a tag is a date.
fn is_date(definition: &TagDefinition, catalog: &Catalog) -> bool {
    let of_expr = |expr: &Expr| match expr {
        Expr::Time(TimeName::Date(_)) => true,
        Expr::Time(TimeName::Attribute(id)) => {
            catalog.attributes[usize::from(id.0)].value_type == Some(AttributeType::Date)
        }
        Expr::Tag(id) => is_date(&catalog.tag(*id).definition, catalog),
        _ => false,
    };
    match definition {
        TagDefinition::Value { value: Condition { expr: Expr::Conditional(parts), .. }, .. } => {
            of_expr(&parts[1]) || of_expr(&parts[2])
        }
        TagDefinition::Value { value, .. } => of_expr(&value.expr),
        _ => false,
    }
}
