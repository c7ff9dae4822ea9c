//! Random streams: bursts, equal times, late events, borders of panes and days, and gaps.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::command::Member;
use super::dice::Dice;
use super::draft::{Draft, TEXTS, TYPES};
use super::features::Feature;
use super::record::{Fields, Shape, text};

const DAY_MS: i64 = 86_400_000;

/// An event before it is written.
#[derive(Clone)]
struct Spot {
    time: i64,
    key: String,
}

/// Where a stream stands.
pub struct Stream {
    rules: TimeZone,
    now: i64,
    keys: Vec<String>,
    /// Past times of events, to hit what follows from them.
    past: Vec<i64>,
    /// Where the next event happens, if that is known.
    again: Option<Spot>,
    /// Whether numbers may be extreme.
    wild: bool,
    pub dedup: bool,
}

impl Stream {
    pub fn new(draft: &mut Draft) -> Self {
        let start: Timestamp = draft.start.parse().expect("a time");
        let lead = draft.paces[0].step_ms * draft.dice.number(0, 12);
        let keys =
            ["u-1", "7", "ключ", "A", "a"][..draft.dice.number(1, 5) as usize].iter().map(|key| (*key).to_owned());
        let rules = TimeZone::get(draft.zone).expect("a zone");
        let now = (start.as_millisecond() - lead).max(631_152_000_000);
        let (keys, past, wild) = (keys.collect(), vec![now], draft.dice.one_in(6));
        Self { rules, now, keys, past, again: None, wild, dedup: false }
    }

    /// The latest time so far.
    pub fn latest(&self) -> i64 {
        self.now
    }

    fn local_midnight_after(&self, ms: i64) -> i64 {
        let offset_s = self.rules.to_offset(Timestamp::from_millisecond(ms).expect("a time")).seconds();
        let local = ms + i64::from(offset_s) * 1000;
        (local.div_euclid(DAY_MS) + 1) * DAY_MS - i64::from(offset_s) * 1000
    }

    /// The next event's time and whose it is.
    fn spot(&mut self, draft: &mut Draft) -> Spot {
        if let Some(again) = self.again.take() {
            return again;
        }
        let step_ms = draft.pace().step_ms;
        let nudge = draft.dice.pick(&[0, 0, 0, -1, 1]);
        let dice = &mut draft.dice;
        let key = dice.pick(&self.keys);
        let time = match dice.number(0, 99) {
            // To the instant at which an entity is forgotten, or near it.
            0..=2 if !draft.forgotten_ms.is_empty() => dice.pick(&self.past) + dice.pick(&draft.forgotten_ms) + nudge,
            0..=14 => self.now,
            15..=49 => self.now + dice.number(0, step_ms / 4),
            50..=64 => self.now + dice.number(0, step_ms * 2),
            65..=69 => self.now + dice.number(0, step_ms * 20),
            70..=74 => self.local_midnight_after(self.now) + nudge,
            75..=81 => {
                let unit = dice.pick(&[1000, 60_000, 3_600_000]);
                (self.now / unit + 1) * unit + nudge
            }
            82..=91 => {
                let from = dice.pick(&self.past);
                from + draft.duration().1 + nudge
            }
            92 if draft.paces[0].step_ms > 1_000_000 => self.now + 40 * DAY_MS,
            _ => self.now - draft.dice.number(0, step_ms * 4),
        };
        let time = time.max(631_152_000_000);
        self.now = self.now.max(time);
        self.past.push(time);
        if self.past.len() > 12 {
            self.past.remove(0);
        }
        Spot { time, key }
    }

    /// The next event as a line of that shape.
    pub fn line(&mut self, draft: &mut Draft, shape: Shape) -> Vec<u8> {
        let fields = self.fields(draft, shape);
        shape.write(&fields, &mut draft.dice).into_bytes()
    }

    pub fn fields(&mut self, draft: &mut Draft, shape: Shape) -> Fields {
        let spot @ Spot { time, .. } = &self.spot(draft);
        let kind = self.kind(draft, spot);
        let (mut properties, mut others) = (Vec::new(), Vec::new());
        for own in draft.kinds.clone() {
            if let Some(key) = own.key(&mut draft.dice, &spot.key) {
                let (is_property, member) = own.member(key);
                if is_property { &mut properties } else { &mut others }.push(member);
            }
        }
        let properties = match draft.dice.number(0, 30) {
            0 => None,
            1 => Some(draft.dice.pick(&["null", "[]", "\"no\"", "{}"]).to_owned()),
            _ if kind == "$tag" => {
                properties.extend(draft.tag_command());
                Some(object(&properties))
            }
            _ => Some(self.properties(draft, *time, shape, properties)),
        };
        let written = self.write_time(draft, *time, shape);
        let dice = &mut draft.dice;
        Fields {
            key: Some(if spot.key == "7" && dice.one_in(2) { "7".to_owned() } else { text(&spot.key) }),
            kind: Some(text(kind)),
            time: Some(written),
            id: self.id(dice),
            properties,
            others,
        }
    }

