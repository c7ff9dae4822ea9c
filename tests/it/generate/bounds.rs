//! Catalogs in which most events change no tag: counts, sums, active days and last times, compared with numbers.

use serde_json::{Map, Value, json};

use super::draft::{Draft, Names};
use super::features::{Feature, Features};
use super::record::Shape;
use super::stream::Stream;
use super::{Case, yaml};

/// As [`super::case`], of such a catalog.
pub fn case_of_bounds(seed: u64) -> Case {
    let features = Features::of(&[Feature::Forgetting, Feature::Partial, Feature::Ago, Feature::WeekStarts]);
    let mut draft = Draft::new(seed ^ 0xb0d5_0000_0000, features);
    let catalog = draft.catalog_of_bounds();
    let mut stream = Stream::new(&mut draft);
    let lines = (0..draft.dice.number(40, 240)).map(|_| stream.line(&mut draft, Shape::Flat)).collect();
    let reach_ms = draft.duration().1 * draft.dice.number(0, 20);
    Case { catalog: yaml::write(&catalog), lines, until: Some(stream.latest() + reach_ms) }
}

impl Draft {
    fn catalog_of_bounds(&mut self) -> Value {
        self.names = Names::default();
        let entities = self.entities(Shape::Flat);
        let (mut counters, mut tags) = (Map::new(), Map::new());
        for index in 0..self.dice.number(2, 6) {
            let name = format!("c{index}");
            let counter = self.growing_counter(&name);
            counters.insert(name, counter);
        }
        for index in 0..self.dice.number(2, 7) {
            let tag = self.bounded_tag();
            tags.insert(format!("t{index}"), tag);
        }
        let mut catalog = json!({ "version": 1, "timezone": self.zone, "counters": counters, "tags": tags });
        if self.partial {
            catalog["history"] = "partial".into();
        }
        if !entities.is_null() {
            catalog["entities"] = entities;
        }
        catalog
    }

    fn growing_counter(&mut self, name: &str) -> Value {
        let aggregate = self.dice.pick(&["count", "count", "sum", "active_days", "last"]);
        let mut counter = match aggregate {
            "sum" => json!({ "sum": "properties.n", "on": self.types() }),
            "last" => json!({ "last": "time", "on": self.types() }),
            _ => json!({ aggregate: self.types() }),
        };
        if self.dice.one_in(4) {
            counter["where"] = self.dice.pick(&["has(properties.s)", "properties.n > 0", "properties.flag"]).into();
        }
        self.window(aggregate, &mut counter);
        let names = if aggregate == "last" { &mut self.names.times } else { &mut self.names.counts };
        names.push(name.to_owned());
        counter
    }

    fn bounded_tag(&mut self) -> Value {
        if self.dice.one_in(4) && !self.names.counts.is_empty() {
            let value = self.dice.pick(&self.names.counts);
            let bounds = [("low", 2), ("mid", 5), ("high", 20)];
            let mut bands: Vec<Value> =
                bounds.iter().map(|(name, below)| json!({ "name": name, "below": below })).collect();
            bands.push(json!({ "name": "top" }));
            return json!({ "value": value, "bands": bands });
        }
        let mut rule = json!({ "when": self.bounded_condition() });
        if self.dice.one_in(3) {
            rule["until"] = self.bounded_condition().into();
        }
        for hold in ["for", "keep_for"] {
            if self.dice.one_in(5) {
                rule[hold] = self.duration().0.into();
            }
        }
        rule
    }

    fn bounded_condition(&mut self) -> String {
        let left = self.comparison_with_bound();
        if self.dice.one_in(2) {
            return left;
        }
        format!("{left} {} {}", self.dice.pick(&["&&", "||"]), self.comparison_with_bound())
    }

    fn comparison_with_bound(&mut self) -> String {
        let op = self.dice.pick(&[">=", ">=", ">", "<", "<=", "=="]);
        if self.names.counts.is_empty() || self.dice.one_in(4) && !self.names.times.is_empty() {
            let unit = self.dice.pick(&["days", "hours", "minutes", "seconds"]);
            let time = self.dice.pick(&self.names.times);
            let length = self.length_in(unit);
            return format!("{unit}_since({time}) {op} {length}");
        }
        let counter = self.dice.pick(&self.names.counts);
        let bound = self.dice.pick(&["0", "1", "2", "3", "5", "8", "13", "0.5", "20"]);
        format!("{counter} {op} {bound}")
    }
}
