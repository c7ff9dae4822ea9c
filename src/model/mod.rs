//! The words that every other part speaks: instants, values, events, tag changes.

mod change;
mod decimal;
mod event;
mod time;
mod value;

pub use change::{Cause, ChangeType, CurrentTag, TagChange};
pub use decimal::Micros;
pub use event::{Command, EntityKindId, Event, EventTypeId, PathId, Property, Span, TagId};
pub use time::{Timestamp, TimestampError, Unit};
pub(crate) use time::{civil_from_days, days_from_civil};
pub use value::{Scalar, Value};
