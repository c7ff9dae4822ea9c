//! Random catalogs that their authors edit while a partition works: the same as a restart under the edited catalog, and as
//! the reference, which keeps all events, makes of it.

use std::collections::BTreeSet;

use serde_json::Value;
use tagstream::model::Timestamp;

use super::super::agreement::{NOW_MS, same};
use super::{Compacted, Driven, program};
use crate::generate::{self, Case, Feature, Features};
use crate::reference;

/// A case whose catalog is replaced by another after some of its lines.
#[derive(Clone)]
struct Edited {
    case: Case,
    to: String,
    /// How many lines come before the change.
    after: usize,
}

impl Edited {
    fn draw(seed: u64, features: Features) -> Edited {
        let (case, donor) = (generate::case_with(seed, features), generate::case_with(seed + 1_000_000, features));
        let to = generate::edited(&case, &donor, seed);
        let after = fastrand::Rng::with_seed(seed).usize(1..case.lines.len());
        Edited { case, to, after }
    }

    /// The changes, where a running partition switches or (`restarts`) one is restored from its log; `None` where it has
    /// no entity by then, so that its log is empty and begins anew.
    fn run(&self, restarts: bool) -> Option<Vec<Value>> {
        let (old, new) = (program(&self.case.catalog), program(&self.to));
        let mut driven = Driven::new(&old);
        let (before, after) = self.case.lines.split_at(self.after.min(self.case.lines.len()));
        before.iter().for_each(|line| driven.line(line, self.case.until));
        if driven.partition.entities() == 0 {
            return None;
        }
        if restarts {
            let mut log = Compacted::default();
            log.write(&mut driven.partition);
            driven.partition = log.restore(&new).partition;
        } else {
            driven.partition.switch_catalog(new.clone(), BTreeSet::new());
        }
        driven.read_by(&new);
        after.iter().for_each(|line| driven.line(line, self.case.until));
        if let Some(until) = self.case.until {
            driven.partition.advance(Timestamp::from_ms(until), &mut driven.changes);
        }
        Some(driven.changes.0)
    }

    /// What differs from a restart, or from the reference.
    fn difference(&self) -> Option<String> {
        let live = self.run(false)?;
        let restarted = self.run(true)?;
        first_difference(&live, &restarted, ["live", "restarted"]).or_else(|| {
            let lines = self.case.lines.split_at(self.after.min(self.case.lines.len()));
            let catalogs = [self.case.catalog.as_str(), self.to.as_str()];
            let found = reference::replay_changed(catalogs, lines.into(), NOW_MS, self.case.until);
            first_difference(&live, &found.changes, ["engine", "reference"])
        })
    }
}

fn first_difference(a: &[Value], b: &[Value], names: [&str; 2]) -> Option<String> {
    let told = |changes: &[Value], index: usize| changes.get(index).map_or("nothing".to_owned(), Value::to_string);
    let count = a.len().max(b.len());
    let differs = (0..count).find(|index| match (a.get(*index), b.get(*index)) {
        (Some(a), Some(b)) => !same(a, b),
        _ => true,
    });
    differs.map(|index| {
        format!("change {index}\n {:<9} {}\n {:<9} {}", names[0], told(a, index), names[1], told(b, index))
    })
}

/// Makes an edited case that fails small: its lines and its catalog, then the catalog that it changes to.
fn shrink(edited: Edited) -> Edited {
    let is_accepted = |text: &str| tagstream::catalog::load(text).catalog.is_some();
    let fails = |edited: &Edited| {
        edited.after > 0
            && is_accepted(&edited.case.catalog)
            && is_accepted(&edited.to)
            && edited.difference().is_some()
    };
    // The first line after the change is marked by its place, which moves as lines go; so try each place.
    let at_any = |case: &Case, to: &str| {
        (1..=case.lines.len())
            .map(|after| Edited { case: case.clone(), to: to.to_owned(), after })
            .find(|edited| fails(edited))
    };
    let to = edited.to.clone();
    let case = generate::shrink(edited.case.clone(), &|case| at_any(case, &to).is_some());
    let other = Case { catalog: to, ..case.clone() };
    let other = generate::shrink_catalog(other, &|other| at_any(&case, &other.catalog).is_some());
    at_any(&case, &other.catalog).unwrap_or(edited)
}

fn check(seed: u64, features: Features) -> usize {
    let edited = Edited::draw(seed, features);
    let Some(difference) = edited.difference() else { return edited.run(false).map_or(0, |changes| changes.len()) };
    let small = shrink(edited);
    let lines: Vec<_> = small.case.lines.iter().map(|line| String::from_utf8_lossy(line)).collect();
    let difference = small.difference().unwrap_or(difference);
    panic!(
        "seed {seed} (TAGSTREAM_SEED={seed} runs it alone)\n{}\nafter {} lines\n{}\n{}\nuntil {:?}\n{difference}",
        small.case.catalog,
        small.after,
        small.to,
        lines.join("\n"),
        small.case.until
    );
}

#[test]
fn a_random_edit_at_work_is_what_a_restart_and_the_reference_make_of_it() {
    // A partition here is one of users.
    let asked = Features::asked().without(Feature::Kinds);
    let mut changes = 0;
    for seed in generate::seeds(200) {
        changes += check(seed, asked);
        changes += check(seed, asked.single(seed));
    }
    assert!(changes > 0, "nothing changed");
}
