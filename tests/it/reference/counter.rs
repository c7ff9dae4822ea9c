//! What each event gives a counter, and a counter's value, computed from all events anew.

use std::collections::{BTreeMap, BTreeSet};

use super::catalog::{Aggregate, Counter, Input, Operand, Step};
use super::evaluate::{Scope, evaluate};
use super::expression::{Expression, Name};
use super::input::Event;
use super::instant;
use super::json::Json;
use super::number::{self, Number};
use super::value::Value;
use super::window::Window;
use super::zone::Zone;

/// More elements of an event do not count.
const ELEMENTS_MAX: usize = 1000;

/// All that a counter remembers of an entity's events.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// In the order of arrival, since the latest reset.
    pub taken: Vec<Taken>,
    /// The time of the latest reset.
    pub reset: Option<i64>,
    /// The greatest time of the events of its sessions, or of those that matched a step.
    greatest: Option<i64>,
    /// Since the last completion, the time of each event that matched a step and was not passed over, with these steps.
    matched: Vec<(i64, Vec<bool>)>,
}

/// What an event gives a counter that takes it.
#[derive(Clone, Debug)]
pub struct Taken {
    pub time: i64,
    /// The clock when the event was applied.
    clock: i64,
    /// The place in the window that the clock had when the event was applied.
    place_of_clock: i64,
    place: i64,
    recency: i64,
    pub local_date: i64,
    /// The instants at which the window gains and loses the event.
    pub enters: i64,
    pub leaves: i64,
    gift: Gift,
}

#[derive(Clone, Debug, Default)]
struct Gift {
    /// For `sum`, `avg`, `min` and `max`.
    units: i128,
    /// The value for `last` and `first`; each different one for `distinct` and `top`.
    values: Vec<Value>,
}

/// What a condition or an aggregate can read: an event, and one of its elements.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub event: &'a Event,
    pub item: Option<&'a Json>,
    pub zone: &'a Zone,
    pub input: &'a Input,
}

impl<'a> Subject<'a> {
    /// What a path leads to, a null at its end included.
    pub fn json(&self, name: &Name) -> Option<&'a Json> {
        let (root, steps) = match name {
            Name::Path(steps) => (&self.event.properties, steps),
            Name::Item(steps) => (self.item?, steps),
            Name::Fact(_) | Name::Share(_) => return None,
        };
        steps.iter().try_fold(root, |here, step| here.member_or_null(step))
    }

    /// What a name stands for.
    pub fn value(&self, name: &Name) -> Value {
        match name {
            Name::Fact(name) if name == "time" => Value::Time(self.event.time),
            Name::Fact(name) if name == "type" => Value::Text(self.event.kind.clone()),
            Name::Path(_) | Name::Item(_) => Value::of_json(self.json(name)),
            other => panic!("no name of an event: {other:?}"),
        }
    }

    pub fn evaluate(&self, expression: &Expression) -> Value {
        let names = |name: &Name| self.value(name);
        let (clock, zone, numbers_in_text) = (self.event.time, self.zone, self.input.numbers_in_text);
        evaluate(expression, Scope { names: &names, clock, zone, numbers_in_text })
    }

    pub fn passes(&self, only: Option<&Expression>) -> bool {
        only.is_none_or(|only| self.evaluate(only).holds())
    }

    fn matches(&self, step: &Step) -> bool {
        step.on.takes(&self.event.kind) && self.passes(step.only.as_ref())
    }
}

