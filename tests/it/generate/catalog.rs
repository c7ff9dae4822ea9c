//! Random catalogs, valid by the contract's rules.

use serde_json::{Map, Value, json};

use super::draft::{Draft, Names, TEXTS, TYPES};
use super::features::Feature;
use super::record::Shape;

/// Entries of the catalog by name, in the order of the file.
type Section = Vec<(String, Value)>;

/// How many counters and tags, and how much of it concerns the clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Family {
    /// Everything.
    Broad,
    /// The clock's arithmetic, and `for`, `keep_for` and `until`.
    Sharp,
}

impl Draft {
    pub fn catalog(&mut self, family: Family, input: Value, shape: Shape) -> Value {
        let entities = self.entities(shape);
        let (mut attributes, mut counters) = (self.attributes(""), self.counters(family, ""));
        let mut tags = self.tags(family, "");
        for kind in self.kinds.clone() {
            self.names = Names::built_in();
            let prefix = format!("{}_", kind.name);
            let own = [self.attributes(&prefix), self.counters(family, &prefix), self.tags(family, &prefix)];
            for (all, own) in [&mut attributes, &mut counters, &mut tags].into_iter().zip(own) {
                all.extend(own.into_iter().map(|(name, mut entry)| {
                    entry["entity"] = kind.name.into();
                    (name, entry)
                }));
            }
        }
        if self.dice.one_in(2) {
            self.dice.shuffle(&mut tags);
        }
        let mut catalog = json!({ "version": 1 });
        if self.zone != "UTC" || self.dice.one_in(2) {
            catalog["timezone"] = self.zone.into();
        }
        if self.features.has(Feature::WeekStarts) {
            catalog["week_starts"] = self.dice.pick(&["sunday", "saturday", "monday"]).into();
        }
        if !input.is_null() {
            catalog["input"] = input;
        }
        if self.partial {
            catalog["history"] = "partial".into();
        }
        if !entities.is_null() {
            catalog["entities"] = entities;
        }
        for (name, section) in [("attributes", attributes), ("counters", counters), ("tags", tags)] {
            catalog[name] = section.into_iter().collect::<Map<String, Value>>().into();
        }
        catalog
    }

    pub fn types(&mut self) -> Value {
        let known = &TYPES[..4];
        if self.features.has(Feature::Stars) && self.dice.one_in(3) {
            let star = self.dice.pick(&["p*", "ident*", "a*", "page*", "Ü*", "z*", "pages*"]);
            return if self.dice.one_in(3) { json!([star, self.dice.pick(known)]) } else { star.into() };
        }
        match self.dice.number(0, 5) {
            0 | 1 => "*".into(),
            2..=4 => self.dice.pick(known).into(),
            _ => json!([self.dice.pick(&known[..2]), self.dice.pick(&known[2..])]),
        }
    }

    fn attributes(&mut self, prefix: &str) -> Section {
        let mut all = Vec::new();
        let date = if self.features.has(Feature::Dates) { "date" } else { "time" };
        let kinds = ["string", "number", "bool", "time", "", date];
        for (index, kind) in kinds.into_iter().enumerate() {
            if self.dice.one_in(3) {
                continue;
            }
            let name = format!("{prefix}attr_{index}");
            let value = match kind {
                "string" => self.dice.pick(&["properties.s", "properties.nested.deep"]),
                "number" => self.dice.pick(&["properties.n", "properties[\"two words\"]"]),
                "bool" => "properties.flag",
                "time" => self.dice.pick(&["properties.due", "properties.due", "time"]),
                "date" => self.dice.pick(&["properties.born", "properties.born", "properties.due", "time"]),
                _ if self.features.has(Feature::Numbers) && self.dice.one_in(2) => "properties.big",
                _ => self.dice.pick(&["properties.s", "properties.n", "properties.flag", "properties.list"]),
            };
            let mut attribute = json!({ "from": self.types(), "value": value });
            if !kind.is_empty() {
                attribute["type"] = kind.into();
            }
            if self.dice.one_in(5) {
                attribute["where"] = self.event_condition().into();
            }
            all.push((name.clone(), attribute));
            match kind {
                "string" => &mut self.names.texts,
                "number" => &mut self.names.numbers,
                "bool" => &mut self.names.bools,
                "time" => &mut self.names.times,
                "date" => &mut self.names.dates,
                _ => &mut self.names.untyped,
            }
            .push(name);
        }
        all
    }

    fn counters(&mut self, family: Family, prefix: &str) -> Section {
        let mut all = Vec::new();
        let most = if family == Family::Sharp { 5 } else { 9 };
        for index in 0..self.dice.number(3, most) {
            let name = format!("{prefix}c{index}");
            let counter = self.counter(&name);
            all.push((name, counter));
        }
        all
    }

