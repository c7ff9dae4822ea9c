//! The hash of what a catalog computes: words that only people read, such as titles and comments, do not enter it.
//!
//! Changelogs and snapshots carry the hash, so the text that is hashed never changes for a catalog that exists. It is
//! written out here, with words of its own, so that a renamed type or field of this program leaves it as it is.

use std::fmt::{Arguments, Write};

use super::bands::Bands;
use super::catalog::{
    Aggregate, Attribute, CalendarUnit, Catalog, Condition, Counter, EntityKind, EventSelector, EventTypeSet, History,
    Intake, ReportedValue, Score, Stage, TagDefinition, WeekStart, Window,
};
use super::field_rule::{FieldRule, Pointer, RecordPlace};
use super::input_mapping::{EventTypeRule, InputMapping, PropertiesRule, RecordEnvelope};
use super::value_source::{NumberSource, Source};
use crate::model::{EntityKindId, PathId};

/// The first line of the text; another number gives every catalog another hash.
const FORM: &str = "tagstream-catalog-1";

/// What the text calls an event type, whatever the program calls it.
pub(super) const EVENT_TYPE: &str = "Kind";

/// A 64-bit xxh3 of a canonical text. Titles, groups, descriptions and owners do not enter, nor does formatting.
///
/// A key that a later version added is written only where it does not have its default, so that a catalog without it
/// keeps its hash.
pub(crate) fn fingerprint(catalog: &Catalog) -> u64 {
    let mut text = Canonical { text: String::from(FORM), catalog };
    text.put(format_args!("\n{}\n", catalog.timezone.iana_name().unwrap_or("UTC")));
    text.input(&catalog.input);
    text.put(format_args!("\n{:?}\n{:?}", catalog.event_types, catalog.paths));
    if catalog.history == History::Partial {
        text.word("\nhistory: partial");
    }
    if !is_user_only(&catalog.entities) {
        text.word("\n");
        text.list(&catalog.entities, Canonical::entity);
    }
    catalog.attributes.iter().for_each(|attribute| text.attribute(attribute));
    catalog.counters.iter().for_each(|counter| text.counter(counter));
    for tag in &catalog.tags {
        text.put(format_args!("\n{:?} ", tag.name));
        text.tag(&tag.definition);
        text.owner(tag.entity);
    }
    text.word("\n");
    text.list(&catalog.order, |text, tag| text.put(format_args!("TagId({})", tag.0)));
    xxhash_rust::xxh3::xxh3_64(text.text.as_bytes())
}

fn is_user_only(entities: &[EntityKind]) -> bool {
    matches!(entities, [EntityKind { key: None, forget_after_ms: None, .. }])
}

fn calendar(unit: CalendarUnit) -> &'static str {
    match unit {
        CalendarUnit::Day => "Day",
        CalendarUnit::Week(WeekStart::Monday) => "Week",
        CalendarUnit::Week(WeekStart::Sunday) => "Week from Sunday",
        CalendarUnit::Week(WeekStart::Saturday) => "Week from Saturday",
        CalendarUnit::Month => "Month",
        CalendarUnit::Year => "Year",
    }
}

/// The text that is hashed, while it is written.
pub(super) struct Canonical<'a> {
    text: String,
    catalog: &'a Catalog,
}

