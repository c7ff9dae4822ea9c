//! Random audiences against a model: a rule without memory is on exactly for those for whom its condition holds.

use std::collections::BTreeSet;

use tagstream::catalog::{TagDefinition, TagId};
use tagstream::engine::StateReader;
use tagstream::serve::audience::{Audience, Selection};
use tagstream::serve::replica::ReplicaView;

use super::world::World;
use crate::generate;

fn keys(selection: &Selection) -> BTreeSet<String> {
    selection.members((0, 0)).map(|member| member.key().to_owned()).collect()
}

/// The keys of those that have a tag, found without bitmaps.
fn with_tag(view: &ReplicaView, id: TagId) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for partition in &view.partitions {
        let mut reader = partition.reader();
        for (_, state, _) in partition.states() {
            reader.open(state);
            if reader.tag(id).is_some() {
                found.insert(StateReader::key_of(state).to_owned());
            }
        }
    }
    found
}

fn check(case: &generate::Case, dice: &mut fastrand::Rng) -> usize {
    let mut world = World::new(&case.catalog);
    for line in &case.lines {
        world.driven.line(line, case.until);
    }
    let view = world.commit();
    let (catalog, kind) = (&world.compiled.catalog, world.compiled.catalog.user());
    if catalog.history == tagstream::catalog::History::Partial {
        return 0;
    }
    let mut known: Vec<(String, BTreeSet<String>)> = Vec::new();
    for (id, tag) in (0..).map(TagId).zip(&catalog.tags).filter(|(_, tag)| tag.entity == kind) {
        let TagDefinition::Rule { when, until: None, for_ms: 0, keep_for_ms: 0 } = &tag.definition else { continue };
        known.push((catalog.format_expr(&when.expr), with_tag(&view, id)));
        known.push((format!("tag.{}", tag.name), with_tag(&view, id)));
    }
    let all: BTreeSet<String> = keys(&Audience::everyone(&world.compiled, kind).select(&view));
    for _ in 0..known.len() * 3 {
        let (a, b) = (dice.choice(&known).expect("there are some"), dice.choice(&known).expect("there are some"));
        let combined = match dice.u8(..3) {
            0 => (format!("({}) && !({})", a.0, b.0), a.1.difference(&b.1).cloned().collect()),
            1 => (format!("({}) || ({})", a.0, b.0), a.1.union(&b.1).cloned().collect()),
            _ => (format!("!({})", a.0), all.difference(&a.1).cloned().collect()),
        };
        known.push(combined);
    }
    for (text, expected) in &known {
        let audience = Audience::parse(&world.compiled, kind, text);
        let audience = audience.unwrap_or_else(|problems| panic!("{text}: {problems:#?}\n{}", case.catalog));
        assert_eq!(&keys(&audience.select(&view)), expected, "{text}\n{}", case.catalog);
    }
    known.len()
}

#[test]
fn random_audiences_are_those_for_whom_the_expression_holds() {
    let mut checked = 0;
    for seed in generate::seeds(60) {
        let mut dice = fastrand::Rng::with_seed(seed);
        checked += check(&generate::case(seed), &mut dice) + check(&generate::sharp(seed), &mut dice);
    }
    assert!(checked > 100 || std::env::var("TAGSTREAM_SEED").is_ok(), "only {checked} audiences");
}