    fn counter(&mut self, name: &str) -> Value {
        if let Some(counter) = self.counter_of_runs() {
            self.names.counts.push(name.to_owned());
            return counter;
        }
        let aggregates =
            ["count", "count", "sum", "avg", "min", "max", "distinct", "active_days", "last", "first", "top"];
        let aggregate = self.dice.pick(&aggregates);
        let each = self.features.has(Feature::Each) && self.dice.one_in(3);
        let path = match aggregate {
            "count" | "active_days" => None,
            "sum" | "avg" | "min" | "max" if self.features.has(Feature::Expressions) && self.dice.one_in(3) => {
                Some(self.formula(each))
            }
            _ if each && !self.dice.one_in(5) => Some(self.item_of(aggregate).to_owned()),
            "sum" | "avg" | "min" | "max" => {
                Some(self.dice.pick(&["properties.n", "properties.n", "properties[\"two words\"]"]).to_owned())
            }
            "distinct" if self.features.has(Feature::Numbers) && self.dice.one_in(2) => {
                Some("properties.big".to_owned())
            }
            "distinct" => {
                let paths = ["properties.s", "properties.list", "properties.n", "properties.flag"];
                Some(self.dice.pick(&paths).to_owned())
            }
            "top" => Some(self.dice.pick(&["properties.s", "properties.list", "properties.nested.deep"]).to_owned()),
            _ if self.features.has(Feature::Numbers) && self.dice.one_in(4) => Some("properties.big".to_owned()),
            _ => {
                let paths = ["time", "time", "properties.s", "properties.n", "properties.flag"];
                Some(self.dice.pick(&paths).to_owned())
            }
        };
        let mut counter = json!({});
        match &path {
            None => counter[aggregate] = self.types(),
            Some(path) => {
                counter[aggregate] = path.as_str().into();
                counter["on"] = self.types();
            }
        }
        if each {
            counter["each"] = "properties.items".into();
        }
        if self.dice.one_in(4) {
            counter["where"] = self.own_condition(path.as_deref(), each).into();
        }
        if matches!(aggregate, "distinct" | "top") && self.dice.one_in(2) {
            counter["limit"] = self.dice.number(1, 3).into();
        }
        if self.features.has(Feature::Since) && self.dice.one_in(3) {
            counter["since"] = self.step();
        }
        self.window(aggregate, &mut counter);
        let names = &mut self.names;
        match (aggregate, path.as_deref()) {
            ("count" | "distinct" | "active_days", _) => &mut names.counts,
            ("sum" | "avg" | "min" | "max", _) => &mut names.numbers,
            ("top", _) => &mut names.texts,
            (_, Some("time")) => &mut names.times,
            _ => &mut names.untyped,
        }
        .push(name.to_owned());
        counter
    }

    pub fn window(&mut self, aggregate: &str, counter: &mut Value) {
        self.window_alone(aggregate, counter);
        let may = matches!(aggregate, "count" | "sum" | "avg" | "min" | "max" | "active_days");
        if self.features.has(Feature::Ago) && may && counter.get("since").is_none() && self.dice.one_in(2) {
            self.some_time_ago(aggregate, counter);
        }
    }

    fn window_alone(&mut self, aggregate: &str, counter: &mut Value) {
        match self.dice.number(0, 7) {
            0 => {}
            1 => counter["window"] = "lifetime".into(),
            2 => counter["window"] = json!({ "calendar": self.dice.pick(&["day", "week", "month", "year"]) }),
            _ if aggregate == "active_days" => {
                counter["window"] = self.dice.pick(&["1d", "2d", "3d", "1w", "30d", "24h"]).into();
                if self.dice.one_in(4) {
                    counter["resolution"] = "1d".into();
                }
            }
            _ => {
                let pace = self.pace();
                let (length, resolutions) = self.dice.pick(pace.windows);
                counter["window"] = length.into();
                let resolution = self.dice.pick(resolutions);
                if !resolution.is_empty() {
                    counter["resolution"] = resolution.into();
                }
            }
        }
    }

    /// Tags that use only earlier ones.
    fn tags(&mut self, family: Family, prefix: &str) -> Section {
        let mut all = Section::new();
        for index in 0..self.dice.number(4, 10) {
            let name = format!("{prefix}t{index}");
            if self.features.has(Feature::Commands) && self.dice.one_in(5) {
                let tag = self.manual_tag(&name);
                all.push((name, tag));
                continue;
            }
            let choice = if family == Family::Sharp {
                self.dice.pick(&[0, 1, 2, 3, 4, 7, 8, 10])
            } else {
                self.dice.number(0, 10)
            };
            let tag = match choice {
                0..=4 => self.rule(family, &name),
                5 => self.plain_value(&name),
                6 | 7 => self.banded(family, &name),
                _ => self.stages(family, &name),
            };
            all.push((name, tag));
        }
        all
    }

