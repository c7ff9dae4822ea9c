//! A `where` that no event of its types passed: what its parts were instead; and an `each` that met no elements.

use super::owner::{Intended, Owner};
use crate::catalog::{Catalog, EventTypeSet, Expr, Source};
use crate::engine::{EventPart, Program, event_value, passes};
use crate::model::{ArrayId, Event, Property, Scalar, Value};

/// Of a long `where` the first parts are told.
const PARTS_MAX: usize = 6;

/// A longer text is shown up to here.
const SAMPLE_CHARS: usize = 32;

/// A `where` that no event, or no element of one, passed.
#[derive(Clone, Debug, PartialEq)]
pub struct ClosedFilter {
    pub owner: Owner,
    /// The events of its types.
    pub events: u64,
    /// The array whose elements it is about, and how many of them there were; `None` where it is about events.
    pub elements: Option<(ArrayId, u64)>,
    pub parts: Vec<FilterPart>,
}

impl ClosedFilter {
    /// Takes an event that it is about. Returns whether it is still closed.
    fn note(&mut self, filter: Option<&Expr>, event: &Event, program: &Program) -> bool {
        self.events += 1;
        let Some((array, _)) = self.elements else {
            return self.note_part(filter, event.into(), program);
        };
        event.items(array).all(|item| {
            self.elements = self.elements.map(|(array, count)| (array, count + 1));
            self.note_part(filter, EventPart::of_item(event, item), program)
        })
    }

    fn note_part(&mut self, filter: Option<&Expr>, part: EventPart<'_>, program: &Program) -> bool {
        let is_closed = !passes(filter, part, &program.zone);
        if is_closed {
            self.parts.iter_mut().for_each(|of| of.note(part, program));
        }
        is_closed
    }
}

/// A part of a `where`, and what stood at its property where the part did not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterPart {
    expr: Expr,
    /// Where the first value stands that it mentions.
    place: Option<Source>,
    /// Whether the property is compared with numbers.
    wants_numbers: bool,
    /// The events or elements for which it did not hold.
    pub failed: u64,
    /// By [`SeenType`].
    found: [u64; SeenType::ALL.len()],
    /// The first text that was found, or its beginning.
    sample: Option<Box<str>>,
}

/// What an event had at a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SeenType {
    Nothing,
    Null,
    Bool,
    Number,
    Text,
    Array,
    Object,
}

impl SeenType {
    const ALL: [SeenType; 7] = [
        SeenType::Nothing,
        SeenType::Null,
        SeenType::Bool,
        SeenType::Number,
        SeenType::Text,
        SeenType::Array,
        SeenType::Object,
    ];

    fn of(property: Property) -> Self {
        match property {
            Property::Missing => SeenType::Nothing,
            Property::Null => SeenType::Null,
            Property::Bool(_) => SeenType::Bool,
            Property::Integer(..) | Property::Number(..) => SeenType::Number,
            Property::String(_) => SeenType::Text,
            Property::Array { .. } => SeenType::Array,
            Property::Object => SeenType::Object,
        }
    }

    fn name(self) -> &'static str {
        match self {
            SeenType::Nothing => "nothing there",
            SeenType::Null => "null",
            SeenType::Bool => "true or false",
            SeenType::Number => "a number",
            SeenType::Text => "a text",
            SeenType::Array => "an array",
            SeenType::Object => "an object",
        }
    }
}

impl FilterPart {
    fn new(expr: &Expr) -> Self {
        let place = first_place(expr);
        let is_number = |part: &Expr| matches!(part, Expr::Literal(Value::Number(_)) | Expr::Arithmetic(..));
        let mut wants_numbers = false;
        if let Expr::Compare { sides, .. } = expr {
            wants_numbers = sides.iter().any(is_number);
        }
        FilterPart { expr: expr.clone(), place, wants_numbers, failed: 0, found: [0; 7], sample: None }
    }

    fn note(&mut self, part: EventPart<'_>, program: &Program) {
        if event_value(&self.expr, part, &program.zone, |value| value == Scalar::Bool(true)) {
            return;
        }
        self.failed += 1;
        let Some(place) = self.place else { return };
        let property = part.at(place);
        self.found[SeenType::of(property) as usize] += 1;
        if let (None, Property::String(text)) = (&self.sample, property) {
            self.sample = Some(part.text(text).chars().take(SAMPLE_CHARS).collect::<String>().into());
        }
    }

