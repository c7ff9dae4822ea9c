//! Lines that coincide on a stretch of time: their verdicts hold there, and nobody is evaluated for them at every millisecond.

use tagstream::codec::Decoder;
use tagstream::engine::{Partition, Program, Sink};
use tagstream::model::{Event, TagChange, Timestamp};

const CONDITIONS: [&str; 10] = [
    "max(days_since(last_seen), 30) >= days_since(first_seen)",
    "na * days_since(a) > nb * days_since(b)",
    "na * days_since(a) >= nb * days_since(a)",
    "s * days_since(a) - 0.3 * days_since(a) > 0",
    "min(days_since(a), 14) == days_since(a)",
    "max(days_since(a), 14) - days_since(a) <= 0",
    "abs(days_since(a) - 7) + days_since(a) <= 7",
    "abs(days_until(a)) == days_since(a)",
    "(days_since(a) < 7 ? days_since(a) : 3) == days_since(a)",
    "(na == 1 ? days_since(a) : 3) <= days_since(b)",
];

const EVENTS: [&str; 2] = [
    r#"{"user_id":"u","type":"a","timestamp":"2026-01-01T00:00:00Z","properties":{"x":0.1}}"#,
    r#"{"user_id":"u","type":"b","timestamp":"2026-01-01T00:00:00Z","properties":{"x":0.2}}"#,
];

struct Silence;

impl Sink for Silence {
    fn change(&mut self, _: &TagChange<'_>) {}
}

#[test]
fn a_year_of_lines_that_coincide_takes_few_timers() {
    for condition in CONDITIONS {
        let catalog = format!(
            "version: 1\n\
             counters:\n  a: {{ last: time, on: a }}\n  b: {{ last: time, on: b }}\n  na: {{ count: a }}\n  nb: {{ count: b }}\n  \
             s: {{ sum: properties.x, on: \"*\" }}\n\
             tags:\n  z: {{ when: \"{condition}\" }}\n"
        );
        let program = Program::new(tagstream::catalog::load("catalog.yaml", &catalog).catalog.expect("a catalog"));
        let mut decoder = Decoder::new(&program.catalog);
        let mut partition = Partition::new(program);
        let mut event = Event::default();
        for line in EVENTS {
            decoder.decode(line.as_bytes(), Timestamp::MAX, &mut event).expect("an event");
            partition.apply(&event, &mut Silence);
        }
        partition.advance(event.time.plus(365 * 86_400_000), &mut Silence);
        let timers = partition.take_stats().timers;
        assert!(timers < 1_000, "{condition}: {timers} timers");
    }
}
