//! The tools against the engine they speak for, over random catalogs: a forecast comes true, a reason is right.

use std::collections::BTreeMap;

use tagstream::catalog::TagId;
use tagstream::engine::{Clause, CompiledCatalog, Explanation, Role, Section, Sink};
use tagstream::model::{EntityKindId, TagChange, Timestamp, Value};
use tagstream::replay::Replay;

use crate::generate::{self, Case, Features};

const SEEDS: u64 = 60;
/// How far ahead it is looked whether what is foreseen comes true. Tags of dates change every day, without an end.
const AHEAD_MS: i64 = 800 * 86_400_000;

struct NullSink;

impl Sink for NullSink {
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
    let programs = CompiledCatalog::new(tagstream::catalog::load(&case.catalog).catalog?);
    let mut replay = Replay::new(&programs, Timestamp::from_ms(generate::NOW_MS), None);
    for line in &case.lines {
        replay.line(line, &mut NullSink);
    }
    replay.partition_set().clock()?;
    Some(replay)
}

/// Every tag of every entity: kind and key of the entity, and the tag.
fn subjects(replay: &mut Replay, entities_max: usize) -> Vec<(EntityKindId, String, TagId)> {
    let mut subjects = Vec::new();
    for (kind, partition) in (0..).map(EntityKindId).zip(replay.partition_set_mut().partitions_mut()) {
        let mut keys = Vec::new();
        partition.each_entity(|key, _| keys.push(key.to_owned()));
        let tags: Vec<TagId> = partition.program().tags.iter().map(|plan| plan.id).collect();
        let of_key = |key: String| tags.iter().map(move |tag| (kind, key.clone(), *tag));
        subjects.extend(keys.into_iter().take(entities_max).flat_map(of_key));
    }
    subjects
}

fn explained(replay: &Replay, (kind, key, tag): &(EntityKindId, String, TagId)) -> Explanation {
    replay.partition_set().partition(*kind).explain(key, *tag).expect("the entity is known")
}

/// A section's clauses with its role.
fn clauses_of(section: &Section) -> impl Iterator<Item = (&Role, &Clause)> {
    section.clauses.iter().map(|clause| (&section.role, clause))
}

#[test]
fn what_is_foreseen_comes_true() {
    let (mut foreseen, mut silent) = (0, 0);
    let cases = (0..SEEDS).flat_map(|seed| [generate::case(seed), generate::case_with(seed, Features::ALL)]);
    for (nth, case) in cases.enumerate() {
        let Some(mut replay) = replayed(&case) else { continue };
        let end = replay.partition_set().clock().expect("it has begun").plus(AHEAD_MS);
        let mut expected = BTreeMap::new();
        for subject in subjects(&mut replay, usize::MAX) {
            match explained(&replay, &subject).next.filter(|next| next.at <= end) {
                Some(next) => {
                    let (kind, key, tag) = subject;
                    let name = replay.partition_set().partition(kind).program().tag(tag).name.to_string();
                    expected.insert((key, name), (next.at, next.value));
                }
                None => silent += 1,
            }
        }
        let mut firsts = Firsts::default();
        replay.advance(end, &mut firsts);
        assert_eq!(firsts.0, expected, "case {nth}");
        foreseen += expected.len();
    }
    assert!(foreseen > 100 && silent > 100, "{foreseen} foreseen, {silent} silent: the cases test little");
}

#[test]
fn every_piece_differs_when_it_says_and_not_before() {
    let mut looked = 0;
    let cases = |seed| [generate::sharp(seed), generate::sharp_with(seed, Features::ALL)];
    for (nth, case) in (0..SEEDS).flat_map(cases).enumerate() {
        let Some(mut replay) = replayed(&case) else { continue };
        for subject in subjects(&mut replay, 2) {
            let now = explained(&replay, &subject);
            for (index, (role, clause)) in now.sections.iter().flat_map(clauses_of).enumerate() {
                let Some(until) = clause.until else { continue };
                looked += 1;
                for (at, differs) in [(until.plus(-1), false), (until, true)] {
                    let mut later = replayed(&case).expect("it was replayed before");
                    later.advance(at, &mut NullSink);
                    let then = explained(&later, &subject);
                    let clause_then = then.sections.iter().flat_map(|section| &section.clauses).nth(index);
                    let clause_then = clause_then.expect("it has the same pieces");
                    let is_truth = *role != Role::Value || matches!(clause.value, Some(Value::Bool(_)));
                    // For a number that moves with the clock no forecast says when it changes.
                    let moves = !is_truth && (clause.text.contains("_since(") || clause.text.contains("_until("));
                    let is_decided = clause_then.is_decided != clause.is_decided;
                    let is_other = is_decided || !moves && clause_then.value != clause.value;
                    assert_eq!(is_other, differs, "case {nth}, {subject:?}, {} at {at}", clause.text);
                }
            }
        }
    }
    assert!(looked > 50, "only {looked} pieces differ: the cases test little");
}
