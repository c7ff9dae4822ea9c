//! Random catalogs and streams: every change of the engine is one of the reference's, in the same order.

use std::collections::HashSet;

use serde_json::Value;
use tagstream::codec::write_change;
use tagstream::engine::{CompiledCatalog, Sink};
use tagstream::model::{TagChange, Timestamp};
use tagstream::replay::{LineOutcome, Replay};

use crate::generate::{self, Case, Features};
use crate::reference;

/// The wall clock of the random streams.
pub const NOW_MS: i64 = generate::NOW_MS;

/// Line and reason.
pub type Rejects = Vec<(usize, String)>;

/// Changes without what only the engine knows, and the ids that they had.
#[derive(Default)]
pub struct Collected(pub Vec<Value>, pub Vec<String>);

impl Sink for Collected {
    fn change(&mut self, change: &TagChange<'_>) {
        let mut line = Vec::new();
        write_change(change, &mut line);
        let mut value = reference::exact(&line);
        let object = value.as_object_mut().expect("a change is an object");
        let id = object.shift_remove("id").expect("a change has an id");
        self.1.push(id.as_str().expect("an id is a text").to_owned());
        object.shift_remove("catalog");
        self.0.push(value);
    }
}

/// What the engine makes of a case: changes, and rejects as (line, reason).
pub fn run_engine(case: &Case, now_ms: i64) -> Result<(Vec<Value>, Rejects), String> {
    let loaded = tagstream::catalog::load(&case.catalog);
    let catalog = loaded.catalog.ok_or_else(|| format!("the catalog is refused: {:#?}", loaded.problems))?;
    let programs = CompiledCatalog::new(catalog);
    let mut replay = Replay::new(&programs, Timestamp::from_ms(now_ms), case.until.map(Timestamp::from_ms));
    let mut changes = Collected::default();
    let mut rejects = Vec::new();
    for (index, line) in case.lines.iter().enumerate() {
        if let LineOutcome::Rejected(reject) = replay.line(line, &mut changes) {
            rejects.push((index + 1, reject.code().to_owned()));
        }
    }
    replay.finish(&mut changes);
    let Collected(changes, ids) = changes;
    let mut before = HashSet::new();
    if let Some(twice) = ids.iter().position(|id| !before.insert(id)) {
        return Err(format!("another change has the id of {}", changes[twice]));
    }
    Ok((changes, rejects))
}

/// The number of changes, on which both agree, or what differs.
pub fn compare(case: &Case, now_ms: i64) -> Result<usize, String> {
    let expected = reference::replay(&case.catalog, &case.lines, now_ms, case.until);
    let (changes, rejects) = run_engine(case, now_ms)?;
    let expected_rejects: Rejects =
        expected.rejects.iter().map(|reject| (reject.line, reject.reason.to_owned())).collect();
    if rejects != expected_rejects {
        return Err(format!("rejects\n engine    {rejects:?}\n reference {expected_rejects:?}"));
    }
    for (index, pair) in changes.iter().zip(&expected.changes).enumerate() {
        if !same(pair.0, pair.1) {
            return Err(format!("change {index}\n engine    {}\n reference {}", pair.0, pair.1));
        }
    }
    let (ours, theirs) = (changes.len(), expected.changes.len());
    if ours != theirs {
        let next = changes.get(theirs).or_else(|| expected.changes.get(ours));
        return Err(format!("the engine has {ours} changes, the reference {theirs}; the first more: {next:?}"));
    }
    Ok(ours)
}

/// Equality of JSON with numbers compared as integers, where both are, else as doubles.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) if a.is_i64() && b.is_i64() => a == b,
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.0 == y.0 && same(x.1, y.1))
        }
        _ => a == b,
    }
}

fn check(family: &str, seed: u64, make: impl Fn(u64) -> Case) {
    let case = make(seed);
    if compare(&case, NOW_MS).is_ok() {
        return;
    }
    // A catalog that lost what it needs is refused, which is another failure.
    let is_accepted = |case: &Case| tagstream::catalog::load(&case.catalog).catalog.is_some();
    let was_accepted = is_accepted(&case);
    let small = generate::shrink(case, &|case| is_accepted(case) == was_accepted && compare(case, NOW_MS).is_err());
    let lines: Vec<_> = small.lines.iter().map(|line| String::from_utf8_lossy(line)).collect();
    panic!(
        "{family} seed {seed} (TAGSTREAM_SEED={seed} runs it alone)\n{}\n{}\n{}",
        small.catalog,
        lines.join("\n"),
        compare(&small, NOW_MS).err().unwrap_or_default()
    );
}

const SEEDS: u64 = 600;

#[test]
fn random_catalogs_agree_with_the_reference() {
    for seed in generate::seeds(SEEDS) {
        check("case", seed, generate::case);
    }
}

#[test]
fn random_catalogs_of_bounds_agree_with_the_reference() {
    for seed in generate::seeds(SEEDS) {
        check("case of bounds", seed, generate::case_of_bounds);
    }
}

#[test]
fn random_clock_terms_agree_with_the_reference() {
    for seed in generate::seeds(SEEDS) {
        check("sharp", seed, generate::sharp);
    }
}

#[test]
fn random_catalogs_with_features_agree_with_the_reference() {
    let asked = Features::asked();
    for seed in generate::seeds(SEEDS) {
        check("case with features", seed, |seed| generate::case_with(seed, asked));
    }
}

#[test]
fn random_catalogs_with_one_feature_agree_with_the_reference() {
    let asked = Features::asked();
    for seed in generate::seeds(SEEDS) {
        check("case with one feature", seed, |seed| generate::case_with(seed, asked.single(seed)));
        check("sharp with one feature", seed, |seed| generate::sharp_with(seed, asked.single(seed)));
    }
}

#[test]
fn random_clock_terms_with_features_agree_with_the_reference() {
    let asked = Features::asked();
    for seed in generate::seeds(SEEDS) {
        check("sharp with features", seed, |seed| generate::sharp_with(seed, asked));
    }
}

/// The same tags with others between them, so many that no two are looked at together when an entity is due.
fn crowded(mut case: Case) -> Case {
    const BETWEEN: usize = 40;
    let (before, tags) = case.catalog.split_once("\ntags:\n").expect("the generator writes tags last");
    let mut catalog = format!("{before}\ntags:\n");
    for (number, tag) in tags.lines().enumerate() {
        catalog += &format!("{tag}\n");
        (0..BETWEEN).for_each(|more| catalog += &format!("  quiet_{number}_{more}: {{ manual: true }}\n"));
    }
    case.catalog = catalog;
    case
}

#[test]
fn random_catalogs_of_many_tags_agree_with_the_reference() {
    for seed in generate::seeds(SEEDS).step_by(10) {
        check("crowded case", seed, |seed| crowded(generate::case(seed)));
        check("crowded sharp", seed, |seed| crowded(generate::sharp_with(seed, Features::asked())));
    }
}
