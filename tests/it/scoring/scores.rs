//! What models score, compared with what Python's ONNX Runtime says (`models/make.py` writes its scores down).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tagstream::catalog::{Catalog, TagId, TagKind, load};
use tagstream::engine::{ModelTally, ScoreModel};
use tagstream::scoring::{Models, Patience, Place, Scorer};

use super::runtime::library;

const SCORES: &str = include_str!("models/scores.txt");

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/scoring/models")
}

/// A catalog whose one tag is a model's score.
fn catalog(model: &str, inputs: &[&str], output: &str) -> Catalog {
    let inputs: Vec<String> = inputs.iter().map(|name| format!("{name}: visits")).collect();
    let text = format!(
        "version: 1\ncounters: {{ visits: {{ count: visit }} }}\ntags:\n  t: {{ score: {{ model: {model}, \
         inputs: [{}], output: {output} }} }}\n",
        inputs.join(", ")
    );
    load("catalog.yaml", &text).catalog.unwrap_or_else(|| panic!("{text}"))
}

fn open(library: &Path, catalog: &mut Catalog) -> Arc<Scorer> {
    let models = Models::load(catalog, &folder(), Some(library), Patience::Endless);
    Arc::clone(models.unwrap_or_else(|unfit| panic!("{unfit:?}")).of(TagId(0)).unwrap())
}

fn output(model: &str) -> &'static str {
    match model {
        "linear" => "variable",
        "fragile" => "y",
        _ => "probability",
    }
}

/// The rows of a model and their scores.
fn golden(model: &str) -> Vec<(Vec<f64>, f64)> {
    let line = |line: &str| {
        let (row, score) = line.split_once(" = ").unwrap();
        let row = row.strip_prefix(model)?.strip_prefix(' ')?;
        Some((row.split(' ').map(|number| number.parse().unwrap()).collect(), score.parse().unwrap()))
    };
    SCORES.lines().filter_map(line).collect()
}

fn same(found: f64, expected: f64) -> bool {
    found.is_nan() && expected.is_nan() || (found - expected).abs() < 1e-6 * expected.abs().max(1.0)
}

#[test]
fn scores_are_pythons() {
    let Some(library) = library() else { return };
    for model in ["logistic", "double", "imputed", "forest", "columns", "linear", "one_row"] {
        let mut catalog = catalog(&format!("{model}.onnx"), &["recency", "visits", "spend"], output(model));
        let scorer = open(&library, &mut catalog);
        let golden = golden(model);
        assert_eq!(golden.len(), 5, "{model}");
        let rows: Vec<f64> = golden.iter().flat_map(|(row, _)| row.clone()).collect();
        let (mut together, mut alone) = (Vec::new(), Vec::new());
        scorer.score(&rows, &mut together);
        assert_eq!(together.len(), golden.len());
        for ((row, expected), found) in golden.iter().zip(together) {
            assert!(same(found.unwrap(), *expected), "{model} {row:?}: {found:?}, not {expected}");
            scorer.score(row, &mut alone);
            assert_eq!(alone[0].map(f64::to_bits), found.map(f64::to_bits), "{model} {row:?}: not as in company");
        }
        assert_eq!(scorer.tally(), ModelTally { scored: 10, ..ModelTally::default() });
    }
}

#[test]
fn inputs_go_by_name_where_the_model_has_names() {
    let Some(library) = library() else { return };
    let scorer = open(&library, &mut catalog("columns.onnx", &["spend", "recency", "visits"], "probabilities"));
    let mut scores = Vec::new();
    scorer.score(&[3.0, 1.0, 2.0], &mut scores);
    assert!(same(scores[0].unwrap(), 0.917_707_3), "{scores:?}");
}

#[test]
fn a_score_is_written_as_short_as_the_model_means_it() {
    let Some(library) = library() else { return };
    let scorer = open(&library, &mut catalog("fragile.onnx", &["x"], "y"));
    let mut scores = Vec::new();
    scorer.score(&[2.0, 1.0], &mut scores);
    assert_eq!(scores, [Some(0.7), Some(0.5)]);
}

#[test]
fn many_rows_and_a_model_that_fails_on_some() {
    let Some(library) = library() else { return };
    let scorer = open(&library, &mut catalog("fragile.onnx", &["x"], "y"));
    let rows: Vec<f64> = (0..600).map(|index| if index == 300 { 3.0 } else { f64::from(index % 3) }).collect();
    let mut scores = Vec::new();
    scorer.score(&rows, &mut scores);
    let expected: Vec<Option<f64>> =
        rows.iter().map(|row| [Some(0.25), Some(0.5), Some(0.7), None][*row as usize]).collect();
    assert_eq!(scores, expected);
    assert_eq!(scorer.tally(), ModelTally { scored: 599, failed: 1, ..ModelTally::default() });
}

#[test]
fn several_workers_share_a_model() {
    let Some(library) = library() else { return };
    let scorer = open(&library, &mut catalog("forest.onnx", &["recency", "visits", "spend"], "probability"));
    let golden = golden("forest");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut scores = Vec::new();
                for (row, expected) in golden.iter().cycle().take(500) {
                    scorer.score(row, &mut scores);
                    assert!(same(scores[0].unwrap(), *expected));
                }
            });
        }
    });
    assert_eq!(scorer.tally().scored, 2_000);
}

#[test]
fn another_model_is_another_meaning() {
    let Some(library) = library() else { return };
    let inputs = ["recency", "visits", "spend"];
    let (mut a, mut b) =
        (catalog("logistic.onnx", &inputs, "probability"), catalog("logistic.onnx", &inputs, "probability"));
    let before = a.fingerprint;
    open(&library, &mut a);
    assert_ne!(a.fingerprint, before, "what is in the file enters");
    open(&library, &mut b);
    assert_eq!(a.fingerprint, b.fingerprint);
    let TagKind::Score(score) = &a.tags[0].kind else { panic!() };
    assert_ne!(score.digest, 0);
}

#[test]
fn what_is_wrong_is_wrong_about_something() {
    let Some(library) = library() else { return };
    let mut catalog = catalog("columns.onnx", &["recency", "visit", "spend"], "label");
    let unfit = Models::load(&mut catalog, &folder(), Some(&library), Patience::Endless).unwrap_err();
    let places: Vec<Place> = unfit.iter().map(|unfit| unfit.misfit.place).collect();
    assert_eq!(places, [Place::Inputs, Place::Input(1), Place::Output]);
}
