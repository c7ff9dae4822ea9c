//! Instants and lengths of time, in the catalog's time zone and the reader's language.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::language::Language;
use crate::model::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};

/// How instants are written.
#[derive(Clone, Debug)]
pub(in crate::serve::page) struct Times {
    pub language: Language,
    pub zone: TimeZone,
}

/// A length of time in its two largest units: `3 days 4 h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve::page) struct Length {
    pub ms: i64,
    pub language: Language,
}

impl Times {
    /// An instant to the minute; with its seconds in what programs read.
    pub(in crate::serve::page) fn minute(&self, at: Timestamp) -> Markup {
        html! { time datetime=(at) { (self.text(at, "%-d %b %Y, %H:%M", "%Y年%-m月%-d日 %H:%M")) } }
    }

    /// An instant to the second.
    pub(in crate::serve::page) fn second(&self, at: Timestamp) -> Markup {
        html! { time datetime=(at) { (self.text(at, "%-d %b %Y, %H:%M:%S", "%Y年%-m月%-d日 %H:%M:%S")) } }
    }

    /// An instant as a text, to the minute.
    pub(in crate::serve::page) fn minute_text(&self, at: Timestamp) -> String {
        self.text(at, "%-d %b %Y, %H:%M", "%Y年%-m月%-d日 %H:%M")
    }

    /// The day of an instant, without its year.
    pub(in crate::serve::page) fn day_text(&self, at: Timestamp) -> String {
        self.text(at, "%-d %b", "%-m月%-d日")
    }

    /// The day and hour of an instant, without its year.
    pub(in crate::serve::page) fn hour_text(&self, at: Timestamp) -> String {
        self.text(at, "%-d %b, %H:%M", "%-m月%-d日 %H:%M")
    }

    /// An instant of an answer.
    pub(in crate::serve::page) fn read(&self, at: &str) -> Markup {
        match Timestamp::parse(at) {
            Ok(at) => self.minute(at),
            Err(_) => html! { (at) },
        }
    }

    /// The name of the time zone.
    pub(in crate::serve::page) fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// How long it is between two instants, whichever is first.
    pub(in crate::serve::page) fn between(&self, a: Timestamp, b: Timestamp) -> Length {
        Length { ms: a.since(b).abs(), language: self.language }
    }

    /// A length of time.
    pub(in crate::serve::page) fn length(&self, ms: i64) -> Length {
        Length { ms, language: self.language }
    }

    fn text(&self, at: Timestamp, english: &str, chinese: &str) -> String {
        let Ok(instant) = jiff::Timestamp::from_millisecond(at.ms()) else { return at.to_string() };
        let form = match self.language {
            Language::English => english,
            Language::Chinese => chinese,
        };
        instant.to_zoned(self.zone.clone()).strftime(form).to_string()
    }
}

impl std::fmt::Display for Length {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (days, hours, minutes) = (self.ms / DAY_MS, self.ms % DAY_MS / HOUR_MS, self.ms % HOUR_MS / MINUTE_MS);
        let seconds = self.ms % MINUTE_MS / 1_000;
        match self.language {
            Language::English => {
                let plural = if days == 1 { "" } else { "s" };
                match (days, hours, minutes) {
                    (0, 0, 0) => write!(f, "{seconds} s"),
                    (0, 0, _) => write!(f, "{minutes} min"),
                    (0, _, 0) => write!(f, "{hours} h"),
                    (0, _, _) => write!(f, "{hours} h {minutes} min"),
                    (_, 0, _) => write!(f, "{days} day{plural}"),
                    (1..=6, _, _) => write!(f, "{days} day{plural} {hours} h"),
                    _ => write!(f, "{days} days"),
                }
            }
            Language::Chinese => match (days, hours, minutes) {
                (0, 0, 0) => write!(f, "{seconds} 秒"),
                (0, 0, _) => write!(f, "{minutes} 分钟"),
                (0, _, 0) => write!(f, "{hours} 小时"),
                (0, _, _) => write!(f, "{hours} 小时 {minutes} 分钟"),
                (_, 0, _) => write!(f, "{days} 天"),
                (1..=6, _, _) => write!(f, "{days} 天 {hours} 小时"),
                _ => write!(f, "{days} 天"),
            },
        }
    }
}
