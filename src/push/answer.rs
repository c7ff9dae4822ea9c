//! What the receiver's answer means: taken, refused, or to be sent again.

use std::time::Duration;

use crate::model::Timestamp;

/// A receiver may ask for a pause of at most this: what it is worth waiting for longer is worth an alert.
const PAUSE_MAX: Duration = Duration::from_secs(3_600);

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Accepted,
    /// The receiver does not want these changes: sent again, they would be refused again.
    Refused {
        status: u16,
        words: String,
    },
    /// Nothing is known against these changes; they are sent again.
    Postponed {
        why: String,
        /// The pause that the receiver asks for.
        pause: Option<Duration>,
    },
}

/// The meaning of a status.
///
/// A status of the class 4xx refuses the changes. It does not where it speaks of the time (408, 429), or of the address and
/// the sender: 401, 403, 404, 405, 407 and 410 would come for every change, and a wrong secret must not empty the topic into
/// the dead letters.
pub fn answer_of(status: u16, retry_after: Option<&str>, words: &str, now: Timestamp) -> Answer {
    let words = words.trim();
    let said = if words.is_empty() { String::new() } else { format!(": {words}") };
    match status {
        200..=299 => Answer::Accepted,
        408 | 429 | 401 | 403..=405 | 407 | 410 => {
            let why = format!("the receiver answers {status}{}{said}", advice(status));
            Answer::Postponed { why, pause: retry_after.and_then(|text| pause(text, now)) }
        }
        400..=499 => Answer::Refused { status, words: words.to_owned() },
        300..=399 => {
            let why = format!("the receiver answers {status}, another address: give push.url that address");
            Answer::Postponed { why, pause: None }
        }
        _ => Answer::Postponed {
            why: format!("the receiver answers {status}{said}"),
            pause: retry_after.and_then(|text| pause(text, now)),
        },
    }
}

fn advice(status: u16) -> &'static str {
    match status {
        401 | 403 => " (check push.secret and push.credentials)",
        404 | 405 | 410 => " (check push.url)",
        407 => " (a proxy wants credentials)",
        _ => "",
    }
}

/// `Retry-After`: seconds, or an instant in the form of HTTP.
fn pause(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            u64::try_from((at.as_millisecond() - now.ms() + 999) / 1_000).unwrap_or(0)
        }
    };
    Some(Duration::from_secs(seconds).min(PAUSE_MAX))
}
