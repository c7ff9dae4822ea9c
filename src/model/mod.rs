//! The words that every other part speaks: instants, values, events, tag changes.

mod change;
mod decimal;
mod event;
mod time;
mod value;

pub use change::{Cause, ChangeKind, CurrentTag, TagChange};
pub use decimal::Micros;
pub use event::{Event, KindId, PathId, Property, Span};
pub use time::{Timestamp, TimestampError, Unit};
pub use value::{Scalar, Value};