    fn manual_tag(&mut self, name: &str) -> Value {
        self.names.untyped.push(format!("tag.{name}"));
        self.manual.push(name.to_owned());
        if self.dice.one_in(2) {
            json!({ "manual": true, "valid_for": self.duration().0 })
        } else {
            json!({ "manual": {} })
        }
    }

    fn tag_condition(&mut self, family: Family) -> String {
        match family {
            Family::Broad => {
                let depth = self.dice.number(0, 2) as u32;
                self.condition(depth)
            }
            Family::Sharp if self.dice.one_in(4) => self.condition(1),
            Family::Sharp if self.dice.one_in(3) => {
                let (left, right) = (self.clock_atom(2), self.clock_atom(2));
                format!("{left} {} {right}", self.dice.pick(&["&&", "||"]))
            }
            Family::Sharp => self.clock_atom(4),
        }
    }

    fn rule(&mut self, family: Family, name: &str) -> Value {
        let often = if family == Family::Sharp { 2 } else { 4 };
        let mut rule = json!({ "when": self.tag_condition(family) });
        if self.dice.one_in(often) {
            rule["until"] = self.tag_condition(family).into();
        }
        if self.dice.one_in(often) {
            rule["for"] = self.duration().0.into();
        }
        if self.dice.one_in(often) {
            rule["keep_for"] = self.duration().0.into();
        }
        if self.dice.one_in(6) {
            rule["title"] = json!({ "en": format!("Tag {name}"), "zh": "标签" });
            rule["group"] = "some/where".into();
        }
        self.names.bools.push(format!("tag.{name}"));
        rule
    }

    fn plain_value(&mut self, name: &str) -> Value {
        let names = &mut self.names;
        let tag = format!("tag.{name}");
        let list = match self.dice.number(0, 6) {
            0 => &mut names.texts,
            1 => &mut names.bools,
            // Times go into functions by name: that of a tag is left to the names of attributes and counters.
            2 => return json!({ "value": self.dice.pick(&names.times) }),
            3 => &mut names.untyped,
            _ => &mut names.numbers,
        };
        if list.is_empty() || self.dice.one_in(2) {
            let depth = self.dice.number(0, 2) as u32;
            let value = self.number(depth);
            self.names.numbers.push(tag);
            return json!({ "value": value });
        }
        let value = self.dice.pick(list);
        list.push(tag);
        json!({ "value": value })
    }

    fn banded(&mut self, family: Family, name: &str) -> Value {
        let moving = family == Family::Sharp || self.dice.one_in(3);
        let (value, bounds) = if moving {
            self.moving_bands(if family == Family::Sharp { 3 } else { 1 })
        } else {
            let depth = u32::from(self.dice.one_in(3));
            let untyped = self.dice.one_in(6) && !self.names.untyped.is_empty();
            let value = if untyped { self.dice.pick(&self.names.untyped) } else { self.number(depth) };
            let mut bounds: Vec<f64> =
                (0..self.dice.number(1, 4)).map(|_| self.constant().parse().expect("a number")).collect();
            bounds.sort_by(f64::total_cmp);
            bounds.dedup();
            (value, bounds)
        };
        let margin =
            (bounds[bounds.len() - 1] - bounds[0]).max(1.0) / [10.0, 4.0, 1.0][self.dice.number(0, 2) as usize];
        let mut bands: Vec<Value> = bounds
            .iter()
            .enumerate()
            .map(|(index, below)| json!({ "name": format!("band {index}"), "below": number(*below) }))
            .collect();
        bands.push(json!({ "name": self.dice.pick(&TEXTS) }));
        let mut tag = json!({ "value": value, "bands": bands });
        if self.dice.one_in(2) {
            tag["margin"] = number(margin);
        }
        self.names.texts.push(format!("tag.{name}"));
        tag
    }

    fn stages(&mut self, family: Family, name: &str) -> Value {
        let mut stages: Vec<Value> = (0..self.dice.number(1, 4))
            .map(|index| json!({ "name": format!("stage {index}"), "when": self.tag_condition(family) }))
            .collect();
        if self.dice.one_in(2) {
            stages.push(json!({ "name": "other" }));
        }
        self.names.texts.push(format!("tag.{name}"));
        json!({ "stages": stages })
    }
}

/// Whole numbers without a point, as people write them.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 { Value::from(value as i64) } else { Value::from(value) }
}
