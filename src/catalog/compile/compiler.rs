//! Compiles the whole catalog: first all names, then what mentions them.

use jiff::tz::TimeZone;

use super::names::check_name;
use super::scores::ModelSpans;
use super::{attributes, entities, input};
use crate::catalog::compiled::{
    Aggregate, Attribute, AttributeId, Catalog, CommandPaths, Counter, CounterId, EntityKind, EventTypeSet, History,
    Intake, Source, Tag, TagDefinition, TagId, WeekStart, Window, fingerprint,
};
use crate::catalog::diagnostics::{Report, Span, nearest};
use crate::catalog::raw::{
    EventPath, ExpressionText, RawAttribute, RawCatalog, RawCounter, RawHistory, RawTag, RawWeekStart, named_entries,
};
use crate::catalog::typecheck::{
    Checker, ClockUse, EventTables, INTERNED_MAX, Interner, ItemUse, Meaning, NameTable, NumberForm, NumberUse, Scope,
    Type,
};
use crate::catalog::yaml::{Field, NameMap, Spanned};
use crate::model::EntityKindId;

/// The only version of the format.
const VERSION: u64 = 1;

/// The most attributes, counters and tags, each: ids have 16 bits.
const ITEMS_MAX: usize = 10_000;

/// The state of compiling one catalog.
pub(super) struct Compiler<'a> {
    pub report: &'a mut Report,
    /// In the order of the file.
    pub entities: Vec<EntityKind>,
    pub names: NameTable,
    pub interner: Interner,
    pub week_starts: WeekStart,
    /// The places of models in the file.
    pub models: Vec<ModelSpans>,
}

/// Compiles a catalog; `None` when the report has errors.
pub(crate) fn compile(
    root: &Spanned<RawCatalog>,
    text: &str,
    report: &mut Report,
) -> Option<(Catalog, Vec<ModelSpans>)> {
    let raw = &root.value;
    let entities = entities::compile(&raw.entities, report);
    let (names, interner) = (NameTable::default(), Interner::default());
    let week_starts = week_starts(raw);
    let mut compiler = Compiler { report, entities, names, interner, week_starts, models: Vec::new() };
    compiler.header(root.span, raw);
    let fits = [
        compiler.fits("attributes", &raw.attributes),
        compiler.fits("counters", &raw.counters),
        compiler.fits("tags", &raw.tags),
    ];
    if fits.contains(&false) {
        return None;
    }
    compiler.declare(raw);
    let attributes = compiler.attributes(&raw.attributes);
    let counters = compiler.counters(&raw.counters);
    let timezone = timezone(raw.timezone.get(), compiler.report);
    let input = input::compile(raw.input.value(), compiler.report);
    let (tags, order) = compiler.tags(&raw.tags, &attributes, &counters);
    let command_paths = compiler.command_paths(&tags);
    if !compiler.interner.fits() {
        let message = format!("a catalog mentions at most {INTERNED_MAX} event types and as many paths");
        compiler.report.error("too-many", Span::default(), message);
    }
    if compiler.report.errors() > 0 {
        return None;
    }
    let models = compiler.models;
    let EventTables { event_types, paths, arrays, item_paths, formulas } = compiler.interner.into_tables();
    let mut catalog = Catalog {
        fingerprint: 0,
        text: text.into(),
        timezone,
        input,
        history: match raw.history.value() {
            Some(RawHistory::Partial) => History::Partial,
            Some(RawHistory::Complete) | None => History::Complete,
        },
        entities: compiler.entities,
        event_types,
        paths,
        arrays,
        item_paths,
        formulas,
        command_paths,
        attributes,
        counters,
        tags,
        order,
    };
    catalog.fingerprint = fingerprint(&catalog);
    Some((catalog, models))
}

impl<'a> Compiler<'a> {
    pub(super) fn checker<'c>(&'c mut self, scope: Scope, text: &'c ExpressionText) -> Checker<'c> {
        Checker {
            scope,
            items: ItemUse::None,
            numbers: NumberUse::Exact,
            clock: ClockUse::Linear,
            names: &self.names,
            entities: &self.entities,
            interner: &mut self.interner,
            text,
            report: self.report,
        }
    }