impl Counter {
    /// Takes the event in, if it counts.
    pub fn take(&self, history: &mut History, zone: &Zone, input: &Input, event: &Event, clock: i64) {
        let subject = Subject { event, item: None, zone, input };
        if self.since.as_ref().is_some_and(|reset| subject.matches(reset))
            && history.reset.is_none_or(|reset| event.time >= reset)
        {
            history.reset = Some(event.time);
            history.taken.clear();
        }
        if history.reset.is_some_and(|reset| event.time < reset) {
            return;
        }
        let gifts: Vec<Gift> = match self.aggregate {
            Aggregate::Sequence => self.complete_a_sequence(history, subject).then(Gift::default).into_iter().collect(),
            _ if !self.on.takes(&event.kind) => return,
            Aggregate::Sessions if !subject.passes(self.only.as_ref()) => return,
            Aggregate::Sessions => {
                let begins = history.greatest.is_none_or(|greatest| event.time > greatest + self.gap_ms);
                history.greatest = history.greatest.max(Some(event.time));
                begins.then(Gift::default).into_iter().collect()
            }
            _ => self.gifts(subject),
        };
        history.taken.extend(gifts.into_iter().map(|gift| self.taken(zone, event.time, clock, gift)));
    }

    fn taken(&self, zone: &Zone, time: i64, clock: i64, gift: Gift) -> Taken {
        Taken {
            time,
            clock,
            place_of_clock: self.window.place(zone, clock),
            place: self.window.place(zone, time),
            recency: self.window.recency(zone, time),
            local_date: zone.day(time),
            enters: self.window.enters(zone, time),
            leaves: self.window.leaves(zone, time),
            gift,
        }
    }

    /// What a counter that takes the same events, with whatever window, makes of this one's history, of which the events
    /// before an instant are gone.
    pub fn adopted(&self, zone: &Zone, history: &History, from: i64) -> History {
        let held = history.taken.iter().filter(|one| one.time >= from);
        let taken = held.map(|one| self.taken(zone, one.time, one.clock, one.gift.clone())).collect();
        History { taken, ..history.clone() }
    }

    /// Whether with this event all steps were taken in order.
    fn complete_a_sequence(&self, history: &mut History, subject: Subject) -> bool {
        let steps: Vec<bool> = self.steps.iter().map(|step| subject.matches(step)).collect();
        let time = subject.event.time;
        if !steps.contains(&true) || history.greatest.is_some_and(|greatest| time < greatest) {
            return false;
        }
        history.greatest = Some(time);
        history.matched.push((time, steps));
        // From the last step to the first, each the latest possible: so the first is the latest possible, too.
        let mut place = history.matched.len();
        for step in (0..self.steps.len()).rev() {
            let before = &history.matched[..place];
            let found = if step + 1 == self.steps.len() {
                before.len().checked_sub(1).filter(|last| before[*last].1[step])
            } else {
                before.iter().rposition(|(_, steps)| steps[step])
            };
            match found {
                Some(found) => place = found,
                None => return false,
            }
        }
        let completes = time - history.matched[place].0 <= self.gap_ms;
        if completes {
            history.matched.clear();
        }
        completes
    }

    /// What the event, or each of its elements, gives.
    fn gifts(&self, subject: Subject) -> Vec<Gift> {
        let elements: Vec<Subject> = match &self.each {
            None => vec![subject],
            Some(each) => match subject.json(each) {
                Some(Json::Array(items)) => {
                    items.iter().take(ELEMENTS_MAX).map(|item| Subject { item: Some(item), ..subject }).collect()
                }
                _ => Vec::new(),
            },
        };
        let wanted = elements.into_iter().filter(|element| element.passes(self.only.as_ref()));
        wanted.filter_map(|element| self.gift(element)).collect()
    }

