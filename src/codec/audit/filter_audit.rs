//! A `where` that no event of its types passed: what its parts were instead.

use super::owner::{Intended, Owner};
use crate::catalog::{Catalog, EventTypeSet, Expr, Source};
use crate::engine::{Program, event_value, passes};
use crate::model::{Event, PathId, Property, Scalar, Value};

/// Of a long `where` the first parts are told.
const PARTS_MAX: usize = 6;

/// A longer text is shown up to here.
const SAMPLE_CHARS: usize = 32;

/// A `where` that no event passed.
#[derive(Clone, Debug, PartialEq)]
pub struct ClosedFilter {
    pub owner: Owner,
    /// The events of its types.
    pub events: u64,
    pub parts: Vec<FilterPart>,
}

/// A part of a `where`, and what stood at its property where the part did not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterPart {
    expr: Expr,
    path: Option<PathId>,
    /// Whether the property is compared with numbers.
    wants_numbers: bool,
    /// The events for which it did not hold.
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
        let path = first_path(expr);
        let is_number = |part: &Expr| matches!(part, Expr::Literal(Value::Number(_)) | Expr::Arithmetic(..));
        let mut wants_numbers = false;
        if let Expr::Compare { sides, .. } = expr {
            wants_numbers = sides.iter().any(is_number);
        }
        FilterPart { expr: expr.clone(), path, wants_numbers, failed: 0, found: [0; 7], sample: None }
    }

    fn note(&mut self, event: &Event, program: &Program) {
        if event_value(&self.expr, event, &program.zone, |value| value == Scalar::Bool(true)) {
            return;
        }
        self.failed += 1;
        let Some(path) = self.path else { return };
        let property = event.property(path);
        self.found[SeenType::of(property) as usize] += 1;
        if let (None, Property::String(text)) = (&self.sample, property) {
            self.sample = Some(event.text(text).chars().take(SAMPLE_CHARS).collect::<String>().into());
        }
    }

    /// Such as "`properties.amount > 25`: a text in 812 of 812 events".
    pub(super) fn describe(&self, events: u64, catalog: &Catalog) -> String {
        let text = catalog.format_expr(&self.expr);
        let most = SeenType::ALL.into_iter().max_by_key(|found| self.found[*found as usize]);
        let (Some(path), Some(most)) = (self.path, most.filter(|most| self.found[*most as usize] > 0)) else {
            return format!("`{text}`: does not hold in {} of {events} events", self.failed);
        };
        let sample = match (&self.sample, most) {
            (Some(sample), SeenType::Text) => format!(", such as {sample:?}"),
            _ => String::new(),
        };
        let hint = match most {
            SeenType::Text if self.wants_numbers => "; see numbers_in_text",
            SeenType::Array if !matches!(self.expr, Expr::Contains(..)) => "; to look into it write `x in …`",
            SeenType::Nothing if let Some(outer) = outer_path(&catalog.paths[path.index()]) => {
                &format!("; where {outer} is an array, `each` goes through it")
            }
            _ => "",
        };
        format!("`{text}`: {} in {} of {events} events{sample}{hint}", most.name(), self.found[most as usize])
    }
}

/// The filters that no event has passed so far.
#[derive(Debug)]
pub(super) struct FilterAudit {
    closed: Vec<(EventTypeSet, Expr, ClosedFilter)>,
}

impl FilterAudit {
    pub(super) fn new(intended: &[Intended]) -> Self {
        let closed = intended.iter().filter_map(|Intended { owner, on, filter, .. }| {
            let (mut parts, filter) = (Vec::new(), filter.clone()?);
            split(&filter, &mut parts);
            parts.truncate(PARTS_MAX);
            Some((on.clone(), filter, ClosedFilter { owner: owner.clone(), events: 0, parts }))
        });
        FilterAudit { closed: closed.collect() }
    }

    pub(super) fn note(&mut self, event: &Event, program: &Program) {
        self.closed.retain_mut(|(on, filter, found)| {
            if !on.contains(event.event_type) {
                return true;
            }
            if passes(Some(filter), event, &program.zone) {
                return false;
            }
            found.events += 1;
            found.parts.iter_mut().for_each(|part| part.note(event, program));
            true
        });
    }

    /// Those that had events to let through.
    pub(super) fn found(&self) -> impl Iterator<Item = &ClosedFilter> {
        self.closed.iter().map(|(_, _, found)| found).filter(|found| found.events > 0)
    }
}

/// The parts of a condition: the operands of `&&` and `||`.
fn split(expr: &Expr, parts: &mut Vec<FilterPart>) {
    match expr {
        Expr::And(sides) | Expr::Or(sides) => sides.iter().for_each(|side| split(side, parts)),
        _ => parts.push(FilterPart::new(expr)),
    }
}

/// The first property that a part mentions.
fn first_path(expr: &Expr) -> Option<PathId> {
    match expr {
        Expr::Property(path) | Expr::Contains(_, Source::Property(path)) => Some(*path),
        _ => {
            let mut found = None;
            expr.for_each_operand(|operand| found = found.or_else(|| first_path(operand)));
            found
        }
    }
}

/// The path without its last name, as it is written; `None` where that is all of the properties.
fn outer_path(path: &[Box<str>]) -> Option<String> {
    let (_, outer) = path.split_last()?;
    (!outer.is_empty()).then(|| format!("properties.{}", outer.join(".")))
}
