//! Instants as the fields of a form have them.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::model::Timestamp;
use crate::serve::api::ApiError;

/// An instant as a field has it: with an offset, or local in a time zone.
pub(in crate::serve::page) fn instant_in(zone: &TimeZone, name: &str, text: &str) -> Result<Timestamp, ApiError> {
    if let Ok(instant) = Timestamp::parse(text) {
        return Ok(instant);
    }
    let local = text.parse::<DateTime>().ok().and_then(|local| local.to_zoned(zone.clone()).ok());
    let instant = local.map(|local| Timestamp::from_ms(local.timestamp().as_millisecond()));
    instant.ok_or_else(|| {
        ApiError::Wrong(format!("{name}: `{text}` is not an instant such as 2026-03-15T08:00 or 2026-03-15T08:00:00Z"))
    })
}

/// An instant as a field for local times has it.
pub(in crate::serve::page) fn local_in(zone: &TimeZone, at: Timestamp) -> String {
    let instant = jiff::Timestamp::from_millisecond(at.ms()).unwrap_or_default();
    instant.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
