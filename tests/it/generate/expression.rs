//! Random expressions without the clock, and conditions with it.

use super::draft::Draft;
use super::features::Feature;

const ORDERS: [&str; 4] = ["<", "<=", ">", ">="];
const COMPARISONS: [&str; 8] = ["<", "<=", ">", ">=", ">=", "<", "==", "!="];

impl Draft {
    /// A condition; the deeper, the more parts.
    pub fn condition(&mut self, depth: u32) -> String {
        if depth == 0 || self.dice.one_in(3) {
            return self.atom();
        }
        let left = self.condition(depth - 1);
        let right = self.condition(depth - 1);
        match self.dice.number(0, 9) {
            0..=2 => format!("{left} && {right}"),
            3..=5 => format!("{left} || {right}"),
            6 => format!("!({left}) && ({right})"),
            7 => format!("({left}) || !({right})"),
            8 => format!("({} ? {left} : {right})", self.atom()),
            _ => format!("(({left}) == ({right}))"),
        }
    }

    fn atom(&mut self) -> String {
        if self.features.has(Feature::Dates) && self.dice.one_in(6) {
            return self.date_atom();
        }
        if self.features.has(Feature::Share) && self.dice.one_in(12) {
            return format!("{} {} 0.{}", self.share(), self.dice.pick(&ORDERS), self.dice.number(1, 9));
        }
        match self.dice.number(0, 14) {
            0..=4 => self.number_atom(),
            5..=7 => self.clock_atom(1),
            8 | 9 => self.text_atom(),
            10 => self.bool_atom(),
            11 => self.time_atom(),
            12 => self.untyped_atom(),
            13 => format!("has({})", self.any_name()),
            _ => self.bool_atom(),
        }
    }

    fn any_name(&mut self) -> String {
        let names = &self.names;
        let lists =
            [&names.counts, &names.numbers, &names.texts, &names.bools, &names.times, &names.untyped, &names.dates];
        let all: Vec<String> = lists.into_iter().flatten().filter(|name| !name.starts_with("tag.")).cloned().collect();
        self.dice.pick(&all)
    }

    fn share(&mut self) -> String {
        format!("share(\"{}\")", self.dice.pick(&["spring", "a", "é"]))
    }

    fn date_atom(&mut self) -> String {
        let times: Vec<String> = self.names.dates.iter().chain(&self.names.times).cloned().collect();
        let time = self.dice.pick(&times);
        match self.dice.number(0, 7) {
            0..=2 => format!("{} {} {}", self.date_call(), self.dice.pick(&COMPARISONS), self.constant()),
            3 => format!("{} % {} == {}", self.date_call(), self.dice.number(2, 7), self.dice.number(0, 2)),
            4 => format!("{} in [0, 1, {}]", self.date_call(), self.constant()),
            5 => format!("{time} {} {}", self.dice.pick(&COMPARISONS), self.constant_time()),
            6 => format!("{time} {} {}", self.dice.pick(&COMPARISONS), self.dice.pick(&times)),
            _ => format!("{} {} {}", self.date_call(), self.dice.pick(&ORDERS), self.a_number()),
        }
    }

    pub fn a_number(&mut self) -> String {
        if self.features.has(Feature::Dates) && self.dice.one_in(10) {
            return self.date_call();
        }
        if self.features.has(Feature::Share) && self.dice.one_in(20) {
            return self.share();
        }
        if self.features.has(Feature::Texts) && self.dice.one_in(15) && !self.names.texts.is_empty() {
            return format!("size({})", self.dice.pick(&self.names.texts));
        }
        let names: Vec<String> = [&self.names.counts, &self.names.numbers].into_iter().flatten().cloned().collect();
        if names.is_empty() {
            return format!("{}_between(first_seen, last_seen)", self.dice.pick(&["seconds", "hours"]));
        }
        self.dice.pick(&names)
    }

