//! What is unknown: hand-computed answers, and chance trying whether anything is possible that the model excludes.

use serde_json::json;

use super::catalog::Catalog;
use super::counter::History;
use super::evaluate::{Scope, evaluate};
use super::expression::{Expression, Name};
use super::input::Event;
use super::number::Number;
use super::outlook::{Outlook, Stretch, Verdict, first, possible, possible_at, verdict_at, verdict_over};
use super::possible::{ENDLESS, Possible};
use super::range::May;
use super::value::Value;
use super::window::NEVER;
use super::zone::Zone;
use super::{instant, json};
use crate::generate;

const DAY_MS: i64 = 86_400_000;
/// 2024-05-01.
const CLOCK: i64 = 1_714_521_600_000;

/// Three or more, perhaps none, any sum, anything, and so on.
fn name(name: &Name) -> Possible {
    match name.written().as_str() {
        "three" => Possible::whole(Number::count(3), ENDLESS),
        "some" => Possible::whole(Number::count(0), ENDLESS),
        "sum" => Possible::numbers(ENDLESS.negated(), ENDLESS),
        "small" => Possible::numbers(Number::count(1), Number::count(2)),
        "mean" => Possible::doubles(-1e15, 1e15).or_absent(May::YES),
        "text" => Possible::any_text(),
        "thing" => Possible::any_scalar(),
        "never" => Possible::only(Value::Absent),
        "last" => Possible::times(CLOCK - 20 * DAY_MS, CLOCK - 10 * DAY_MS),
        "perhaps" => Possible::times(CLOCK - 20 * DAY_MS, CLOCK - 10 * DAY_MS).or_absent(May::YES),
        other => panic!("unknown name {other}"),
    }
}

fn in_utc<T>(ask: impl FnOnce(Outlook) -> T) -> T {
    ask(Outlook { names: &name, zone: &Zone::named("UTC") })
}

#[test]
fn an_answer_is_certain_only_where_all_values_give_it() {
    use Verdict::{Fails, Holds, Unknown};
    for (condition, expected) in [
        ("three >= 3", Holds),
        ("three >= 4", Unknown),
        ("three < 3", Fails),
        ("three * 2 >= 6", Holds),
        ("three - three >= 0", Unknown), // each by itself
        ("three + small > 3.5", Holds),
        ("some == 0", Unknown),
        ("some != 20.5", Holds),
        ("some + three == 7.5", Fails),
        ("some / 2 != 20.5", Unknown),
        ("some != 0", Unknown),
        ("some == -1", Fails),
        ("some != -1", Holds),
        ("some == 0 || some != 0", Unknown),
        ("some == 0 && three < 3", Fails),
        ("some == 0 || three >= 3", Holds),
        ("!(some == 0)", Unknown),
        ("abs(sum) >= 0", Holds),
        ("max(sum, 5) >= 5", Holds),
        ("10 / some > 0", Unknown), // by zero it is absent, and that is false
        ("10 / some < 0", Fails),
        ("10 / three > 0", Holds),
        ("10 / three <= 4", Holds),
        ("three % 5 <= 5", Holds),
        ("some % 0 >= 0", Fails),
        ("three * 1e300 >= 3e300", Unknown), // what no double holds is absent
        ("mean > 2e15", Fails),
        ("mean <= 1e12", Unknown), // as it may be absent
        ("!(mean > 2e15)", Holds),
        ("has(mean)", Unknown),
        ("has(three)", Holds),
        ("has(never)", Fails),
        ("text == 'a'", Unknown),
        ("text == 5", Fails),
        ("text.startsWith('a')", Unknown),
        ("text in ['a', 'b']", Unknown),
        ("small in [3, 4]", Fails),
        ("small in [1, 2]", Unknown),
        ("thing == 5", Unknown),
        ("thing", Unknown),
        ("thing == never", Fails),
        ("(three >= 3 ? small : sum) <= 2", Holds),
        ("(some == 0 ? small : three) >= 1", Holds),
        ("(some == 0 ? small : three) >= 3", Unknown),
        ("(some == 0) == (some == 0)", Unknown),
        ("days_since(last) >= 10", Holds),
        ("days_since(last) >= 11", Unknown),
        ("days_since(last) > 20", Fails),
        ("days_since(perhaps) >= 10", Unknown),
        ("days_since(perhaps) > 20", Fails),
        ("days_between(last, last) <= 10", Holds),
        ("days_between(last, last) >= 0", Unknown),
        ("last == last", Unknown),
        ("days_since(last) * small >= 10", Holds),
    ] {
        let found = in_utc(|names| verdict_at(&Expression::parse(condition), names, CLOCK));
        assert_eq!(found, expected, "{condition}");
    }
}