    /// The value of a key that must be written; reports a missing key.
    pub(super) fn required<T: Clone>(
        &mut self,
        field: &Field<T>,
        key: &str,
        whose: Span,
        what: &str,
        help: &str,
    ) -> Option<Spanned<T>> {
        if !field.is_written() {
            self.report
                .error("missing-key", whose, format!("{what} needs `{key}`"))
                .help(format!("`{key}` says {help}"));
        }
        field.get().cloned()
    }

    fn header(&mut self, whole: Span, raw: &RawCatalog) {
        match raw.version.get() {
            Some(Spanned { value: VERSION, .. }) => {}
            Some(version) => {
                let message = format!("version {} of the format is unknown", version.value);
                self.report.error("unknown-version", version.span, message).help("write `version: 1`");
            }
            None if raw.version.is_written() => {}
            None => {
                let start = Span::new(whole.start, whole.start);
                self.report
                    .error("missing-key", start, "a catalog needs `version`")
                    .help("begin the file with `version: 1`");
            }
        }
    }

    /// Declares every name, whether or not its definition is right.
    fn declare(&mut self, raw: &RawCatalog) {
        for (id, (name, attribute)) in (0_u16..).zip(named_entries(&raw.attributes)) {
            check_name("an attribute", name, self.report);
            let ty = attribute.as_ref().map_or(Type::Any, attribute_type);
            let owner = attribute.as_ref().and_then(|attribute| self.owner(&attribute.entity));
            self.names.add_value(&name.value, Meaning::Attribute(AttributeId(id), ty), owner);
        }
        for (id, (name, counter)) in (0_u16..).zip(named_entries(&raw.counters)) {
            check_name("a counter", name, self.report);
            let owner = counter.as_ref().and_then(|counter| self.owner(&counter.entity));
            if self.names.value(&name.value).is_some() {
                self.name_is_taken(name, raw);
                continue;
            }
            let ty = counter.as_ref().map_or(Type::Any, counter_type);
            let form = counter.as_ref().map_or(NumberForm::Other, counter_form);
            self.names.add_value(&name.value, Meaning::Counter(CounterId(id), ty, form), owner);
        }
        for (id, (name, tag)) in (0_u16..).zip(named_entries(&raw.tags)) {
            check_name("a tag", name, self.report);
            let owner = tag.as_ref().and_then(|tag| self.owner(&tag.entity));
            self.names.add_tag(&name.value, TagId(id), owner);
        }
    }

    fn name_is_taken(&mut self, name: &Spanned<String>, raw: &RawCatalog) {
        let attribute = named_entries(&raw.attributes).iter().find(|(attribute, _)| attribute.value == name.value);
        let problem =
            self.report.error("duplicate-name", name.span, format!("`{}` is an attribute already", name.value));
        problem.help("attributes and counters share their names: give one of them another");
        if let Some((attribute, _)) = attribute {
            problem.related(attribute.span, "the attribute");
        }
    }

    /// Whether a section has at most [`ITEMS_MAX`] entries; reports it if not.
    fn fits<T>(&mut self, what: &str, field: &Field<NameMap<T>>) -> bool {
        let Some(all) = field.get().filter(|all| all.value.0.len() > ITEMS_MAX) else { return true };
        let message = format!("a catalog has at most {ITEMS_MAX} {what}; this has {}", all.value.0.len());
        self.report.error("too-many", all.span, message);
        false
    }

    fn attributes(&mut self, field: &Field<NameMap<RawAttribute>>) -> Vec<Attribute> {
        let compiled = named_entries(field).iter().map(|(name, raw)| {
            let attribute = raw.as_ref().and_then(|raw| self.attribute(name, raw));
            attribute.unwrap_or_else(|| broken_attribute(&name.value))
        });
        compiled.collect()
    }

    fn counters(&mut self, field: &Field<NameMap<RawCounter>>) -> Vec<Counter> {
        let compiled = named_entries(field).iter().map(|(name, raw)| {
            let counter = raw.as_ref().and_then(|raw| self.counter(name, raw));
            counter.unwrap_or_else(|| broken_counter(&name.value))
        });
        compiled.collect()
    }

