//! What a `where` or an aggregate looks at: an event, or one element of an array in it, as `item`.

use crate::catalog::Source;
use crate::model::{Event, Number, PathId, Property, Span, Timestamp};

/// An event, and the element of it that is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventPart<'a> {
    event: &'a Event,
    /// The values at the catalog's paths below `item`; empty where no element is looked at.
    item: &'a [Property],
}

impl<'a> From<&'a Event> for EventPart<'a> {
    fn from(event: &'a Event) -> Self {
        EventPart { event, item: &[] }
    }
}

impl<'a> EventPart<'a> {
    /// The event with one of its elements.
    pub(crate) fn of_item(event: &'a Event, item: &'a [Property]) -> Self {
        EventPart { event, item }
    }

    pub(crate) fn property(self, path: PathId) -> Property {
        self.event.property(path)
    }

    /// The value at a path below `item`.
    pub(crate) fn item(self, path: PathId) -> Property {
        self.item.get(path.index()).copied().unwrap_or_default()
    }

    /// The property at a place; of the event's own parts, none.
    pub(crate) fn at(self, place: Source) -> Property {
        match place {
            Source::Property(path) => self.property(path),
            Source::Item(path) => self.item(path),
            Source::Time | Source::EventType => Property::Missing,
        }
    }

    pub(crate) fn elements(self, start: u32, len: u32) -> &'a [Property] {
        self.event.elements(start, len)
    }

    pub(crate) fn text(self, span: Span) -> &'a str {
        self.event.text(span)
    }

    /// The number that a text counts as where a number is wanted.
    pub(crate) fn number_in(self, text: &str) -> Option<Number> {
        self.event.number_in(text)
    }

    pub(crate) fn type_name(self) -> &'a str {
        self.event.type_name()
    }

    pub(crate) fn time(self) -> Timestamp {
        self.event.time
    }
}
