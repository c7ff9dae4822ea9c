//! Texts that are longer than `max_text`, and so count as missing.

use super::owner::Owner;
use crate::catalog::{Aggregate, Attribute, AttributeType, Catalog, Counter, EventTypeSet, Expr, InputMapping, Source};
use crate::engine::{EventPart, Program, passes, source, visit_values};
use crate::model::{ArrayId, Event, Scalar};

/// The texts of an attribute or a counter that are too long to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LongTexts {
    pub owner: Owner,
    pub texts: u64,
    /// The events without a value that is kept, but with a text that is too long.
    pub events: u64,
    /// The length of the longest, in bytes.
    pub longest: usize,
}

#[derive(Debug)]
struct WatchedText {
    on: EventTypeSet,
    filter: Option<Expr>,
    each: Option<ArrayId>,
    of: Source,
    /// Whether it takes texts alone, and each element of an array.
    is_top: bool,
    found: LongTexts,
}

impl WatchedText {
    fn of_attribute(attribute: &Attribute, catalog: &Catalog) -> Option<Self> {
        // Other types do not take a text, or keep it in another form.
        let keeps_text = matches!(attribute.value_type, None | Some(AttributeType::String));
        keeps_text.then(|| WatchedText {
            on: catalog.expanded(&attribute.from),
            filter: attribute.filter.clone(),
            each: None,
            of: attribute.value,
            is_top: false,
            found: LongTexts::none(Owner::Attribute(attribute.name.clone())),
        })
    }

    fn of_counter(counter: &Counter, catalog: &Catalog) -> Option<Self> {
        let (of, is_top) = match counter.aggregate {
            Aggregate::First(of) | Aggregate::Last(of) => (of, false),
            Aggregate::Top { of, .. } => (of, true),
            _ => return None,
        };
        Some(WatchedText {
            on: catalog.expanded(&counter.on),
            filter: counter.filter.clone(),
            each: counter.each,
            of,
            is_top,
            found: LongTexts::none(Owner::Counter(counter.name.clone())),
        })
    }

    fn note(&mut self, event: &Event, program: &Program) {
        let input = &program.catalog.input;
        let mut is_long = false;
        self.visit(event, |part| is_long |= self.texts_of(part, input).long > 0);
        if !is_long {
            return;
        }
        let mut all = SeenTexts::default();
        self.visit(event, |part| {
            if passes(self.filter.as_ref(), part, &program.zone) {
                all.join(self.texts_of(part, input));
            }
        });
        self.found.texts += all.long;
        self.found.events += u64::from(all.long > 0 && !all.any_kept);
        self.found.longest = self.found.longest.max(all.longest);
    }

    /// Visits the event, or the elements that count each by itself.
    fn visit(&self, event: &Event, mut visit: impl FnMut(EventPart<'_>)) {
        match self.each {
            None => visit(event.into()),
            Some(array) => event.items(array).for_each(|item| visit(EventPart::of_item(event, item))),
        }
    }

    fn texts_of(&self, part: EventPart<'_>, input: &InputMapping) -> SeenTexts {
        let mut seen = SeenTexts::default();
        if self.is_top {
            visit_values(self.of, part, |value| {
                if matches!(value, Scalar::String(_)) {
                    seen.add(value, input);
                }
            });
        } else {
            seen.add(source(self.of, part), input);
        }
        seen
    }
}

impl LongTexts {
    fn none(owner: Owner) -> Self {
        LongTexts { owner, texts: 0, events: 0, longest: 0 }
    }
}

/// What an event or an element of it has.
#[derive(Debug, Default)]
struct SeenTexts {
    long: u64,
    longest: usize,
    any_kept: bool,
}

impl SeenTexts {
    fn add(&mut self, value: Scalar<'_>, input: &InputMapping) {
        match (value, input.keepable(value)) {
            (Scalar::String(text), Scalar::Absent) => {
                self.long += 1;
                self.longest = self.longest.max(text.len());
            }
            (_, kept) => self.any_kept |= kept != Scalar::Absent,
        }
    }

    fn join(&mut self, other: SeenTexts) {
        self.long += other.long;
        self.longest = self.longest.max(other.longest);
        self.any_kept |= other.any_kept;
    }
}

#[derive(Debug)]
pub(super) struct TextAudit {
    watched: Vec<WatchedText>,
}

impl TextAudit {
    pub(super) fn new(catalog: &Catalog) -> Self {
        let attributes =
            catalog.attributes.iter().filter_map(|attribute| WatchedText::of_attribute(attribute, catalog));
        let counters = catalog.counters.iter().filter_map(|counter| WatchedText::of_counter(counter, catalog));
        TextAudit { watched: attributes.chain(counters).collect() }
    }

    pub(super) fn note(&mut self, event: &Event, program: &Program) {
        let watched = self.watched.iter_mut().filter(|watched| watched.on.contains(event.event_type));
        watched.for_each(|watched| watched.note(event, program));
    }

    pub(super) fn found(&self) -> impl Iterator<Item = &LongTexts> {
        self.watched.iter().map(|watched| &watched.found).filter(|found| found.texts > 0)
    }
}