    /// A number that does not move with the clock.
    pub fn number(&mut self, depth: u32) -> String {
        if depth == 0 || self.dice.one_in(2) {
            return self.a_number();
        }
        let left = self.number(depth - 1);
        let right = if self.dice.one_in(2) { self.constant() } else { self.number(depth - 1) };
        match self.dice.number(0, 11) {
            0 | 1 => format!("{left} + {right}"),
            2 | 3 => format!("{left} - ({right})"),
            4 => format!("({left}) * ({right})"),
            5 => format!("({left}) / ({right})"),
            6 => format!("({left}) % ({right})"),
            7 => format!("min({left}, {right})"),
            8 => format!("max({left}, {right})"),
            9 => format!("abs({left})"),
            10 => format!("({} ? {left} : {right})", self.number_atom()),
            _ => {
                let (a, b) = (self.time_or_date(), self.time_or_date());
                format!("{}_between({a}, {b})", self.dice.pick(&["days", "hours", "minutes", "seconds"]))
            }
        }
    }

    fn number_atom(&mut self) -> String {
        let depth = u32::from(self.dice.one_in(3));
        let left = self.number(depth);
        if self.dice.one_in(8) {
            return format!("({left}) in [{}, {}, {}]", self.constant(), self.constant(), self.constant());
        }
        let right = if self.dice.one_in(4) { self.a_number() } else { self.constant() };
        let comparison = self.dice.pick(&COMPARISONS);
        if self.dice.one_in(6) {
            format!("{right} {comparison} {left}")
        } else {
            format!("{left} {comparison} {right}")
        }
    }

    fn text_atom(&mut self) -> String {
        if self.names.texts.is_empty() {
            return self.number_atom();
        }
        let text = self.dice.pick(&self.names.texts);
        self.test_of_text(&text)
    }

    pub fn test_of_text(&mut self, text: &str) -> String {
        let other = self.literal_for(text);
        if self.features.has(Feature::Texts) && self.dice.one_in(3) {
            let case = self.dice.pick(&["lowerAscii", "upperAscii"]);
            return match self.dice.number(0, 5) {
                0 => format!("{text}.{case}() == {other}"),
                1 => format!("{text}.{case}().startsWith({other})"),
                2 => format!("{text}.{case}() == {text}"),
                3 => format!("size({text}) {} {}", self.dice.pick(&COMPARISONS), self.dice.number(0, 4)),
                _ => format!("{text}.matches({})", self.pattern()),
            };
        }
        match self.dice.number(0, 7) {
            0 | 1 => format!("{text} == {other}"),
            2 => format!("{text} != {other}"),
            3 => format!("{text} in [{other}, {}]", self.literal_for(text)),
            4 => format!("{text} {} {other}", self.dice.pick(&ORDERS)),
            5 => format!("{text}.startsWith({other})"),
            6 => format!("{text}.endsWith({other})"),
            _ => format!("{text}.contains({other})"),
        }
    }

    fn bool_atom(&mut self) -> String {
        if self.names.bools.is_empty() {
            return self.number_atom();
        }
        let flag = self.dice.pick(&self.names.bools);
        match self.dice.number(0, 4) {
            0 | 1 => flag,
            2 => format!("!{flag}"),
            3 => format!("{flag} == {}", self.dice.pick(&["true", "false"])),
            _ => format!("{flag} != {}", self.dice.pick(&["true", "false"])),
        }
    }

    fn time_atom(&mut self) -> String {
        let (a, b) = (self.dice.pick(&self.names.times), self.dice.pick(&self.names.times));
        if self.dice.one_in(2) {
            return format!("{a} {} {b}", self.dice.pick(&COMPARISONS));
        }
        let unit = self.dice.pick(&["days", "hours", "minutes", "seconds"]);
        let comparison = self.dice.pick(&COMPARISONS);
        format!("{unit}_between({a}, {b}) {comparison} {}", self.length_in(unit))
    }