impl Canonical<'_> {
    pub(super) fn word(&mut self, word: &str) {
        self.text.push_str(word);
    }

    pub(super) fn put(&mut self, words: Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.text.write_fmt(words);
    }

    pub(super) fn list<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Self, &T)) {
        self.word("[");
        for (index, each) in items.iter().enumerate() {
            if index > 0 {
                self.word(", ");
            }
            item(self, each);
        }
        self.word("]");
    }

    fn option<T>(&mut self, value: Option<&T>, some: impl FnOnce(&mut Self, &T)) {
        let Some(value) = value else { return self.word("None") };
        self.word("Some(");
        some(self, value);
        self.word(")");
    }

    fn owner(&mut self, entity: EntityKindId) {
        if entity != self.catalog.user() {
            self.word(" of ");
            self.word(&self.catalog.entity(entity).name);
        }
    }

    fn pointer(&mut self, Pointer(tokens): &Pointer) {
        self.put(format_args!("Pointer({tokens:?})"));
    }

    fn input(&mut self, input: &InputMapping) {
        self.word("InputMapping { key: KeyRule(");
        self.list(&input.key.0, Self::place);
        self.word("), kind: ");
        match &input.event_type {
            EventTypeRule::Segment => self.word("Segment"),
            EventTypeRule::Debezium => self.word("Debezium"),
            EventTypeRule::At(rule) => {
                self.word("At(");
                self.field(rule);
                self.word(")");
            }
        }
        self.word(", time: ");
        self.field(&input.time);
        self.word(", id: ");
        self.field(&input.id);
        self.word(", properties: ");
        match &input.properties {
            PropertiesRule::Segment => self.word("Segment"),
            PropertiesRule::Debezium => self.word("Debezium"),
            PropertiesRule::At(pointer) => self.at(pointer),
        }
        let InputMapping { time_unit, dedup_ms, max_future_ms, max_event_bytes, .. } = input;
        self.put(format_args!(", time_unit: {time_unit:?}, dedup_ms: {dedup_ms:?}, max_future_ms: {max_future_ms}"));
        self.put(format_args!(", max_event_bytes: {max_event_bytes}"));
        if input.dedup_limit != InputMapping::DEDUP_LIMIT {
            self.put(format_args!(", dedup_limit: {}", input.dedup_limit));
        }
        if input.max_text != InputMapping::MAX_TEXT {
            self.put(format_args!(", max_text: {}", input.max_text));
        }
        if input.local_times {
            self.word(", local_times: true");
        }
        match input.envelope {
            RecordEnvelope::Plain => {}
            RecordEnvelope::CloudEvents => self.word(", envelope: CloudEvents"),
            RecordEnvelope::ConnectJson => self.word(", envelope: ConnectJson"),
        }
        if input.numbers_in_text {
            self.word(", numbers_in_text: true");
        }
        self.word(" }");
    }

    /// A field of which only one pointer was written until there were others.
    fn field(&mut self, FieldRule(places): &FieldRule) {
        match places.as_slice() {
            [place] => self.place(place),
            places => self.list(places, Self::place),
        }
    }

    fn place(&mut self, place: &RecordPlace) {
        match place {
            RecordPlace::Value(pointer) => self.pointer(pointer),
            RecordPlace::Key => self.word("RecordKey"),
            RecordPlace::Timestamp => self.word("RecordTimestamp"),
            RecordPlace::Header(name) => self.put(format_args!("RecordHeader({name:?})")),
        }
    }

    fn at(&mut self, pointer: &Pointer) {
        self.word("At(");
        self.pointer(pointer);
        self.word(")");
    }

    fn entity(&mut self, EntityKind { name, key, forget_after_ms }: &EntityKind) {
        self.put(format_args!("EntityKind {{ name: {name:?}, key: "));
        self.option(key.as_ref(), Self::pointer);
        self.put(format_args!(", forget_after_ms: {forget_after_ms:?} }}"));
    }

    fn event_types(&mut self, types: &EventTypeSet) {
        match types {
            EventTypeSet::Any => self.word("Any"),
            EventTypeSet::Of(types) => {
                self.word("Of(");
                self.list(types, |text, id| text.put(format_args!("{EVENT_TYPE}Id({})", id.0)));
                self.word(")");
            }
        }
    }

    pub(super) fn source(&mut self, source: Source) {
        match source {
            Source::Property(path) => self.of_path("Property", path),
            Source::Item(path) => self.item(path),
            Source::Time => self.word("Time"),
            Source::EventType => self.word(EVENT_TYPE),
        }
    }

    fn attribute(&mut self, Attribute { name, entity, from, value, value_type, filter }: &Attribute) {
        self.put(format_args!("\nAttribute {{ name: {name:?}, from: "));
        self.event_types(from);
        self.word(", value: ");
        self.source(*value);
        self.put(format_args!(", kind: {value_type:?}, filter: "));
        self.option(filter.as_ref(), Self::expr);
        self.word(" }");
        self.owner(*entity);
    }

    fn counter(&mut self, Counter { name, entity, on, filter, aggregate, window, ago, intake, each }: &Counter) {
        self.put(format_args!("\nCounter {{ name: {name:?}, on: "));
        self.event_types(on);
        self.word(", filter: ");
        self.option(filter.as_ref(), Self::expr);
        self.word(", aggregate: ");
        self.aggregate(*aggregate);
        match window {
            Window::Lifetime => self.word(", window: Lifetime }"),
            Window::Rolling { panes, resolution } => {
                self.put(format_args!(", window: Rolling {{ panes: {panes}, resolution: {resolution:?} }} }}"));
            }
            Window::Calendar(unit) => self.put(format_args!(", window: Calendar({}) }}", calendar(*unit))),
        }
        if *ago > 0 {
            self.put(format_args!(" ago {ago}"));
        }
        if let Some(array) = each {
            self.put(format_args!(" each {:?}", self.catalog.arrays[array.index()]));
        }
        match intake {
            Intake::All => {}
            Intake::Since(_) => self.word(" since "),
            Intake::Sessions { gap_ms } => self.put(format_args!(" sessions {gap_ms} ")),
            Intake::Sequence { within_ms, .. } => self.put(format_args!(" sequence {within_ms} ")),
        }
        if *intake != Intake::All {
            self.list(intake.selectors(), Self::selector);
        }
        self.owner(*entity);
    }

    fn selector(&mut self, EventSelector { on, filter }: &EventSelector) {
        self.event_types(on);
        self.word(" where ");
        self.option(filter.as_ref(), Self::expr);
    }

    fn aggregate(&mut self, aggregate: Aggregate) {
        match aggregate {
            Aggregate::Count => self.word("Count"),
            Aggregate::ActiveDays => self.word("ActiveDays"),
            Aggregate::Sum(of) => self.of_number("Sum", of),
            Aggregate::Avg(of) => self.of_number("Avg", of),
            Aggregate::Min(of) => self.of_number("Min", of),
            Aggregate::Max(of) => self.of_number("Max", of),
            Aggregate::Distinct { of, limit } => self.limited("Distinct", of, limit),
            Aggregate::Top { of, limit } => self.limited("Top", of, limit),
            Aggregate::Last(source) => self.of_source("Last", source),
            Aggregate::First(source) => self.of_source("First", source),
        }
    }

    fn of_number(&mut self, word: &str, source: NumberSource) {
        match source {
            NumberSource::Property(path) => self.of_path(word, path),
            NumberSource::Item(path) => {
                self.put(format_args!("{word}("));
                self.item(path);
                self.word(")");
            }
            NumberSource::Formula(id) => {
                self.put(format_args!("{word}("));
                let formulas = &self.catalog.formulas;
                self.expr(&formulas[usize::from(id.0)]);
                self.word(")");
            }
        }
    }

    pub(super) fn item(&mut self, path: PathId) {
        self.put(format_args!("Item({:?})", self.catalog.item_paths[path.index()]));
    }

    pub(super) fn of_path(&mut self, word: &str, path: PathId) {
        self.put(format_args!("{word}(PathId({}))", path.0));
    }

    fn limited(&mut self, word: &str, of: Source, limit: u32) {
        self.put(format_args!("{word} {{ of: "));
        self.source(of);
        self.put(format_args!(", limit: {limit} }}"));
    }

    pub(super) fn of_source(&mut self, word: &str, source: Source) {
        self.put(format_args!("{word}("));
        self.source(source);
        self.word(")");
    }

    fn tag(&mut self, definition: &TagDefinition) {
        match definition {
            TagDefinition::Rule { when, until, for_ms, keep_for_ms } => {
                self.word("Rule { when: ");
                self.condition(when);
                self.word(", until: ");
                self.option(until.as_ref(), Self::condition);
                self.put(format_args!(", for_ms: {for_ms}, keep_for_ms: {keep_for_ms} }}"));
            }
            TagDefinition::Value { value, bands } => {
                self.word("Value { value: ");
                self.condition(value);
                self.word(", bands: ");
                self.option(bands.as_ref(), Self::bands);
                self.word(" }");
            }
            TagDefinition::Stages(stages) => {
                self.word("Stages(");
                self.list(stages, |text, Stage { name, when }| {
                    text.put(format_args!("Stage {{ name: {name:?}, when: "));
                    text.option(when.as_ref(), Self::condition);
                    text.word(" }");
                });
                self.word(")");
            }
            TagDefinition::Score(score) => self.score(score),
            TagDefinition::Manual { valid_for_ms } => {
                self.put(format_args!("Manual {{ valid_for_ms: {valid_for_ms:?} }}"));
            }
        }
    }

    fn score(&mut self, Score { model, digest, inputs, output, refresh_ms, bands }: &Score) {
        self.put(format_args!("Score(Score {{ model: {model:?}, digest: {digest}, inputs: "));
        self.list(inputs, |text, input| {
            text.put(format_args!("ScoreInput {{ name: {:?}, value: ", input.name));
            text.condition(&input.value);
            text.word(" }");
        });
        self.put(format_args!(", output: {output:?}, refresh_ms: {refresh_ms}, bands: "));
        self.option(bands.as_ref(), Self::bands);
        self.word(" })");
    }

    fn bands(&mut self, Bands { names, bounds, margin }: &Bands) {
        self.put(format_args!("Bands {{ names: {names:?}, bounds: "));
        self.list(bounds, |text, bound| text.number(*bound));
        self.word(", margin: ");
        self.number(*margin);
        self.word(" }");
    }

    fn condition(&mut self, condition: &Condition) {
        self.word("Condition { expr: ");
        self.expr(&condition.expr);
        self.word(", leaves: ");
        self.list(&condition.reported, |text, ReportedValue { label, expr }| {
            text.put(format_args!("Leaf {{ label: {label:?}, expr: "));
            text.expr(expr);
            text.word(" }");
        });
        self.word(" }");
    }
}
