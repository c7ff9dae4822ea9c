//! What is wrong with the time of a record that was rejected for it, in words.

use super::scanner::JsonType;
use crate::catalog::TimeUnit;
use crate::codec::reject::Reject;

/// Of what stands in a time's place so much is shown.
const SHOWN_CHARS_MAX: usize = 64;

/// Writes the words; `raw`: what stands in the time's place. Nothing where the reason says it all.
pub(super) fn describe_time_error(reason: Reject, json_type: JsonType, raw: &str, unit: TimeUnit, words: &mut String) {
    let (is_number, is_text) =
        (json_type == JsonType::Number, matches!(json_type, JsonType::Plain | JsonType::Escaped));
    // What is meant for the other unit is far too small, or far too large.
    let (unit, if_old, if_new) = match unit {
        TimeUnit::Milliseconds => ("milliseconds", "; `time_unit: s` takes seconds", ""),
        TimeUnit::Seconds => ("seconds", "", "; `time_unit: ms` takes milliseconds"),
    };
    let wrong: &[&str] = match reason {
        Reject::BadTime if is_number => &["is no whole number of ", unit],
        Reject::BadTime if is_text => &["is no RFC 3339 time with an offset, such as \"2026-03-08T10:00:00Z\""],
        Reject::BadTime => &["is neither an RFC 3339 time nor a number of ", unit],
        Reject::TooOld if is_number => &["lies before 1990, taken as ", unit, if_old],
        Reject::TooOld => &["lies before 1990"],
        Reject::InFuture if is_number => &["lies too far in the future, taken as ", unit, if_new],
        Reject::InFuture => &["lies too far in the future; `max_future` says how far it may"],
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
