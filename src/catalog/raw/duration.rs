//! Durations as the catalog writes them: `30d`, `1h30m`, `36h`.

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::catalog::yaml::{FromYaml, YamlNode, YamlReader, YamlValue};
use crate::model::{DAY_MS, HOUR_MS, MINUTE_MS};

/// A length of time in milliseconds, 0 or more; a day is 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DurationMs(pub i64);

/// The longest duration: a hundred years, far from any overflow.
const DURATION_MS_MAX: i64 = 36_525 * 86_400_000;

/// For the JSON Schema: units from large to small, each once, with whole numbers that do not begin with a zero.
const SCHEMA_PATTERN: &str = "^(?=.)((0|[1-9][0-9]*)w)?((0|[1-9][0-9]*)d)?((0|[1-9][0-9]*)h)?\
                              ((0|[1-9][0-9]*)m)?((0|[1-9][0-9]*)s)?((0|[1-9][0-9]*)ms)?$";

/// Unit names and their lengths, from small to large.
const UNITS: [(&str, i64); 6] =
    [("ms", 1), ("s", 1_000), ("m", MINUTE_MS), ("h", HOUR_MS), ("d", DAY_MS), ("w", 7 * DAY_MS)];

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DurationError {
    #[error("a duration is whole numbers with units")]
    Malformed,
    #[error("`{0}` has no unit")]
    NoUnit(String),
    #[error("`{word}` is not a unit of time")]
    UnknownUnit { number: String, word: String },
    #[error("months and years differ in length")]
    Calendar,
    #[error("a duration has no fractions")]
    Fraction,
    #[error("a duration can't be negative")]
    Negative,
    #[error("a duration is at most a hundred years")]
    TooLong,
    #[error("the unit `{0}` occurs twice")]
    UnitTwice(&'static str),
    #[error("a duration has no spaces")]
    Spaces { without: String },
    #[error("`{number}` begins with a zero")]
    LeadingZero { number: String, unit: &'static str },
    #[error("`{0}` is a larger unit than `{1}`, and stands after it")]
    Order(&'static str, &'static str),
}

impl DurationError {
    fn help(&self) -> String {
        match self {
            DurationError::NoUnit(number) => {
                format!("write {number}ms, {number}s, {number}m, {number}h, {number}d or {number}w")
            }
            DurationError::Calendar => {
                "write days (`30d`, `365d`), or for a counter `calendar: month` or `calendar: year`".to_owned()
            }
            DurationError::Fraction => "write a smaller unit: `90m` or `1h30m` for one and a half hours".to_owned(),
            DurationError::UnknownUnit { number, word } => match meant(word) {
                Some(unit) => format!("the unit is `{unit}`: write `{number}{unit}`"),
                None => "units are ms, s, m, h, d and w".to_owned(),
            },
            DurationError::Spaces { without } => format!("write `{without}`"),
            DurationError::LeadingZero { number, unit } => {
                let digits = number.trim_start_matches('0');
                format!("write `{}{unit}`", if digits.is_empty() { "0" } else { digits })
            }
            DurationError::Order(..) => "write the units from large to small: `1h30m`".to_owned(),
            _ => "for example `30d`, `36h` or `1h30m`; units are ms, s, m, h, d and w".to_owned(),
        }
    }
}

impl DurationMs {
    /// # Errors
    /// When the text is not a list of whole numbers, each with a unit, the larger units first.
    pub(crate) fn parse(text: &str) -> Result<Self, DurationError> {
        if text.contains(char::is_whitespace) {
            let without: String = text.split_whitespace().collect();
            Self::parse(&without)?;
            return Err(DurationError::Spaces { without });
        }
        let mut rest = text;
        if rest.is_empty() || rest.starts_with(['P', 'p']) {
            return Err(DurationError::Malformed);
        }
        if rest.starts_with('-') {
            return Err(DurationError::Negative);
        }
        let mut total: i64 = 0;
        let mut last: Option<usize> = None;
        while !rest.is_empty() {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, tail) = rest.split_at(digits);
            if number.is_empty() {
                return Err(DurationError::Malformed);
            }
            if tail.starts_with(['.', ',']) {
                return Err(DurationError::Fraction);
            }
            let word_len = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
            let (word, tail) = tail.split_at(word_len);
            let unit = unit(word, number)?;
            let (name, unit_ms) = UNITS[unit];
            match last.replace(unit) {
                Some(last) if last == unit => return Err(DurationError::UnitTwice(name)),
                Some(last) if last < unit => return Err(DurationError::Order(name, UNITS[last].0)),
                _ => {}
            }
            if number.len() > 1 && number.starts_with('0') {
                return Err(DurationError::LeadingZero { number: number.to_owned(), unit: name });
            }
            let ms = number.parse::<i64>().ok().and_then(|n| n.checked_mul(unit_ms));
            total = ms.and_then(|ms| total.checked_add(ms)).ok_or(DurationError::TooLong)?;
            rest = tail;
        }
        match total {
            DURATION_MS_MAX.. => Err(DurationError::TooLong),
            ms => Ok(DurationMs(ms)),
        }
    }
}

/// The milliseconds of a duration such as `30d` or `1h30m`.
///
/// # Errors
/// What is wrong with the text, and what to write instead.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    DurationMs::parse(text).map(|duration| duration.0).map_err(|error| format!("{error}; {}", error.help()))
}

/// The unit that a word such as `hours` means.
fn meant(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().trim_end_matches('s') {
        "milli" | "millisecond" | "msec" => "ms",
        "second" | "sec" => "s",
        "minute" | "min" => "m",
        "hour" | "hr" | "h" => "h",
        "day" | "d" => "d",
        "week" | "wk" | "w" => "w",
        _ => return None,
    })
}

/// Index into [`UNITS`].
fn unit(word: &str, number: &str) -> Result<usize, DurationError> {
    if word.is_empty() {
        return Err(DurationError::NoUnit(number.to_owned()));
    }
    if let Some(unit) = UNITS.iter().position(|(name, _)| *name == word) {
        return Ok(unit);
    }
    let lower = word.to_lowercase();
    if lower.starts_with("mo") || lower.starts_with('y') || word == "M" {
        return Err(DurationError::Calendar);
    }
    Err(DurationError::UnknownUnit { number: number.to_owned(), word: word.to_owned() })
}

/// As the catalog writes it, the largest unit first.
impl std::fmt::Display for DurationMs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut rest = self.0;
        for (name, ms) in UNITS.iter().rev().filter(|(name, _)| *name != "w") {
            if rest >= *ms {
                write!(f, "{}{name}", rest / ms)?;
                rest %= ms;
            }
        }
        if self.0 == 0 { f.write_str("0s") } else { Ok(()) }
    }
}

impl FromYaml for DurationMs {
    fn from_yaml(node: &YamlNode, reader: &mut YamlReader<'_>) -> Option<Self> {
        let text = match &node.value {
            YamlValue::Text(text) => text.as_str(),
            YamlValue::Number(_) => reader.source.slice(node.span),
            _ => {
                reader.wrong_type(node, "a duration such as `30d`");
                return None;
            }
        };
        match DurationMs::parse(text) {
            Ok(duration) => Some(duration),
            Err(error) => {
                let message = format!("`{text}` is not a duration: {error}");
                reader.report.error("bad-duration", node.span, message).help(error.help());
                None
            }
        }
    }
}

impl JsonSchema for DurationMs {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "pattern": SCHEMA_PATTERN })
    }
}
