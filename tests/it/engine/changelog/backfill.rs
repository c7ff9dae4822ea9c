//! New counters from old events: a state that takes its history over is that of a partition that always had them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use tagstream::codec::Decoder;
use tagstream::engine::{Partition, Program, RetainedHistory, Sink, StateBackfill};
use tagstream::model::{Cause, Event, TagChange, Timestamp};

use super::compacted_log::Compacted;
use super::program;

const HEAD: &str = "version: 1\ntimezone: Europe/Berlin\ninput: { dedup: 2d }\nentities: { user: { forget_after: 20d } }\n\
    counters:\n  all: { count: [a, b] }\n";

/// What the old catalog has.
const OLD: &str = "tags:\n  all: { value: all }\n  often: { when: all >= 10, keep_for: 1d }\n  vip: { manual: {} }\n";

/// Counters of every kind, each behind a tag that shows it.
const NEW: [(&str, &str); 16] = [
    ("hits", "{ count: a, window: 3d }"),
    ("total", "{ sum: properties.x, on: [a, b] }"),
    ("mean", "{ avg: properties.x, on: b, window: 12h }"),
    ("least", "{ min: properties.x, on: a, window: 5d }"),
    ("most", "{ max: properties.x, on: a }"),
    ("kinds", "{ distinct: properties.page, on: a, window: 4d, limit: 3 }"),
    ("days", "{ active_days: [a, b], window: 10d }"),
    ("newest", "{ last: properties.page, on: b }"),
    ("oldest", "{ first: properties.page, on: b, window: 6d }"),
    ("usual", "{ top: properties.page, on: [a, b], window: 9d, limit: 4 }"),
    ("week", "{ count: a, window: { calendar: week } }"),
    ("before", "{ sum: properties.x, on: a, window: 2d, ago: 1d }"),
    ("after_b", "{ count: a, since: { on: b, where: properties.x > 0 }, window: 6d }"),
    ("sittings", "{ sessions: [a, b], gap: 6h, window: 8d }"),
    ("runs", "{ sequence: [b, a, b], within: 3d }"),
    ("lines", "{ sum: item.x * 2, on: a, each: properties.items, where: item.x > 1, window: 7d }"),
];

fn new_catalog() -> String {
    let (mut counters, mut tags) = (String::new(), String::new());
    for (name, counter) in NEW {
        writeln!(counters, "  {name}: {counter}").expect("room");
        writeln!(tags, "  {name}: {{ value: {name} }}").expect("room");
    }
    format!(
        "{HEAD}{counters}attributes:\n  plan: {{ from: b, value: properties.page }}\n{OLD}{tags}  plan: {{ value: plan }}\n  \
         young: {{ when: days_since(first_seen) < 9 }}\n"
    )
}