    /// What the aggregate uses of the event or element, if it can use it.
    fn gift(&self, subject: Subject) -> Option<Gift> {
        let path = match &self.operand {
            Operand::Nothing => return Some(Gift::default()),
            Operand::Expression(expression) => {
                let value = subject.evaluate(expression);
                let value = if subject.input.numbers_in_text { value.read_as_number() } else { value };
                return Some(Gift { units: value.number()?.counted()?, values: Vec::new() });
            }
            Operand::Path(path) => path,
        };
        let value = subject.value(path);
        match self.aggregate {
            Aggregate::Count | Aggregate::ActiveDays | Aggregate::Sessions | Aggregate::Sequence => {
                panic!("{} takes a path", self.name)
            }
            Aggregate::Sum | Aggregate::Average | Aggregate::Least | Aggregate::Greatest => {
                let text = match subject.json(path)? {
                    Json::Number(text) => text.clone(),
                    Json::Text(text) if subject.input.numbers_in_text => match super::json::parse_exact(text)? {
                        Json::Number(text) => text,
                        _ => return None,
                    },
                    _ => return None,
                };
                Some(Gift { units: number::units(&text)?, values: Vec::new() })
            }
            Aggregate::Last | Aggregate::First => {
                let taken = (value.is_scalar() || matches!(value, Value::Time(_))) && subject.input.keeps(&value);
                taken.then(|| Gift { values: vec![value], ..Gift::default() })
            }
            Aggregate::Distinct | Aggregate::Top => {
                let wanted = |value: &Value| match self.aggregate {
                    Aggregate::Top => matches!(value, Value::Text(_)) && subject.input.keeps(value),
                    _ => value.is_scalar(),
                };
                let mut values: Vec<Value> = Vec::new();
                for value in if let Value::List(items) = value { items } else { vec![value] } {
                    if wanted(&value) && !values.iter().any(|known| known.equals(&value) == Some(true)) {
                        values.push(value);
                    }
                }
                (!values.is_empty()).then(|| Gift { values, ..Gift::default() })
            }
        }
    }

    /// What the window holds at a clock.
    pub fn held<'a>(&self, zone: &Zone, history: &'a History, clock: i64) -> Vec<&'a Taken> {
        let now = self.window.place(zone, clock);
        history.taken.iter().filter(|one| self.window.holds(one.place, now)).collect()
    }

    /// The counter's value at a clock.
    pub fn value(&self, zone: &Zone, history: &History, clock: i64) -> Value {
        let now = self.window.place(zone, clock);
        let held = self.held(zone, history, clock);
        let units = || held.iter().map(|one| one.gift.units);
        let number = Value::Number;
        match self.aggregate {
            Aggregate::Count | Aggregate::Sessions | Aggregate::Sequence => number(Number::count(held.len())),
            Aggregate::Sum => number(Number::Decimal(units().sum())),
            _ if held.is_empty() => match self.aggregate {
                Aggregate::Distinct | Aggregate::ActiveDays => number(Number::count(0)),
                _ => Value::Absent,
            },
            Aggregate::Average => Value::finite(Number::Decimal(units().sum()).double() / held.len() as f64),
            Aggregate::Least => number(Number::Decimal(units().min().expect("one"))),
            Aggregate::Greatest => number(Number::Decimal(units().max().expect("one"))),
            Aggregate::Distinct => number(Number::count(distinct(&held).min(self.limit))),
            Aggregate::ActiveDays => {
                number(Number::count(held.iter().map(|one| one.local_date).collect::<BTreeSet<_>>().len()))
            }
            // Of equal maxima the last in order of arrival is returned, of equal minima the first.
            Aggregate::Last => held.iter().max_by_key(|one| one.time).expect("one").gift.values[0].clone(),
            Aggregate::First => held.iter().min_by_key(|one| one.time).expect("one").gift.values[0].clone(),
            Aggregate::Top => top(&history.taken, self.window, now, self.limit).map_or(Value::Absent, Value::Text),
        }
    }
}

/// How many different values there are. With a limit the most recently seen are kept, and these are in the window if
/// any others are: so the count is exact up to the limit, where it stays.
fn distinct(held: &[&Taken]) -> usize {
    let mut seen: Vec<&Value> = Vec::new();
    for value in held.iter().flat_map(|one| &one.gift.values) {
        if !seen.iter().any(|known| known.equals(value) == Some(true)) {
            seen.push(value);
        }
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
pub fn time_of(subject: Subject, path: &Name) -> Option<i64> {
    if let Name::Fact(_) = path {
        return (path.written() == "time").then_some(subject.event.time);
    }
    let found = super::input::read_time(subject.json(path)?, subject.input, subject.zone);
    found.filter(|ms| instant::WRITABLE_MS.contains(ms))
}