    /// The next event's type; after an erasure it may go on at the same instant.
    fn kind(&mut self, draft: &mut Draft, spot: &Spot) -> &'static str {
        if draft.features.has(Feature::Commands) {
            match draft.dice.number(0, 49) {
                0..=4 => return "$tag",
                5 | 6 => {
                    self.again = draft.dice.one_in(2).then(|| spot.clone());
                    return "$erase";
                }
                _ => {}
            }
        }
        draft.dice.pick(&TYPES[..])
    }

    fn id(&self, dice: &mut Dice) -> Option<String> {
        if !self.dedup {
            return dice.one_in(4).then(|| "\"same\"".to_owned());
        }
        match dice.number(0, 11) {
            0 => None,
            1 => Some(dice.pick(&["null", "true", "\"\"", "1.5", "[1]"]).to_owned()),
            2 => Some(text(&"long".repeat(80))),
            3 | 4 => Some(dice.pick(&["1", "\"1\"", "2"]).to_owned()),
            _ => Some(text(&format!("id-{}", dice.number(0, 30)))),
        }
    }

    fn properties(&self, draft: &mut Draft, time: i64, shape: Shape, mut members: Vec<Member>) -> String {
        let step_ms = draft.pace().step_ms;
        if draft.features.has(Feature::Each) && !draft.dice.one_in(3) {
            members.push(("items", draft.elements()));
        }
        if draft.features.has(Feature::Dates) && !draft.dice.one_in(3) {
            members.push(("born", self.date(draft, time, shape)));
        }
        let due = time + draft.dice.number(-step_ms * 4, step_ms * 8);
        let due = self.write_time(draft, due, shape);
        let (features, in_text) = (draft.features, draft.numbers_in_text);
        let dice = &mut draft.dice;
        if !dice.one_in(4) {
            let number = if features.has(Feature::Numbers) && dice.one_in(4) { fine(dice) } else { self.number(dice) };
            let is_number = number.starts_with(|c: char| c.is_ascii_digit() || c == '-');
            let as_text = in_text && is_number && dice.one_in(2);
            members.push(("n", if as_text { text(&number) } else { number }));
        }
        if in_text && dice.one_in(4) {
            members.push(("n", text(dice.pick(&[" 5", "007", "+1", "1e2", "-0.5", "1e400", "", "5x", "0x5"]))));
        }
        if features.has(Feature::Numbers) && !dice.one_in(3) {
            members.push(("big", big(dice)));
        }
        if !dice.one_in(4) {
            members.push(("s", any_text(dice)));
        }
        if !dice.one_in(3) {
            members.push(("flag", dice.pick(&["true", "false", "true", "null", "1"]).to_owned()));
        }
        if !dice.one_in(3) {
            members.push(("list", list(dice)));
        }
        if dice.one_in(2) {
            let deep = any_text(dice);
            members.push((
                "nested",
                dice.pick(&[format!("{{\"deep\": {deep}}}"), "{}".to_owned(), "null".to_owned(), deep]),
            ));
        }
        if dice.one_in(2) {
            members.push(("two words", dice.number(-1, 4).to_string()));
        }
        if dice.one_in(2) {
            members.push((
                "due",
                dice.pick(&[
                    due.clone(),
                    due.clone(),
                    due,
                    "null".to_owned(),
                    "\"soon\"".to_owned(),
                    "true".to_owned(),
                ]),
            ));
        }
        if dice.one_in(25) {
            members.push(("n", "\"the last one counts\"".to_owned()));
        }
        dice.shuffle(&mut members);
        object(&members)
    }

    /// A date, or a time that has one, or what is neither.
    fn date(&self, draft: &mut Draft, time: i64, shape: Shape) -> String {
        let ahead = draft.pace().step_ms * draft.dice.number(-9, 30);
        let at = Timestamp::from_millisecond(time + ahead).expect("a time");
        match draft.dice.number(0, 9) {
            0 => text(draft.dice.pick(&["2000-02-29", "2024-02-29", "1996-02-29", "0001-01-01", "9999-12-31"])),
            1 => draft
                .dice
                .pick(&["\"2023-02-29\"", "\"2024-2-9\"", "null", "true", "\"\"", "\"0000-01-01\""])
                .to_owned(),
            2 | 3 => self.write_time(draft, time + ahead, shape),
            _ => text(&at.strftime("%Y-%m-%d").to_string()),
        }
    }

    /// A time as some system may write it; what is finer than the unit is lost.
    fn write_time(&self, draft: &mut Draft, ms: i64, shape: Shape) -> String {
        let with_forms = draft.features.has(Feature::TimeForms);
        let local_times = draft.local_times;
        let dice = &mut draft.dice;
        if dice.one_in(2) {
            return shape.write_number(dice, ms);
        }
        let at = |ms: i64| Timestamp::from_millisecond(ms).expect("a time");
        let is_local = local_times && dice.one_in(2);
        let offset_min = dice.pick(&[0, 0, 0, 480, -210, 1439, -1]);
        let ahead_ms =
            if is_local { i64::from(self.rules.to_offset(at(ms)).seconds()) * 1000 } else { offset_min * 60_000 };
        let local = at(ms + ahead_ms);
        let (days, rest) = (local.strftime("%Y-%m-%d").to_string(), local.strftime("%H:%M:%S").to_string());
        let milli = ms.rem_euclid(1000);
        let fraction = match dice.number(0, 3) {
            0 if milli == 0 => String::new(),
            1 => format!(".{milli:03}999999"),
            2 if milli % 100 == 0 => format!(".{}", milli / 100),
            _ => format!(".{milli:03}"),
        };
        let (sign, size) = if offset_min < 0 { ('-', -offset_min) } else { ('+', offset_min) };
        let offset = match dice.number(0, 3) {
            _ if is_local => String::new(),
            0 if with_forms => format!("{sign}{:02}{:02}", size / 60, size % 60),
            1 if with_forms && size % 60 == 0 => format!("{sign}{:02}", size / 60),
            _ if offset_min == 0 => dice.pick(&["Z", "Z", "+00:00", "-00:00", "z"]).to_owned(),
            _ => format!("{sign}{:02}:{:02}", size / 60, size % 60),
        };
        let mark = dice.pick(&["T", "T", "T", " ", "t"]);
        format!("\"{days}{mark}{rest}{fraction}{offset}\"")
    }

    fn number(&self, dice: &mut Dice) -> String {
        match dice.number(0, 19) {
            0..=9 => dice.number(0, 6).to_string(),
            10 | 11 => format!("{}.{}", dice.number(0, 40), dice.number(0, 99)),
            12 => dice.pick(&["0.1", "0.2", "0.3", "1.10", "-0.7", "3.0", "2e0", "5E-1"]).to_owned(),
            13 => dice
                .pick(&["0.0000005", "0.0000015", "0.0000025", "-0.0000005", "-0.0000015", "12.3456785", "25e-7"])
                .to_owned(),
            14 => dice.number(-9, 120).to_string(),
            15 => dice.pick(&["null", "\"5\"", "true", "[1]", "{}"]).to_owned(),
            16 if self.wild => dice
                .pick(&["1e12", "-1e12", "1000000000001", "1e13", "1e308", "-1e308", "1e400", "1e-400", "-0", "-0.0"])
                .to_owned(),
            17 if self.wild => dice
                .pick(&[
                    "123456789012.123456",
                    "999999999999.999999",
                    "9007199254740993",
                    "0.1234565",
                    "1e-7",
                    "-0.0000004",
                ])
                .to_owned(),
            _ => dice.number(0, 3).to_string(),
        }
    }
}

