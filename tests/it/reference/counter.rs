//! What each event gives a counter, and a counter's value, computed from all events anew.

use std::collections::{BTreeMap, BTreeSet};

use super::catalog::{Aggregate, Counter, Input};
use super::evaluate::evaluate;
use super::expression::Name;
use super::input::Event;
use super::json::Json;
use super::number::Number;
use super::value::Value;
use super::window::Window;
use super::zone::Zone;
use super::{decimal, instant};

/// What an event gives a counter that takes it.
#[derive(Debug)]
pub struct Taken {
    pub time: i64,
    /// The place in the window that the clock had when the event was applied.
    place_of_clock: i64,
    place: i64,
    recency: i64,
    pub local_date: i64,
    /// The instant at which the window loses the event.
    pub leaves: i64,
    gift: Gift,
}

#[derive(Debug, Default)]
struct Gift {
    /// For `sum`, `avg`, `min` and `max`, in billionths.
    number: i128,
    /// The value for `last` and `first`; each different one for `distinct` and `top`.
    values: Vec<Value>,
}

/// What a name stands for in an event.
pub fn of_event(event: &Event, name: &Name) -> Value {
    match name {
        Name::Fact(name) if name == "time" => Value::Time(event.time),
        Name::Fact(name) if name == "type" => Value::Text(event.kind.clone()),
        Name::Fact(other) => panic!("no name of an event: {other}"),
        Name::Path(_) => Value::of_json(json_at(event, name)),
    }
}

/// What a path leads to, a null at its end included.
pub fn json_at<'a>(event: &'a Event, name: &Name) -> Option<&'a Json> {
    let Name::Path(steps) = name else { return None };
    steps.iter().try_fold(&event.properties, |here, step| here.member_or_null(step))
}

impl Counter {
    /// What the event gives this counter, if it takes it.
    pub fn take(&self, zone: &Zone, input: &Input, event: &Event, clock: i64) -> Option<Taken> {
        let wanted = |only| evaluate(only, &|name| of_event(event, name), clock).holds();
        if !self.on.takes(&event.kind) || !self.only.as_ref().is_none_or(wanted) {
            return None;
        }
        Some(Taken {
            time: event.time,
            place_of_clock: self.window.place(zone, clock),
            place: self.window.place(zone, event.time),
            recency: self.window.recency(zone, event.time),
            local_date: zone.day(event.time),
            leaves: self.window.leaves(zone, event.time),
            gift: self.gift(event, input)?,
        })
    }

    /// What the aggregate uses of the event, if it can use it.
    fn gift(&self, event: &Event, input: &Input) -> Option<Gift> {
        let Some(path) = &self.path else { return Some(Gift::default()) };
        let value = of_event(event, path);
        match self.aggregate {
            Aggregate::Count | Aggregate::ActiveDays => Some(Gift::default()),
            Aggregate::Sum | Aggregate::Average | Aggregate::Least | Aggregate::Greatest => {
                let Some(Json::Number(text)) = json_at(event, path) else { return None };
                Some(Gift { number: decimal::counted(text)?, values: Vec::new() })
            }
            Aggregate::Last | Aggregate::First => {
                let taken = (value.is_scalar() || matches!(value, Value::Time(_))) && input.keeps(&value);
                taken.then(|| Gift { values: vec![value], ..Gift::default() })
            }
            Aggregate::Distinct | Aggregate::Top => {
                let wanted = |value: &Value| match self.aggregate {
                    Aggregate::Top => matches!(value, Value::Text(_)) && input.keeps(value),
                    _ => value.is_scalar(),
                };
                let mut values: Vec<Value> = Vec::new();
                for value in if let Value::List(items) = value { items } else { vec![value] } {
                    if wanted(&value) && !values.contains(&value) {
                        values.push(value);
                    }
                }
                (!values.is_empty()).then(|| Gift { values, ..Gift::default() })
            }
        }
    }

