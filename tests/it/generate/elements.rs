//! Random counters over elements, after resets, in sessions and in sequences, and windows some time ago.

use serde_json::{Value, json};

use super::draft::Draft;
use super::features::Feature;
use super::record::text;

const DAY_MS: i64 = 86_400_000;

impl Draft {
    /// The JSON of an array of elements, or of what is none.
    pub fn elements(&mut self) -> String {
        if self.dice.one_in(12) {
            return self.dice.pick(&["null", "{}", "\"x\"", "[]", "[null]", "7"]).to_owned();
        }
        let elements: Vec<String> = (0..self.dice.number(1, 4)).map(|_| self.element()).collect();
        format!("[{}]", elements.join(", "))
    }

    fn element(&mut self) -> String {
        if self.dice.one_in(8) {
            return self.dice.pick(&["null", "3", "\"x\"", "true", "[1]", "{}"]).to_owned();
        }
        let mut members = Vec::new();
        if !self.dice.one_in(5) {
            let price = self.dice.pick(&["1.5", "0.1", "-2", "3", "1e2", "0.000000001", "null", "\"4\"", "0.30"]);
            members.push(format!("\"price\": {price}"));
        }
        if !self.dice.one_in(5) {
            members.push(format!("\"quantity\": {}", self.dice.number(0, 4)));
        }
        if !self.dice.one_in(4) {
            members.push(format!("\"name\": {}", text(self.dice.pick(&["x", "y", "xy"]))));
        }
        if self.dice.one_in(3) {
            let tags = self.dice.pick(&["[\"x\", \"x\", \"y\"]", "[]", "\"x\"", "[1, \"é\", null]"]);
            members.push(format!("\"tags\": {tags}"));
        }
        format!("{{{}}}", members.join(", "))
    }

    /// A path of an element that an aggregate can take.
    pub fn item_of(&mut self, aggregate: &str) -> &'static str {
        match aggregate {
            "sum" | "avg" | "min" | "max" => self.dice.pick(&["item.price", "item.quantity", "item"]),
            "distinct" | "top" => self.dice.pick(&["item.name", "item.tags", "item"]),
            _ => self.dice.pick(&["item.name", "item.quantity", "time", "item"]),
        }
    }

    /// An expression over numbers.
    pub fn formula(&mut self, each: bool) -> String {
        let (a, b) = if each { ("item.price", "item.quantity") } else { ("properties.n", "properties[\"two words\"]") };
        let constant = self.constant();
        match self.dice.number(0, 11) {
            0..=2 => format!("{a} * {b}"),
            3 => format!("{a} + {constant}"),
            4 => format!("({a} - {b}) / {constant}"),
            5 => format!("type == \"a\" ? -{a} : {a}"),
            6 => format!("{a} > {constant} ? {a} : {constant}"),
            7 => format!("abs({a} - {b}) * {constant}"),
            8 => format!("min({a}, {b}) + max({a}, {constant})"),
            9 => format!("has({a}) && {b} != 2 ? {a} * 2 : {b}"),
            10 => format!("properties.s == \"x\" || properties.flag ? {a} / 3 : 0.1 + 0.2"),
            _ => format!("-({a}) - {b} * {b}"),
        }
    }

    /// A condition that often compares what the aggregate takes.
    pub fn own_condition(&mut self, path: Option<&str>, each: bool) -> String {
        let constant = self.constant();
        match path {
            Some(path) if (path.starts_with("properties") || path.starts_with("item")) && !path.contains(' ') => {
                match self.dice.number(0, 5) {
                    0 => return format!("{path} > 0"),
                    1 => return format!("{path} >= {constant}"),
                    2 => return format!("{path} <= {constant} && type != \"b\""),
                    3 => return format!("!({path} < {constant})"),
                    4 => return format!("{path} in [1, {constant}] || {path} == 2"),
                    _ => {}
                }
            }
            _ => {}
        }
        if each && !self.dice.one_in(3) {
            return match self.dice.number(0, 5) {
                0 => "has(item.price)".to_owned(),
                1 => "item.name == \"x\"".to_owned(),
                2 => "!has(item)".to_owned(),
                3 => "item.quantity > 1 || properties.flag".to_owned(),
                4 => "\"x\" in item.tags".to_owned(),
                _ => format!("item.price * item.quantity > {constant}"),
            };
        }
        self.event_condition()
    }

    /// What begins anew, or is taken on the way.
    pub fn step(&mut self) -> Value {
        let types = self.types();
        if self.dice.one_in(2) {
            return json!({ "on": types, "where": self.event_condition() });
        }
        if types == "*" { json!({ "on": types, "where": "properties.n > 1" }) } else { types }
    }

    /// A counter of sessions or sequences, sometimes.
    pub fn counter_of_runs(&mut self) -> Option<Value> {
        let mut counter = if self.features.has(Feature::Sessions) && self.dice.one_in(5) {
            let mut counter = json!({ "sessions": self.types(), "gap": self.duration().0 });
            if self.dice.one_in(3) {
                counter["where"] = self.event_condition().into();
            }
            counter
        } else if self.features.has(Feature::Sequence) && self.dice.one_in(5) {
            let length = if self.dice.one_in(10) { 8 } else { self.dice.number(2, 3) };
            let steps: Vec<Value> = (0..length).map(|_| self.step()).collect();
            json!({ "sequence": steps, "within": self.duration().0 })
        } else {
            return None;
        };
        self.window("sessions", &mut counter);
        Some(counter)
    }

    /// Moves the window back.
    pub fn some_time_ago(&mut self, aggregate: &str, counter: &mut Value) {
        let Some(window) = counter.get("window").cloned() else { return };
        if let Some(calendar) = window.get("calendar").cloned() {
            counter.as_object_mut().expect("a map").shift_remove("window");
            counter["calendar"] = calendar;
            counter["ago"] = self.dice.number(1, 3).into();
            return;
        }
        let Some(length) = window.as_str().filter(|length| *length != "lifetime") else { return };
        let length_ms = length_ms(length);
        let pane_ms = match counter.get("resolution").and_then(Value::as_str) {
            _ if aggregate == "active_days" => DAY_MS,
            Some(resolution) => self::length_ms(resolution),
            None if length_ms <= 3_600_000 => 1000,
            None if length_ms <= DAY_MS => 60_000,
            None if length_ms <= 31 * DAY_MS => 3_600_000,
            None => DAY_MS,
        };
        let panes = length_ms / pane_ms;
        let ago = if self.dice.one_in(2) { panes } else { self.dice.number(1, 2 * panes) };
        let ago = ago.min(4000 - panes);
        if ago > 0 {
            let (unit, unit_ms) = match pane_ms {
                1000 => ("s", 1000),
                60_000 => ("m", 60_000),
                3_600_000 => ("h", 3_600_000),
                _ => ("d", DAY_MS),
            };
            counter["ago"] = format!("{}{unit}", ago * pane_ms / unit_ms).into();
        }
    }
}

/// A length such as `1h30m`.
fn length_ms(text: &str) -> i64 {
    let (mut total, mut number) = (0, 0);
    for c in text.chars() {
        match c.to_digit(10) {
            Some(digit) => number = number * 10 + i64::from(digit),
            None => {
                let unit = match c {
                    's' => 1000,
                    'm' => 60_000,
                    'h' => 3_600_000,
                    'd' => DAY_MS,
                    _ => 7 * DAY_MS,
                };
                total += number * unit;
                number = 0;
            }
        }
    }
    total
}
