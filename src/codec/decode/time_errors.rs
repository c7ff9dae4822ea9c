//! The words for a record that was rejected because of its time.

use super::json::JsonType;
use crate::catalog::TimeUnit;
use crate::codec::reject::Reject;
use crate::model::WrittenTime;

/// At most this many characters of the value are shown.
const SHOWN_CHARS_MAX: usize = 64;

/// Appends the words; `raw` is the value in place of the time. Nothing where the reason code is enough.
pub(super) fn describe_time_error(reason: Reject, json_type: JsonType, raw: &str, unit: TimeUnit, words: &mut String) {
    let (is_number, is_text) =
        (json_type == JsonType::Number, matches!(json_type, JsonType::Plain | JsonType::Escaped));
    // A number in the other unit is far too small, or far too large.
    let (unit, if_old, if_new) = match unit {
        TimeUnit::Milliseconds => ("milliseconds", "; `time_unit: s` takes seconds", ""),
        TimeUnit::Seconds => ("seconds", "", "; `time_unit: ms` takes milliseconds"),
        TimeUnit::Microseconds => ("microseconds", "; `time_unit: ms` takes milliseconds", ""),
        TimeUnit::Nanoseconds => ("nanoseconds", "; `time_unit: ms` takes milliseconds", ""),
    };
    let wrong: &[&str] = match reason {
        Reject::BadTime if is_number => &["is not a whole number of ", unit],
        Reject::BadTime if is_text && matches!(WrittenTime::parse(raw), Some(WrittenTime::Local(_))) => {
            &["has no offset; `local_times: true` reads it in the catalog's time zone"]
        }
        Reject::BadTime if is_text => &["is not an RFC 3339 time with an offset, such as \"2026-03-08T10:00:00Z\""],
        Reject::BadTime => &["is neither an RFC 3339 time nor a number of ", unit],
        Reject::TooOld if is_number => &["is before 1990, read as ", unit, if_old],
        Reject::TooOld => &["is before 1990"],
        Reject::InFuture if is_number => &["is too far in the future, read as ", unit, if_new],
        Reject::InFuture => &["is too far in the future; `max_future` is the limit"],
        _ => return,
    };
    let quote = if is_text { "\"" } else { "" };
    words.push_str(quote);
    words.extend(raw.chars().take(SHOWN_CHARS_MAX));
    if raw.chars().nth(SHOWN_CHARS_MAX).is_some() {
        words.push('…');
    }
    words.push_str(quote);
    words.push(' ');
    words.extend(wrong.iter().copied());
}
