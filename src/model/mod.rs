//! The types that every other part uses: instants, values, events, tag changes. It knows no other part.
//!
//! - `time`: instants, and RFC 3339; `date`: dates of the calendar; `decimal`: exact decimals; `number`: a number of
//!   any form; `value`: what an attribute, a counter or an expression is;
//! - `event`: a decoded event; `change`: a tag change.

mod time;
mod date;
mod decimal;
mod number;
mod value;
mod event;
mod change;

pub use change::{Cause, ChangeType, CurrentTag, TagChange};
pub use date::Date;
pub use decimal::Decimal;
pub use event::{ArrayId, Command, EntityKindId, Event, EventTypeId, PathId, Property, Span, TagId};
pub use number::Number;
pub(crate) use time::{DAY_MS, HOUR_MS, MINUTE_MS, civil_from_days, days_from_civil, days_in_month};
pub use time::{Timestamp, TimestampError, Unit, WrittenTime};
pub use value::{Scalar, Value};
