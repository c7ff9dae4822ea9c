//! Expressions back as text: a catalog whose expressions are written anew computes what it did before.

use serde_json::Value;
use tagstream::catalog::{Catalog, TagDefinition};

use crate::engine::agreement::run_engine;
use crate::generate::{self, Case};

const SEEDS: u64 = 150;

/// The catalog with every expression of its tags as [`Catalog::written`] writes it.
fn rewritten(text: &str, catalog: &Catalog) -> String {
    let mut file: Value = serde_saphyr::from_str(text).expect("the catalog is YAML");
    for tag in &catalog.tags {
        let raw = &mut file["tags"][&*tag.name];
        match &tag.definition {
            TagDefinition::Rule { when, until, .. } => {
                raw["when"] = catalog.format_expr(&when.expr).into();
                if let Some(until) = until {
                    raw["until"] = catalog.format_expr(&until.expr).into();
                }
            }
            TagDefinition::Manual { .. } | TagDefinition::Score(_) => {}
            TagDefinition::Value { value, .. } => raw["value"] = catalog.format_expr(&value.expr).into(),
            TagDefinition::Stages(stages) => {
                for (index, stage) in stages.iter().enumerate() {
                    if let Some(when) = &stage.when {
                        raw["stages"][index]["when"] = catalog.format_expr(&when.expr).into();
                    }
                }
            }
        }
    }
    file.to_string()
}

fn check(seed: u64, case: &Case) -> usize {
    let load = |text: &str| tagstream::catalog::load(text);
    let catalog = load(&case.catalog).catalog.expect("the case has a catalog");
    let again = Case { catalog: rewritten(&case.catalog, &catalog), lines: case.lines.clone(), until: case.until };
    let loaded = load(&again.catalog);
    assert!(loaded.catalog.is_some(), "seed {seed}: {}\n{:#?}", again.catalog, loaded.problems);
    let changes = |case| run_engine(case, generate::NOW_MS).unwrap();
    let (before, after) = (changes(case), changes(&again));
    assert_eq!(before, after, "seed {seed}\n{}\n{}", case.catalog, again.catalog);
    before.0.len()
}

#[test]
fn expressions_written_anew_mean_the_same() {
    let changes: usize = (0..SEEDS)
        .flat_map(|seed| [(seed, generate::case(seed)), (seed, generate::sharp(seed))])
        .map(|(seed, case)| check(seed, &case))
        .sum();
    assert!(changes > 1_000, "only {changes} changes: the cases test little");
}