fn object(members: &[Member]) -> String {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("{}: {value}", text(name))).collect();
    format!("{{{}}}", members.join(", "))
}

/// A number with many digits.
fn fine(dice: &mut Dice) -> String {
    let numbers = [
        "0.000000001",
        "0.0000000005",
        "0.0000000015",
        "-0.0000000025",
        "0.0000000024999999999999",
        "1e15",
        "-1e15",
        "1000000000000000.1",
        "999999999999999.999999999",
        "999999999999999.9999999999",
        "123456789012345.678901234",
        "0.1",
        "0.2",
        "0.3",
        "506.22",
        "324.71",
        "181.51",
        "9007199254740993",
        "-9223372036854775808",
        "9223372036854775808",
    ];
    dice.pick(&numbers).to_owned()
}

fn big(dice: &mut Dice) -> String {
    let numbers = [
        "9007199254740992",
        "9007199254740993",
        "9007199254740993.0",
        "9007199254740992.0",
        "-9007199254740993",
        "9223372036854775807",
        "9223372036854775808",
        "1",
        "1.0",
        "1e0",
    ];
    dice.pick(&numbers).to_owned()
}

fn any_text(dice: &mut Dice) -> String {
    match dice.number(0, 11) {
        0 => dice.pick(&["null", "5", "false", "{\"a\": 1}", "[\"x\"]"]).to_owned(),
        1 => "\"\\u00e9\"".to_owned(), // é
        _ => text(dice.pick(&TEXTS)),
    }
}

fn list(dice: &mut Dice) -> String {
    if dice.one_in(10) {
        return dice.pick(&["null", "\"x\"", "[]", "3", "[null, {}, [\"x\"]]"]).to_owned();
    }
    let items: Vec<String> = (0..dice.number(1, 4))
        .map(
            |_| if dice.one_in(6) { dice.pick(&["1", "1.0", "true", "null", "[]"]).to_owned() } else { any_text(dice) },
        )
        .collect();
    format!("[{}]", items.join(", "))
}
