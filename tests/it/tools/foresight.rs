//! The tools against the engine they speak for, over random catalogs: a forecast comes true, a reason is right.

use std::collections::BTreeMap;

use tagstream::catalog::TagId;
use tagstream::cli::replay::Replay;
use tagstream::engine::{Partition, Program, Sink};
use tagstream::model::{TagChange, Timestamp, Value};

use crate::generate::{self, Case};

const SEEDS: u64 = 60;

struct Nobody;

impl Sink for Nobody {
    fn change(&mut self, _: &TagChange<'_>) {}
}

/// The first change of each tag of each user.
#[derive(Default)]
struct Firsts(BTreeMap<(String, String), (Timestamp, Option<Value>)>);

impl Sink for Firsts {
    fn change(&mut self, change: &TagChange<'_>) {
        let key = (change.key.to_owned(), change.tag.to_owned());
        self.0.entry(key).or_insert((change.at, change.value.to_value()));
    }
}

fn replayed(case: &Case) -> Option<Replay> {
    let program = Program::new(tagstream::catalog::load("case.yaml", &case.catalog).catalog?);
    let mut replay = Replay::new(program, Timestamp::from_ms(generate::NOW_MS), None);
    for line in &case.lines {
        replay.line(line, &mut Nobody);
    }
    replay.partition().clock()?;
    Some(replay)
}

fn keys(partition: &mut Partition) -> Vec<String> {
    let mut keys = Vec::new();
    partition.each_entity(|key, _| keys.push(key.to_owned()));
    keys
}

#[test]
fn what_is_foreseen_comes_true() {
    let (mut foreseen, mut silent) = (0, 0);
    for seed in 0..SEEDS {
        let Some(mut replay) = replayed(&generate::case(seed)) else { continue };
        let tags = replay.partition().program().catalog.tags.len();
        let mut expected = BTreeMap::new();
        for key in keys(replay.partition_mut()) {
            for id in (0..tags as u16).map(TagId) {
                let next = replay.partition().explain(&key, id).expect("the user is known").next;
                let name = replay.partition().program().tag(id).name.to_string();
                match next {
                    Some(next) => drop(expected.insert((key.clone(), name), (next.at, next.value))),
                    None => silent += 1,
                }
            }
        }
        let mut firsts = Firsts::default();
        replay.advance(Timestamp::MAX, &mut firsts);
        assert_eq!(firsts.0, expected, "seed {seed}");
        foreseen += expected.len();
    }
    assert!(foreseen > 100 && silent > 100, "{foreseen} foreseen, {silent} silent: the cases test little");
}

#[test]
fn every_piece_differs_when_it_says_and_not_before() {
    let mut looked = 0;
    for seed in 0..SEEDS {
        let Some(mut replay) = replayed(&generate::sharp(seed)) else { continue };
        let tags = replay.partition().program().catalog.tags.len();
        for key in keys(replay.partition_mut()).into_iter().take(2) {
            for id in (0..tags as u16).map(TagId) {
                let now = replay.partition().explain(&key, id).expect("the user is known");
                let clauses = now.sections.iter().flat_map(|section| &section.clauses).enumerate();
                for (index, clause) in clauses {
                    let Some(until) = clause.until else { continue };
                    looked += 1;
                    for (at, differs) in [(until.plus(-1), false), (until, true)] {
                        let mut later = replayed(&generate::sharp(seed)).expect("it was replayed before");
                        later.advance(at, &mut Nobody);
                        let then = later.partition().explain(&key, id).expect("the user is known");
                        let clause_then = then.sections.iter().flat_map(|section| &section.clauses).nth(index);
                        let value_then = clause_then.expect("it has the same pieces").value.clone();
                        assert_eq!(value_then != clause.value, differs, "seed {seed}, {key}, {} at {at}", clause.text);
                    }
                }
            }
        }
    }
    assert!(looked > 50, "only {looked} pieces differ: the cases test little");
}