    fn untyped_atom(&mut self) -> String {
        if self.names.untyped.is_empty() {
            return self.text_atom();
        }
        let untyped = self.dice.pick(&self.names.untyped);
        match self.dice.number(0, 8) {
            0 | 1 => self.test_of_text(&untyped),
            2 | 3 => format!("{untyped} {} {}", self.dice.pick(&COMPARISONS), self.constant()),
            4 => format!("{untyped} == {}", self.dice.pick(&["true", "false"])),
            5 => format!("{untyped} * 2 {} {}", self.dice.pick(&ORDERS), self.constant()),
            6 => format!("{untyped} == {}", self.dice.pick(&self.names.untyped)),
            7 => {
                let (condition, (moving, _)) = (self.clock_atom(0), self.moving(0, "hours"));
                let other = self.dice.pick(&self.names.untyped);
                format!("(({condition}) ? {moving} : {untyped}) {} {other}", self.dice.pick(&ORDERS))
            }
            _ => format!("{untyped} != {}", self.literal()),
        }
    }

    /// A pattern that RE2 and the crate regex read alike.
    fn pattern(&mut self) -> String {
        let patterns = [
            "'^x'",
            "'y$'",
            "'x?y'",
            "r'\\w+'",
            "r'^\\W'",
            "'[^x]'",
            "r'\\bxy\\b'",
            "'^(?:x|y)+$'",
            "'^.$'",
            "'a\\\\b'",
            "'^\\\\d'",
            "'[a-y]{2}'",
            "r'\\s\\d'",
            "'b.*d'",
        ];
        self.dice.pick(&patterns).to_owned()
    }

    /// A `where` of an event's time.
    fn time_condition(&mut self) -> String {
        match self.dice.number(0, 5) {
            0 => format!("hour(time) {} {}", self.dice.pick(&ORDERS), self.dice.number(0, 23)),
            1 => "weekday(time) in [6, 7]".to_owned(),
            2 => format!("weekday(time) {} {}", self.dice.pick(&COMPARISONS), self.dice.number(1, 7)),
            3 => format!("day_of_month(time) {} {}", self.dice.pick(&COMPARISONS), self.dice.number(1, 31)),
            4 => format!("month(time) * 30 + day_of_month(time) {} 60", self.dice.pick(&COMPARISONS)),
            _ => format!("time {} {}", self.dice.pick(&COMPARISONS), self.constant_time()),
        }
    }

    /// A `where` of an event.
    pub fn event_condition(&mut self) -> String {
        if self.features.has(Feature::EventTimes) && self.dice.one_in(3) {
            return self.time_condition();
        }
        if self.features.has(Feature::Texts) && self.dice.one_in(5) {
            return match self.dice.number(0, 1) {
                0 => format!("size(properties.list) {} {}", self.dice.pick(&COMPARISONS), self.dice.number(0, 3)),
                _ => self.test_of_text("properties.nested.deep"),
            };
        }
        if self.features.has(Feature::Numbers) && self.dice.one_in(5) {
            return match self.dice.number(0, 2) {
                0 => format!("properties.big {} 9007199254740993", self.dice.pick(&COMPARISONS)),
                1 => "properties.big in [9007199254740992, 9007199254740993.0, -9007199254740993]".to_owned(),
                _ => format!("properties.n - 0.1 {} {}", self.dice.pick(&COMPARISONS), self.constant()),
            };
        }
        match self.dice.number(0, 11) {
            0 | 1 => format!("properties.n {} {}", self.dice.pick(&COMPARISONS), self.constant()),
            2 => self.test_of_text("properties.s"),
            3 => "properties.flag".to_owned(),
            4 => format!("!properties.flag || properties.n > {}", self.constant()),
            5 => format!("{} in properties.list", self.literal()),
            6 => format!("has(properties.{})", self.dice.pick(&["n", "s", "list", "nested.deep", "nested"])),
            7 => format!("properties.nested.deep == {}", self.literal()),
            8 => format!("type == '{}' || properties.n + 1 > 2", self.dice.pick(&["a", "page"])),
            9 => format!("properties[\"two words\"] in [1, 2, {}]", self.constant()),
            10 => "time == time && (has(properties.n) ? properties.n : 5) >= 2".to_owned(),
            _ => format!("{} in properties.list || {} in properties.list", self.constant(), self.literal()),
        }
    }
}