/// Half a year of some users: late events, repeats, commands, silences in which they are forgotten.
fn events() -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(5);
    let mut clock = 1_700_000_000_000_i64;
    let mut lines = Vec::new();
    for n in 0..6_000 {
        clock += random.i64(0..5_000_000);
        let late = if random.u8(0..8) == 0 { random.i64(0..90_000_000) } else { 0 };
        // Some are seldom there.
        let user = if random.u8(0..50) == 0 { random.usize(0..40) } else { random.usize(0..12) };
        let (x, page, id) = (random.i64(-50..50), random.usize(0..7), usize::saturating_sub(n, random.usize(0..3)));
        let (kind, properties) = match random.u8(0..200) {
            0 => ("$erase", String::new()),
            1 => ("$tag", format!(r#""tag":"vip","set":{}"#, random.bool())),
            roll => (
                if roll % 3 == 0 { "b" } else { "a" },
                format!(r#""x":{x}.25,"page":"p{page}","items":[{{"x":{page}}},{{"x":{x}}}]"#),
            ),
        };
        let at = clock - late;
        lines.push(format!(
            r#"{{"id":"e{id}","user_id":"u{user}","type":"{kind}","timestamp":{at},"properties":{{{properties}}}}}"#
        ));
    }
    lines
}

/// Changes by cause and tag.
#[derive(Default)]
struct Told(BTreeMap<(&'static str, String), usize>);

impl Sink for Told {
    fn change(&mut self, change: &TagChange<'_>) {
        *self.0.entry((change.cause.name(), change.tag.to_owned())).or_default() += 1;
    }
}

fn each(program: &Arc<Program>, lines: &[String], mut each: impl FnMut(&Event)) {
    let (mut decoder, mut event) = (Decoder::new(&program.catalog), Event::default());
    for line in lines {
        if decoder.decode(line.as_bytes(), Timestamp::from_ms(1_800_000_000_000), &mut event).is_ok() {
            each(&event);
        }
    }
}

fn feed(partition: &mut Partition, lines: &[String], told: &mut Told) {
    let program = partition.program().clone();
    each(&program, lines, |event| partition.apply(event, told));
}

/// All tags of all entities, without when they came.
fn tags(partition: &mut Partition) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    partition.each_entity(|key, tags| {
        all.insert(key.to_owned(), tags.iter().map(|tag| format!("{}={:?}", tag.tag, tag.value)).collect());
    });
    all
}

/// A state of these events under the old catalog, read back under the new one.
fn restored(lines: &[String], new: &Arc<Program>) -> (Compacted, Partition) {
    let mut old = Partition::new(program(&format!("{HEAD}{OLD}")));
    feed(&mut old, lines, &mut Told::default());
    let mut log = Compacted::default();
    log.write(&mut old);
    let state = log.restore(new).partition;
    (log, state)
}

fn settle(partition: &mut Partition, told: &mut Told) {
    let clock = partition.clock().expect("a clock");
    partition.advance(clock.plus(1_000), told);
}

#[test]
fn a_whole_history_gives_what_was_always_counted() {
    let (new, lines) = (program(&new_catalog()), events());
    let (before, after) = lines.split_at(5_000);
    let mut always = Partition::new(new.clone());
    feed(&mut always, before, &mut Told::default());
    settle(&mut always, &mut Told::default());

    let (mut log, mut state) = restored(before, &new);
    let mut rebuild = StateBackfill::new(&state, RetainedHistory::Whole, true).expect("there is something to gain");
    each(&new, before, |event| rebuild.apply(event));
    let rebuilt = state.merge_backfill(rebuild).expect("there was something");
    assert!(rebuilt.since.is_none() && rebuilt.entities > 10, "{rebuilt:?}");

    // Nothing is written yet: a crash would leave what was there.
    log.write(&mut state);
    assert!(!state.checkpoint().notes.is_empty(), "counters are complete before their entities are written");
    let mut told = Told::default();
    settle(&mut state, &mut told);
    assert!(state.owes_coverage());
    assert_eq!(tags(&mut state), tags(&mut always));
    let known = ["all", "often", "vip"];
    let repeated = told.0.keys().find(|(cause, tag)| *cause != Cause::Catalog.name() || known.contains(&&**tag));
    assert_eq!(repeated, None);
    assert!(told.0.len() >= NEW.len(), "{:?}", told.0);

    // Nor is anything lost on the way through the log.
    log.write(&mut state);
    assert!(state.checkpoint().notes.is_empty() && !state.owes_coverage());
    let mut again = log.restore(&new).partition;
    assert!(StateBackfill::new(&again, RetainedHistory::Whole, false).is_none());
    let (mut by_again, mut by_always) = (Told::default(), Told::default());
    feed(&mut again, after, &mut by_again);
    feed(&mut always, after, &mut by_always);
    assert_eq!(tags(&mut again), tags(&mut always));
    assert_eq!(by_again.0, by_always.0);
}

#[test]
fn what_is_left_of_a_history_takes_nothing_away() {
    let (new, lines) = (program(&new_catalog()), events());
    let mut always = Partition::new(new.clone());
    feed(&mut always, &lines, &mut Told::default());
    let (_, mut state) = restored(&lines, &new);
    let (entities, kept) = (state.entities(), tags(&mut state));
    let mut rebuild = StateBackfill::new(&state, RetainedHistory::Rest, true).expect("there is something to gain");
    each(&new, &lines[3_000..], |event| rebuild.apply(event));
    let since = state.merge_backfill(rebuild).expect("there was something").since.expect("a beginning");
    assert!(since < state.clock().expect("a clock").plus(-10 * 86_400_000));
    settle(&mut state, &mut Told::default());
    settle(&mut always, &mut Told::default());
    let (found, expected) = (tags(&mut state), tags(&mut always));
    assert_eq!(found.len(), entities, "nobody comes back");
    for (key, tags) in &found {
        let of = |tags: &[String], names: &[&str]| -> Vec<String> {
            let is_of = |tag: &&String| names.iter().any(|name| tag.starts_with(&format!("{name}=")));
            tags.iter().filter(is_of).cloned().collect()
        };
        // All windows lie in what is left.
        let whole = ["hits", "mean", "least", "kinds", "days", "oldest", "usual", "week", "before", "lines"];
        assert_eq!(of(tags, &whole), of(&expected[key], &whole), "{key}");
        let old = ["all", "often", "vip"];
        assert_eq!(of(tags, &old), of(&kept[key], &old), "{key}");
    }
    // What has seen more is not asked again.
    let mut again =
        StateBackfill::new(&state, RetainedHistory::Rest, false).expect("lifetime counters are never complete");
    each(&new, &lines[3_000..], |event| again.apply(event));
    assert!(again.is_futile() && state.merge_backfill(again).is_none());
}