    fn tags(
        &mut self,
        field: &Field<NameMap<RawTag>>,
        attributes: &[Attribute],
        counters: &[Counter],
    ) -> (Vec<Tag>, Vec<TagId>) {
        super::tags::compile(self, named_entries(field), attributes, counters)
    }

    /// The properties of `$tag` commands, if a tag is manual.
    fn command_paths(&mut self, tags: &[Tag]) -> Option<CommandPaths> {
        let is_manual = |tag: &Tag| matches!(tag.definition, TagDefinition::Manual { .. });
        let mut path = |name: &str| self.interner.path(&[name.to_owned()]);
        tags.iter().any(is_manual).then(|| CommandPaths {
            tag: path("tag"),
            set: path("set"),
            value: path("value"),
            valid_for: path("valid_for"),
        })
    }
}

/// The catalog's time zone; UTC when none is given, or when it is unknown, which is reported.
fn timezone(name: Option<&Spanned<String>>, report: &mut Report) -> TimeZone {
    let Some(name) = name else { return TimeZone::UTC };
    if let Ok(zone) = TimeZone::get(&name.value) {
        return zone;
    }
    let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.as_str().to_owned()).collect();
    let ends_alike = |zone: &&String| {
        let city = zone.rsplit('/').next().unwrap_or(zone);
        city.eq_ignore_ascii_case(&name.value.replace(' ', "_"))
    };
    let help = known
        .iter()
        .find(ends_alike)
        .map(String::as_str)
        .or_else(|| nearest(&name.value, known.iter().map(String::as_str)))
        .map_or("write an IANA name such as `Europe/Berlin` or `UTC`".to_owned(), |zone| {
            format!("did you mean `{zone}`?")
        });
    report.error("unknown-timezone", name.span, format!("unknown time zone `{}`", name.value)).help(help);
    TimeZone::UTC
}

fn week_starts(raw: &RawCatalog) -> WeekStart {
    match raw.week_starts.value() {
        Some(RawWeekStart::Monday) | None => WeekStart::Monday,
        Some(RawWeekStart::Sunday) => WeekStart::Sunday,
        Some(RawWeekStart::Saturday) => WeekStart::Saturday,
    }
}

/// The type of an attribute in expressions; `Any` when its declaration is wrong.
fn attribute_type(raw: &RawAttribute) -> Type {
    let is_kind = raw.value.value() == Some(&EventPath::EventType);
    match attributes::declared_type(raw) {
        None if is_kind => Type::String,
        declared => Type::of_attribute(declared),
    }
}

fn counter_type(raw: &RawCounter) -> Type {
    let by_path = [&raw.last, &raw.first].into_iter().find(|field| field.is_written());
    match by_path {
        Some(field) => match field.value() {
            Some(EventPath::Time) => Type::Time,
            Some(EventPath::EventType) => Type::String,
            _ => Type::Any,
        },
        None if raw.top.is_written() => Type::String,
        None => Type::Number,
    }
}

/// Which numbers a counter gives.
fn counter_form(raw: &RawCounter) -> NumberForm {
    match () {
        () if counter_type(raw) != Type::Number || raw.avg.is_written() => NumberForm::Other,
        () if raw.sum.is_written() || raw.min.is_written() || raw.max.is_written() => NumberForm::Decimal,
        () => NumberForm::Whole,
    }
}

/// Takes the place of an attribute with a mistake, so that ids stay right while other problems are looked for.
fn broken_attribute(name: &str) -> Attribute {
    Attribute {
        name: name.into(),
        entity: EntityKindId::default(),
        from: EventTypeSet::Of(Vec::new()),
        value: Source::EventType,
        value_type: None,
        filter: None,
    }
}

/// As [`broken_attribute`].
fn broken_counter(name: &str) -> Counter {
    Counter {
        name: name.into(),
        entity: EntityKindId::default(),
        on: EventTypeSet::Of(Vec::new()),
        filter: None,
        aggregate: Aggregate::Count,
        window: Window::Lifetime,
        ago: 0,
        intake: Intake::All,
        each: None,
    }
}