    /// Such as "`properties.amount > 25`: a text in 812 of 812 events"; `of` is "events" or "elements".
    pub(super) fn describe(&self, count: u64, of: &str, catalog: &Catalog) -> String {
        let text = catalog.format_expr(&self.expr);
        let most = SeenType::ALL.into_iter().max_by_key(|found| self.found[*found as usize]);
        let (Some(place), Some(most)) = (self.place, most.filter(|most| self.found[*most as usize] > 0)) else {
            return format!("`{text}`: does not hold in {} of {count} {of}", self.failed);
        };
        let sample = match (&self.sample, most) {
            (Some(sample), SeenType::Text) => format!(", such as {sample:?}"),
            _ => String::new(),
        };
        let hint = match most {
            SeenType::Text if self.wants_numbers => "; see numbers_in_text",
            SeenType::Array if !matches!(self.expr, Expr::Contains(..)) => "; to look into it write `x in …`",
            SeenType::Nothing if let Some(outer) = outer_path(place, catalog) => {
                &format!("; where {outer} is an array, `each` goes through it")
            }
            _ => "",
        };
        format!("`{text}`: {} in {} of {count} {of}{sample}{hint}", most.name(), self.found[most as usize])
    }
}

/// What it is about, its condition, and what is known of it.
#[derive(Debug)]
struct WatchedFilter {
    on: EventTypeSet,
    filter: Option<Expr>,
    found: ClosedFilter,
}

/// The filters that no event has passed so far.
#[derive(Debug)]
pub(super) struct FilterAudit {
    closed: Vec<WatchedFilter>,
}

impl FilterAudit {
    pub(super) fn new(intended: &[Intended]) -> Self {
        let watched = intended.iter().filter(|intended| intended.filter.is_some() || intended.each.is_some());
        let closed = watched.map(|Intended { owner, on, filter, each, .. }| {
            let mut parts = Vec::new();
            filter.iter().for_each(|filter| split(filter, &mut parts));
            parts.truncate(PARTS_MAX);
            let elements = each.map(|array| (array, 0));
            let found = ClosedFilter { owner: owner.clone(), events: 0, elements, parts };
            WatchedFilter { on: on.clone(), filter: filter.clone(), found }
        });
        FilterAudit { closed: closed.collect() }
    }

    pub(super) fn note(&mut self, event: &Event, program: &Program) {
        self.closed.retain_mut(|WatchedFilter { on, filter, found }| {
            !on.contains(event.event_type) || found.note(filter.as_ref(), event, program)
        });
    }

    /// Those that had events to let through.
    pub(super) fn found(&self) -> impl Iterator<Item = &ClosedFilter> {
        self.closed.iter().map(|watched| &watched.found).filter(|found| found.events > 0)
    }
}

/// The parts of a condition: the operands of `&&` and `||`.
fn split(expr: &Expr, parts: &mut Vec<FilterPart>) {
    match expr {
        Expr::And(sides) | Expr::Or(sides) => sides.iter().for_each(|side| split(side, parts)),
        _ => parts.push(FilterPart::new(expr)),
    }
}

/// The place of the first value of an event that a part mentions.
fn first_place(expr: &Expr) -> Option<Source> {
    match expr {
        Expr::Property(path) => Some(Source::Property(*path)),
        Expr::Item(path) => Some(Source::Item(*path)),
        Expr::Contains(_, place) => Some(*place),
        _ => {
            let mut found = None;
            expr.for_each_operand(|operand| found = found.or_else(|| first_place(operand)));
            found
        }
    }
}

/// The path of a property without its last name, as it is written; `None` where that is all of the properties.
fn outer_path(place: Source, catalog: &Catalog) -> Option<String> {
    let Source::Property(path) = place else { return None };
    let (_, outer) = catalog.paths[path.index()].split_last()?;
    (!outer.is_empty()).then(|| format!("properties.{}", outer.join(".")))
}