#[test]
fn answers_become_known_and_unknown_at_their_first_millisecond() {
    let next = |condition: &str, from: Verdict| {
        let condition = Expression::parse(condition);
        assert_eq!(in_utc(|names| verdict_at(&condition, names, CLOCK)), from, "{condition:?}");
        let other = |stretch| Some(in_utc(|names| verdict_over(&condition, names, stretch))? != from);
        first(CLOCK + 1, CLOCK + 10_000 * DAY_MS, &other).map(|at| at - CLOCK)
    };
    assert_eq!(next("days_since(last) >= 25", Verdict::Fails), Some(5 * DAY_MS));
    assert_eq!(next("days_since(last) >= 15", Verdict::Unknown), Some(5 * DAY_MS));
    assert_eq!(next("days_since(last) > 15", Verdict::Unknown), Some(5 * DAY_MS + 1));
    assert_eq!(next("days_since(last) <= 25", Verdict::Holds), Some(5 * DAY_MS + 1));
    // Ten to twenty days ago, and 1 to 2 a day.
    assert_eq!(next("days_since(last) * small >= 50", Verdict::Fails), Some(5 * DAY_MS));
    assert_eq!(next("days_since(last) * small < 50", Verdict::Holds), Some(5 * DAY_MS));
    // Unknown for ever, and that is found soon.
    assert_eq!(next("days_since(last) >= three * 100", Verdict::Fails), Some(280 * DAY_MS));
    assert_eq!(next("days_since(last) >= sum", Verdict::Unknown), None);
    assert_eq!(next("abs(days_since(last) - 15) + 0.5 >= some", Verdict::Unknown), None);
    assert_eq!(next("days_since(perhaps) < 40", Verdict::Unknown), Some(30 * DAY_MS));
}

fn contains(set: &Possible, value: &Value) -> bool {
    let mut with = set.clone().or(Possible::only(value.clone()));
    if let (Some(numbers), Some(own), Some(number)) = (&mut with.numbers, set.numbers, value.number()) {
        if own.whole && number.double().fract() != 0.0 {
            return false;
        }
        numbers.whole = own.whole;
    }
    with == *set
}

/// A set of values, and some that are in it.
fn draw(dice: &mut fastrand::Rng) -> (Possible, Vec<Value>) {
    let number = |least: i32, greatest: Option<i32>| {
        let value = |number: i32| Number::Decimal(i128::from(number) * super::number::UNIT);
        let most = greatest.map_or(ENDLESS, value);
        let values = [value(least), value(greatest.unwrap_or(99)), value((least + 1).min(greatest.unwrap_or(99)))];
        (Possible::numbers(value(least), most), values.map(Value::Number).to_vec())
    };
    let (set, mut values) = match dice.u32(..9) {
        0..=2 => {
            let all = ["x", "xy", "band 0", "é"].map(|text| Value::Text(text.to_owned()));
            let all = [all.as_slice(), &[Value::Bool(true), Value::Bool(false), Value::Absent]].concat();
            let only = all[dice.usize(..all.len())].clone();
            (Possible::only(only.clone()), vec![only])
        }
        3 => number(dice.i32(-2..6), None),
        4 => number(dice.i32(-2..3), Some(dice.i32(3..6))),
        5 => number(2, Some(2)),
        6 => (Possible::any_scalar(), vec![Value::Bool(true), Value::finite(-1e300), Value::Text("x".to_owned())]),
        _ => {
            let [a, b] = [dice.i64(-9..9), dice.i64(-9..9)].map(|step| CLOCK + step * 200);
            (Possible::times(a.min(b), a.max(b)), vec![Value::Time(a), Value::Time(b)])
        }
    };
    if dice.u32(..4) == 0 {
        values.push(Value::Absent);
        return (set.or_absent(May::YES), values);
    }
    (set, values)
}

