//! What an event says of an attribute or a series.

use crate::catalog::{Attribute, AttributeType, NumberSource, Source, TimeReader};
use crate::engine::aggregate::Zone;
use crate::engine::expr::{EventPart, computed_number, source};
use crate::engine::program::Program;
use crate::model::{Date, Decimal, Event, Property, Scalar, Timestamp};

/// Numbers beyond this do not count in `avg`, `min`, `max` and `sum` (spec 9.1).
const COUNTED_MAX: u64 = 1_000_000_000_000_000;

/// A number within the magnitude that the aggregates take.
pub(super) fn counted_number(of: NumberSource, event: EventPart<'_>, program: &Program) -> Option<Decimal> {
    let property = match of {
        NumberSource::Property(path) => event.property(path),
        NumberSource::Item(path) => event.item(path),
        NumberSource::Formula(id) => {
            let number = computed_number(id, event, &program.catalog, &program.zone)?;
            return Decimal::rounded(ryu_js::Buffer::new().format_finite(number));
        }
    };
    let digits = match property {
        Property::Integer(integer, _) if integer.unsigned_abs() <= COUNTED_MAX => return Some(Decimal::whole(integer)),
        Property::Number(_, digits) => event.text(digits),
        Property::String(text) => {
            let text = event.text(text);
            event.number_in(text).map(|_| text)?
        }
        _ => return None,
    };
    Decimal::rounded(digits)
}

/// What an event says of an attribute.
pub(super) enum AttributeReading<'a> {
    Missing,
    /// A value that the attribute does not take, or a text that is too long; it changes nothing.
    Mismatched,
    /// An absent value clears the attribute.
    Value(Scalar<'a>),
}

impl<'a> From<Option<Scalar<'a>>> for AttributeReading<'a> {
    fn from(taken: Option<Scalar<'a>>) -> Self {
        taken.map_or(AttributeReading::Mismatched, AttributeReading::Value)
    }
}

pub(super) fn read_attribute<'a>(attribute: &Attribute, event: &'a Event, program: &Program) -> AttributeReading<'a> {
    let catalog = &program.catalog;
    if let Source::Property(path) = attribute.value {
        let property = event.property(path);
        match property {
            Property::Missing => return AttributeReading::Missing,
            Property::Null => return AttributeReading::Value(Scalar::Absent),
            _ if attribute.value_type == Some(AttributeType::Time) => {
                return time(property, event, &TimeReader::new(catalog)).map(Scalar::Time).into();
            }
            _ if attribute.value_type == Some(AttributeType::Date) => {
                return date(property, event, &TimeReader::new(catalog), &program.zone).map(Scalar::Date).into();
            }
            _ => {}
        }
    }
    if (attribute.value, attribute.value_type) == (Source::Time, Some(AttributeType::Date)) {
        return Date::from_days(program.zone.day(event.time)).map(Scalar::Date).into();
    }
    let mut value = source(attribute.value, event);
    if let (Some(AttributeType::Number), Scalar::String(text)) = (attribute.value_type, value)
        && let Some(number) = event.number_in(text)
    {
        value = Scalar::Number(number);
    }
    // A text that is kept as a number may be longer than a text that is kept.
    let value = catalog.input.keepable(value);
    let fits = match (attribute.value_type, value) {
        (_, Scalar::Absent) => false,
        (None, _) => true,
        (Some(AttributeType::String), value) => matches!(value, Scalar::String(_)),
        (Some(AttributeType::Number), value) => matches!(value, Scalar::Number(_)),
        (Some(AttributeType::Bool), value) => matches!(value, Scalar::Bool(_)),
        (Some(AttributeType::Time), value) => matches!(value, Scalar::Time(_)),
        (Some(AttributeType::Date), _) => false,
    };
    fits.then_some(value).into()
}

/// A time is written as an event's own time may be: RFC 3339, or an integer in the catalog's unit. Its year is
/// one of 1 to 9999 in UTC.
fn time(property: Property, event: &Event, reader: &TimeReader) -> Option<Timestamp> {
    let time = match property {
        Property::String(text) => reader.text(event.text(text))?,
        Property::Integer(count, _) => reader.integer(count),
        _ => return None,
    };
    time.has_calendar_year().then_some(time)
}

/// A date is written `YYYY-MM-DD`; a time is its local date.
fn date(property: Property, event: &Event, reader: &TimeReader, zone: &Zone) -> Option<Date> {
    if let Property::String(text) = property
        && let Some(date) = Date::parse(event.text(text))
    {
        return Some(date);
    }
    Date::from_days(zone.day(time(property, event, reader)?))
}
