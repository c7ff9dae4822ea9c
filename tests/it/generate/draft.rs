//! What a random catalog is drawn from: its pace, its zone, and the names that its expressions may use.

use super::dice::Dice;
use super::features::{Feature, Features};
use super::kinds::Kind;

/// A duration as the catalog writes it, and in milliseconds.
pub type Length = (&'static str, i64);

/// A window, with the resolutions that fit it; an empty one is the default.
type WindowChoice = (&'static str, &'static [&'static str]);

/// How fast a stream goes: lengths that belong together, so that things flip often.
#[derive(Clone, Copy)]
pub struct Pace {
    pub step_ms: i64,
    pub windows: &'static [WindowChoice],
    pub durations: &'static [Length],
}

const SECONDS: Pace = Pace {
    step_ms: 2000,
    windows: &[("1s", &["", "1s"]), ("5s", &[""]), ("10s", &["", "1s"]), ("1m", &["", "1s", "1m"]), ("90s", &[""])],
    durations: &[("1ms", 1), ("500ms", 500), ("1s", 1000), ("2500ms", 2500), ("5s", 5000), ("30s", 30000)],
};
const MINUTES: Pace = Pace {
    step_ms: 90_000,
    windows: &[
        ("2m", &["", "1s", "1m"]),
        ("10m", &["", "1s", "1m"]),
        ("30m", &["", "1m"]),
        ("1h", &["", "1s", "1m", "1h"]),
        ("1h30m", &["", "1m"]),
        ("4000s", &["1s"]),
    ],
    durations: &[("1m", 60000), ("90s", 90000), ("5m", 300_000), ("30m", 1_800_000), ("1h", 3_600_000)],
};
const HOURS: Pace = Pace {
    step_ms: 4_000_000,
    windows: &[
        ("2h", &["", "1m", "1h"]),
        ("12h", &["", "1m", "1h"]),
        ("1d", &["", "1m", "1h", "1d"]),
        ("24h", &["", "1d"]),
        ("36h", &["", "1h", "1m"]),
    ],
    durations: &[
        ("30m", 1_800_000),
        ("1h", 3_600_000),
        ("3h", 10_800_000),
        ("12h", 43_200_000),
        ("1d", 86_400_000),
        ("1d12h", 129_600_000),
    ],
};
const DAYS: Pace = Pace {
    step_ms: 50_000_000,
    windows: &[
        ("2d", &["", "1h", "1d", "1m"]),
        ("3d", &["", "1d"]),
        ("1w", &["", "1h", "1d"]),
        ("30d", &["", "1h", "1d"]),
        ("31d", &[""]),
        ("45d", &["", "1h", "1d"]),
    ],
    durations: &[
        ("1d", 86_400_000),
        ("2d", 172_800_000),
        ("7d", 604_800_000),
        ("14d", 1_209_600_000),
        ("1w", 604_800_000),
        ("1d1ms", 86_400_001),
    ],
};
const MONTHS: Pace = Pace {
    step_ms: 700_000_000,
    windows: &[("30d", &["", "1d"]), ("90d", &["", "1d", "1h"]), ("365d", &["", "1d"]), ("4000d", &["", "1d"])],
    durations: &[("7d", 604_800_000), ("30d", 2_592_000_000), ("60d", 5_184_000_000), ("180d", 15_552_000_000)],
};
const PACES: [Pace; 5] = [SECONDS, MINUTES, HOURS, DAYS, MONTHS];

/// The first instant that an event may have.
const OLDEST: &str = "1990-01-01T00:00:00Z";

/// Zones, each with instants at which something happens to its clocks.
pub const ZONES: [(&str, &[&str]); 8] = [
    ("UTC", &["2024-02-28T22:00:00Z", "2023-12-31T20:00:00Z", OLDEST]),
    ("Asia/Shanghai", &["2024-02-28T16:00:00Z", "1991-04-13T18:00:00Z", "1991-09-14T17:00:00Z"]),
    ("Europe/Berlin", &["2024-03-31T01:00:00Z", "2024-10-27T01:00:00Z"]),
    ("America/New_York", &["2024-03-10T07:00:00Z", "2024-11-03T06:00:00Z"]),
    ("America/Sao_Paulo", &["2018-11-04T03:00:00Z", "2018-02-18T02:00:00Z", "2017-10-15T03:00:00Z"]),
    ("Pacific/Apia", &["2011-12-30T10:00:00Z", "2012-03-31T14:00:00Z"]),
    ("Asia/Kolkata", &["2024-05-05T18:30:00Z", "2023-12-31T18:30:00Z"]),
    ("America/St_Johns", &["2006-10-29T02:31:00Z", "2006-04-02T03:31:00Z"]), // changed at a minute past midnight
];

/// Event types: the catalog names the first ones.
pub const TYPES: [&str; 5] = ["a", "b", "page", "identify", "Über uns"];

/// Texts that events carry and expressions compare with.
pub const TEXTS: [&str; 7] = ["x", "y", "xy", "é", "日本", "a\"b", "😀z"];

/// What tags with bands or stages may be called.
pub const VERDICTS: [&str; 6] = ["band 0", "band 1", "stage 0", "stage 1", "stage 2", "other"];

/// The names that may stand in a tag, by type.
#[derive(Default)]
pub struct Names {
    /// Numbers that are never less than 0.
    pub counts: Vec<String>,
    pub numbers: Vec<String>,
    pub texts: Vec<String>,
    pub bools: Vec<String>,
    pub times: Vec<String>,
    pub dates: Vec<String>,
    /// Of no declared type.
    pub untyped: Vec<String>,
}

pub struct Draft {
    pub dice: Dice,
    pub zone: &'static str,
    pub start: &'static str,
    pub paces: Vec<Pace>,
    pub features: Features,
    /// Beside the user.
    pub kinds: Vec<Kind>,
    /// After how long some of the entities are forgotten.
    pub forgotten_ms: Vec<i64>,
    /// Whether there may have been events before the first one.
    pub partial: bool,
    /// Whether texts that are numbers count as such.
    pub numbers_in_text: bool,
    /// Whether times may come without an offset.
    pub local_times: bool,
    /// Tags that commands set.
    pub manual: Vec<String>,
    /// Of the kind of entity that is drawn at the moment.
    pub names: Names,
}

impl Names {
    /// What every entity has.
    pub fn built_in() -> Self {
        Self { times: vec!["first_seen".to_owned(), "last_seen".to_owned()], ..Self::default() }
    }
}

impl Draft {
    pub fn new(seed: u64, features: Features) -> Self {
        let mut dice = Dice::new(seed);
        let (zone, starts) = if dice.one_in(3) { ZONES[0] } else { dice.pick(&ZONES) };
        let slow = dice.number(0, 4) as usize;
        let paces = vec![PACES[slow], PACES[slow.saturating_sub(dice.number(0, 1) as usize)]];
        let mut start = dice.pick(starts);
        let partial = features.has(Feature::Partial) && dice.one_in(4);
        let numbers_in_text = features.has(Feature::NumbersInText) && dice.one_in(2);
        let local_times = features.has(Feature::TimeForms) && dice.one_in(2);
        if partial && start == OLDEST {
            start = starts[0]; // there is no history before it
        }
        Self {
            dice,
            zone,
            start,
            paces,
            features,
            kinds: Vec::new(),
            forgotten_ms: Vec::new(),
            partial,
            numbers_in_text,
            local_times,
            manual: Vec::new(),
            names: Names::built_in(),
        }
    }

    pub fn pace(&mut self) -> Pace {
        self.dice.pick(&self.paces)
    }

    pub fn duration(&mut self) -> Length {
        let pace = self.pace();
        self.dice.pick(pace.durations)
    }

    /// A text as an expression writes it, such as an event may carry.
    pub fn literal(&mut self) -> String {
        let text = self.dice.pick(&TEXTS);
        self.quoted(text)
    }

    /// One that a name of that kind may have.
    pub fn literal_for(&mut self, name: &str) -> String {
        if name.starts_with("tag.") && !self.dice.one_in(5) {
            let verdict = self.dice.pick(&VERDICTS);
            return self.quoted(verdict);
        }
        self.literal()
    }

    fn quoted(&mut self, text: &str) -> String {
        if text.contains('"') || self.dice.one_in(2) { format!("'{text}'") } else { format!("\"{text}\"") }
    }

    /// A number as an expression writes it, mostly a small one.
    pub fn constant(&mut self) -> String {
        match self.dice.number(0, 9) {
            0..=5 => self.dice.number(0, 5).to_string(),
            6 => self.dice.pick(&["0.5", "1.5", "2.25", "0.1", "0.3", "3e0"]).to_owned(),
            7 => self.dice.number(6, 60).to_string(),
            8 => self.dice.pick(&["-1", "-0.5", "-10"]).to_owned(),
            _ if self.features.has(Feature::Numbers) && self.dice.one_in(3) => self
                .dice
                .pick(&[
                    "9007199254740993",
                    "-9007199254740993",
                    "0.000000001",
                    "0.1234567895",
                    "20.5",
                    "0.30",
                    "999999999999999.999999999",
                    "1e15",
                    "1000000000000000001",
                ])
                .to_owned(),
            _ => self.dice.pick(&["100", "1e3", "12.34", "0.000001"]).to_owned(),
        }
    }

    /// A time near the beginning of the stream, as `date(…)` or `timestamp(…)`.
    pub fn constant_time(&mut self) -> String {
        let start: jiff::Timestamp = self.start.parse().expect("a time");
        let ahead = self.duration().1 * self.dice.number(-2, 12);
        let at = jiff::Timestamp::from_millisecond(start.as_millisecond() + ahead).expect("a time");
        if self.dice.one_in(2) {
            format!("date(\"{}\")", at.strftime("%Y-%m-%d"))
        } else {
            format!("timestamp(\"{}\")", at.strftime("%Y-%m-%dT%H:%M:%SZ"))
        }
    }

    /// The name of a time or a date, or a constant, for the functions of times.
    pub fn time_or_date(&mut self) -> String {
        if self.features.has(Feature::Dates) {
            match self.dice.number(0, 5) {
                0 => return self.constant_time(),
                1 | 2 if !self.names.dates.is_empty() => return self.dice.pick(&self.names.dates),
                _ => {}
            }
        }
        self.dice.pick(&self.names.times)
    }

    /// A call that moves at local midnights only.
    pub fn date_call(&mut self) -> String {
        let functions =
            ["dates_since", "dates_since", "dates_until", "dates_until", "years_since", "dates_to_anniversary"];
        format!("{}({})", self.dice.pick(&functions), self.time_or_date())
    }
}