    /// What the window holds at a clock.
    pub fn held<'a>(&self, zone: &Zone, taken: &'a [Taken], clock: i64) -> Vec<&'a Taken> {
        let now = self.window.place(zone, clock);
        taken.iter().filter(|one| self.window.holds(one.place, now)).collect()
    }

    /// The counter's value at a clock, `taken` being in the order of arrival.
    pub fn value(&self, zone: &Zone, taken: &[Taken], clock: i64) -> Value {
        let now = self.window.place(zone, clock);
        let held = self.held(zone, taken, clock);
        let numbers = || held.iter().map(|one| one.gift.number);
        let sum = || numbers().sum::<i128>();
        let exact = |number: i128| Value::Number(Number::Decimal(number));
        let count = |number: usize| Value::Number(Number::whole(number));
        match self.aggregate {
            Aggregate::Count => count(held.len()),
            Aggregate::Sum => exact(sum()),
            _ if held.is_empty() => match self.aggregate {
                Aggregate::Distinct | Aggregate::ActiveDays => count(0),
                _ => Value::Absent,
            },
            Aggregate::Average => Value::finite(decimal::nearest(sum()) / held.len() as f64),
            Aggregate::Least => exact(numbers().min().expect("one")),
            Aggregate::Greatest => exact(numbers().max().expect("one")),
            Aggregate::Distinct => count(distinct(&held).min(self.limit)),
            Aggregate::ActiveDays => count(held.iter().map(|one| one.local_date).collect::<BTreeSet<_>>().len()),
            // Of equal maxima the last in order of arrival is returned, of equal minima the first.
            Aggregate::Last => held.iter().max_by_key(|one| one.time).expect("one").gift.values[0].clone(),
            Aggregate::First => held.iter().min_by_key(|one| one.time).expect("one").gift.values[0].clone(),
            Aggregate::Top => top(taken, self.window, now, self.limit).map_or(Value::Absent, Value::Text),
        }
    }
}

/// How many different values there are. With a limit the most recently seen are kept, and these are in the window if
/// any others are: so the count is exact up to the limit, where it stays.
fn distinct(held: &[&Taken]) -> usize {
    let mut seen = BTreeSet::new();
    for value in held.iter().flat_map(|one| &one.gift.values) {
        seen.insert(match value {
            Value::Number(number) => format!("number {}", number.told_apart()),
            other => format!("{other:?}"),
        });
    }
    seen.len()
}

/// One sighting of a value: the value, its place in the window, and how recent it is.
type Sighting<'a> = (&'a str, i64, i64);

fn top(taken: &[Taken], window: Window, now: i64, limit: usize) -> Option<String> {
    let mut sightings: Vec<Sighting> = Vec::new();
    let texts = taken.iter().flat_map(|one| {
        let texts = one.gift.values.iter().filter_map(Value::text);
        texts.map(|text| (text, one.place, one.recency))
    });
    if texts.clone().map(|(text, ..)| text).collect::<BTreeSet<_>>().len() <= limit {
        sightings.extend(texts); // none ever had to make room
        return most_frequent(sightings, window, now);
    }
    for one in taken {
        sightings.retain(|(_, place, _)| window.holds(*place, one.place_of_clock));
        if !window.holds(one.place, one.place_of_clock) {
            continue;
        }
        for value in &one.gift.values {
            let text = value.text()?;
            let told_apart = tally(&sightings);
            if !told_apart.contains_key(text) && told_apart.len() == limit {
                let rarest = told_apart.iter().min_by_key(|(text, tally)| (**tally, std::cmp::Reverse(**text)));
                let rarest = *rarest.expect("a limit of at least one").0;
                sightings.retain(|(text, ..)| *text != rarest);
            }
            sightings.push((text, one.place, one.recency));
        }
    }
    most_frequent(sightings, window, now)
}

fn most_frequent(mut sightings: Vec<Sighting>, window: Window, now: i64) -> Option<String> {
    sightings.retain(|(_, place, _)| window.holds(*place, now));
    let tally = tally(&sightings);
    let most = tally.iter().max_by_key(|(text, tally)| (**tally, std::cmp::Reverse(**text)));
    most.map(|(text, _)| (*text).to_owned())
}

/// By value how often it was seen, and how recently at last.
fn tally<'a>(sightings: &[Sighting<'a>]) -> BTreeMap<&'a str, (usize, i64)> {
    let mut tally = BTreeMap::new();
    for (text, _, recency) in sightings {
        let (count, latest) = tally.entry(*text).or_insert((0, i64::MIN));
        *count += 1;
        *latest = i64::max(*latest, *recency);
    }
    tally
}

/// A value of type time as the path's JSON spells it, if it does.
pub fn time_of(event: &Event, path: &Name, unit_ms: i64) -> Option<i64> {
    if let Name::Fact(_) = path {
        return (path.written() == "time").then_some(event.time);
    }
    super::input::read_time(json_at(event, path)?, unit_ms).filter(|ms| instant::WRITABLE_MS.contains(ms))
}