#[test]
fn whatever_values_there_are_what_an_expression_gives_was_thought_possible() {
    let (mut certain, mut unknown) = (0, 0);
    for seed in 0..400 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let case = if seed % 2 == 0 { generate::case(seed) } else { generate::sharp(seed) };
        let catalog = Catalog::read(&case.catalog);
        for expression in catalog.tags.iter().flat_map(|tag| tag.kind.expressions()) {
            let mut leaves = Vec::new();
            expression.leaves(&mut leaves);
            let names: Vec<Name> = leaves.into_iter().flat_map(Expression::names).collect();
            let drawn: Vec<(Possible, Vec<Value>)> = names.iter().map(|_| draw(&mut dice)).collect();
            let index = |name: &Name| names.iter().position(|own| own == name).expect("a name");
            let sets = |name: &Name| drawn[index(name)].0.clone();
            let stretch = Stretch { from: CLOCK, to: CLOCK + dice.i64(0..3000) };
            if expression.moves_by_dates() {
                continue;
            }
            let zone = &catalog.zone;
            let outlook = Outlook { names: &sets, zone };
            let throughout = verdict_over(expression, outlook, stretch);
            let may = possible(expression, outlook, stretch);
            for _ in 0..10 {
                let clock = dice.i64(stretch.from..=stretch.to);
                let (verdict, set) = (verdict_at(expression, outlook, clock), possible_at(expression, outlook, clock));
                assert!(throughout.is_none_or(|throughout| throughout == verdict), "seed {seed}: {expression:?}");
                let chosen: Vec<Value> =
                    drawn.iter().map(|(_, values)| values[dice.usize(..values.len())].clone()).collect();
                let names = |name: &Name| chosen[index(name)].clone();
                let value = evaluate(expression, Scope { names: &names, clock, zone, numbers_in_text: false });
                assert!(contains(&set, &value), "seed {seed}: {expression:?} gives {value:?}, not {set:?}");
                assert!(!may.holds().each || set.holds().some, "seed {seed}: {expression:?}");
                assert!(!may.fails().each || set.fails().some, "seed {seed}: {expression:?}");
                *if verdict == Verdict::Unknown { &mut unknown } else { &mut certain } += 1;
            }
        }
    }
    println!("answers: {certain} certain, {unknown} unknown");
    assert!(certain > 1000 && unknown > 1000);
}

/// One counter of each kind over windows of each kind.
fn counters() -> Catalog {
    let mut yaml = json!({ "version": 1, "counters": {} });
    let aggregates = ["sum", "avg", "min", "max", "distinct", "last", "first", "top"];
    for (index, window) in ["\"2d\"", "\"36h\"", "{\"calendar\": \"week\"}", "\"lifetime\""].into_iter().enumerate() {
        let window: serde_json::Value = serde_json::from_str(window).expect("a window");
        let mut add = |name: String, aggregate: &str, of: &str| {
            let mut counter = json!({ aggregate: of, "window": window });
            if !matches!(aggregate, "count" | "active_days") {
                counter["on"] = "*".into();
            }
            yaml["counters"][name] = counter;
        };
        for aggregate in aggregates {
            add(format!("{aggregate}{index}"), aggregate, "properties.v");
        }
        add(format!("count{index}"), "count", "*");
        add(format!("last_time{index}"), "last", "time");
        add(format!("first_time{index}"), "first", "time");
        if index != 1 {
            add(format!("days{index}"), "active_days", "*");
        }
    }
    Catalog::read(&yaml.to_string())
}

#[test]
fn whatever_was_missed_what_a_counter_gives_was_thought_possible() {
    let catalog = counters();
    let zones = ["UTC", "Europe/Berlin", "Pacific/Apia", "America/Sao_Paulo"];
    let starts = ["2024-05-01T00:00:00Z", "2024-03-31T01:00:00Z", "2011-12-30T10:00:00Z", "2018-11-04T03:00:00Z"];
    let mut known = 0;
    for seed in 0..600 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let at = dice.usize(..4);
        let zone = Zone::named(zones[at]);
        let added = instant::parse(starts[at]).expect("a time") + dice.i64(-DAY_MS..DAY_MS);
        let mut event = |time: i64| {
            let v = ["1", "2.5", "-3", "\"x\"", "\"y\"", "true"][dice.usize(..6)];
            let properties = json::parse(format!("{{\"v\": {v}}}").as_bytes()).expect("JSON");
            Event { keys: vec![Some("u".to_owned())], kind: "a".to_owned(), command: None, time, id: None, properties }
        };
        let mut chance = fastrand::Rng::with_seed(seed + 1_000_000);
        let mut times = |number: usize, latest: i64| -> Vec<i64> {
            (0..number).map(|_| latest - chance.i64(0..=4 * DAY_MS)).collect()
        };
        let clock = added + times(1, 4 * DAY_MS)[0];
        let missed: Vec<Event> = times(seed as usize % 4, added).into_iter().map(&mut event).collect();
        let seen: Vec<Event> = times(seed as usize / 4 % 4, clock).into_iter().map(&mut event).collect();
        for counter in &catalog.counters {
            if clock >= counter.window.complete(&zone, added) {
                continue;
            }
            let take = |events: &[&[Event]]| {
                let mut history = History::default();
                events
                    .concat()
                    .iter()
                    .for_each(|event| counter.take(&mut history, &zone, &catalog.input, event, clock));
                history
            };
            let set = counter.possible(&zone, &take(&[&seen]), clock, Some(added));
            let value = counter.value(&zone, &take(&[&missed, &seen]), clock);
            assert!(contains(&set, &value), "seed {seed}: {} is {value:?}, not {set:?}", counter.name);
            known += usize::from(set.single().is_some());
            let change = counter.unseen_changes(&zone, &take(&[&seen]), clock, Some(added));
            assert!(change > clock && (change < NEVER || counter.name.ends_with('3')), "{}", counter.name);
        }
    }
    assert!(known > 20, "only {known} are known before their windows are over");
}
