//! Numbers that `sum`, `avg`, `min` and `max` rounded, or that are too large for them.

use super::owner::Owner;
use crate::catalog::{Aggregate, Catalog, EventTypeSet, Expr, NumberSource};
use crate::engine::{EventPart, Program, computed_number, passes};
use crate::model::{ArrayId, Decimal, Event, Property};

/// A number of no more characters has neither too many digits nor too many decimals.
const SHORT_MAX: usize = 7;

/// The numbers of a counter that were not counted as they are written or computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InexactNumbers {
    pub owner: Owner,
    /// Numbers that were rounded. Those that an expression computes are rounded as a matter of course, and not told.
    pub rounded: u64,
    /// Numbers that an expression computes, and that are so small that they count as 0.
    pub lost: u64,
    /// Numbers that are too large to count.
    pub too_large: u64,
    /// The events without a number that counts, but with one that is too large.
    pub events_too_large: u64,
}

impl InexactNumbers {
    fn none(owner: Owner) -> Self {
        InexactNumbers { owner, rounded: 0, lost: 0, too_large: 0, events_too_large: 0 }
    }

    fn note(&mut self, finding: Option<Finding>) {
        match finding {
            Some(Finding::Rounded) => self.rounded += 1,
            Some(Finding::Lost) => self.lost += 1,
            Some(Finding::TooLarge) => self.too_large += 1,
            Some(Finding::Exact) | None => {}
        }
    }

    fn is_empty(&self) -> bool {
        self.rounded + self.lost + self.too_large == 0
    }
}

/// How a number was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    Exact,
    Rounded,
    Lost,
    TooLarge,
}

#[derive(Debug)]
struct WatchedNumber {
    on: EventTypeSet,
    filter: Option<Expr>,
    each: Option<ArrayId>,
    of: NumberSource,
    found: InexactNumbers,
}

impl WatchedNumber {
    fn note(&mut self, event: &Event, program: &Program) {
        let Some(array) = self.each else {
            let finding = self.finding(event.into(), program);
            self.found.events_too_large += u64::from(finding == Some(Finding::TooLarge));
            return self.found.note(finding);
        };
        let mut is_too_large = false;
        for item in event.items(array) {
            let finding = self.finding(EventPart::of_item(event, item), program);
            is_too_large |= finding == Some(Finding::TooLarge);
            self.found.note(finding);
        }
        if is_too_large && !self.counts(event, array, program) {
            self.found.events_too_large += 1;
        }
    }

    /// Whether an element of the event has a number that counts.
    fn counts(&self, event: &Event, array: ArrayId, program: &Program) -> bool {
        event.items(array).map(|item| EventPart::of_item(event, item)).any(|part| {
            let finding = self.finding(part, program);
            finding.is_some_and(|finding| finding != Finding::TooLarge)
                && passes(self.filter.as_ref(), part, &program.zone)
        })
    }

    /// What becomes of the number; `None` where there is none.
    fn finding(&self, part: EventPart<'_>, program: &Program) -> Option<Finding> {
        let property = match self.of {
            NumberSource::Property(path) => part.property(path),
            NumberSource::Item(path) => part.item(path),
            NumberSource::Formula(id) => {
                if !passes(self.filter.as_ref(), part, &program.zone) {
                    return None;
                }
                let number = computed_number(id, part, &program.catalog, &program.zone)?;
                return Some(match Decimal::rounded(ryu_js::Buffer::new().format_finite(number)) {
                    None => Finding::TooLarge,
                    Some(Decimal::ZERO) if number != 0.0 => Finding::Lost,
                    Some(_) => Finding::Exact,
                });
            }
        };
        let digits = match property {
            Property::Integer(_, digits) | Property::Number(_, digits) => part.text(digits),
            Property::String(text) if part.number_in(part.text(text)).is_some() => part.text(text),
            _ => return None,
        };
        if digits.len() <= SHORT_MAX && !digits.contains(['e', 'E']) {
            return Some(Finding::Exact);
        }
        let finding = match Decimal::rounded(digits) {
            None => Finding::TooLarge,
            Some(_) if Decimal::is_exact(digits) => Finding::Exact,
            Some(_) => Finding::Rounded,
        };
        (finding == Finding::Exact || passes(self.filter.as_ref(), part, &program.zone)).then_some(finding)
    }
}
#[derive(Debug)]
pub(super) struct NumberAudit {
    watched: Vec<WatchedNumber>,
}

impl NumberAudit {
    pub(super) fn new(catalog: &Catalog) -> Self {
        let watched = catalog.counters.iter().filter_map(|counter| {
            Some(WatchedNumber {
                on: catalog.expanded(&counter.on),
                filter: counter.filter.clone(),
                each: counter.each,
                of: numbers_of(counter.aggregate)?,
                found: InexactNumbers::none(Owner::Counter(counter.name.clone())),
            })
        });
        NumberAudit { watched: watched.collect() }
    }

    pub(super) fn note(&mut self, event: &Event, program: &Program) {
        let watched = self.watched.iter_mut().filter(|watched| watched.on.contains(event.event_type));
        watched.for_each(|watched| watched.note(event, program));
    }

    pub(super) fn found(&self) -> impl Iterator<Item = &InexactNumbers> {
        self.watched.iter().map(|watched| &watched.found).filter(|found| !found.is_empty())
    }
}

/// Where the numbers of an aggregate come from.
fn numbers_of(aggregate: Aggregate) -> Option<NumberSource> {
    match aggregate {
        Aggregate::Sum(of) | Aggregate::Avg(of) | Aggregate::Min(of) | Aggregate::Max(of) => Some(of),
        _ => None,
    }
}
