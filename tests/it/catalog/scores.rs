//! Tags with a `score`, and what they compile to.

use tagstream::catalog::{Bands, Expr, Motion, Score, TagDefinition, TagId, load};

use super::good::compiled;
use tagstream::model::{Decimal, Number};

const CATALOG: &str = "
version: 1
attributes:
  plan: { from: signup, value: properties.plan }
counters:
  purchases: { count: purchase, window: 180d }
  last_active: { last: time, on: \"*\" }
tags:
  churn:
    score:
      model: models/churn.onnx
      inputs:
        - recency: days_since(last_active)
        - rate: purchases / days_since(first_seen)
        - odd: days_since(first_seen) % 7
        - both: days_since(first_seen) * days_since(last_active)
        - same: days_since(first_seen) - days_since(last_active)
        - recent: days_since(last_active) < 30
        - gold: plan == \"gold\"
        - any: plan
        - constant: 1
      output: probability
      refresh: 12h
    bands: [{ name: low, below: 0.3 }, { name: high }]
    margin: 0.05
  plain:
    score: { model: a.onnx, inputs: [n: purchases], output: y }
  user: { when: tag.churn == \"high\" && tag.plain > 0.5 }
";

fn score(id: usize) -> Score {
    let TagDefinition::Score(score) = compiled(CATALOG).tags[id].definition.clone() else { panic!() };
    score
}

#[test]
fn a_score_has_a_model_inputs_an_output_and_a_pace() {
    let churn = score(0);
    assert_eq!(
        (&*churn.model, &*churn.output, churn.refresh_ms, churn.digest),
        ("models/churn.onnx", "probability", 43_200_000, 0)
    );
    let names: Vec<&str> = churn.inputs.iter().map(|input| &*input.name).collect();
    assert_eq!(names, ["recency", "rate", "odd", "both", "same", "recent", "gold", "any", "constant"]);
    let labels: Vec<&str> = churn.inputs[1].value.reported.iter().map(|leaf| &*leaf.label).collect();
    assert_eq!(labels, ["purchases", "days_since(first_seen)"]);
    let names = ["low".into(), "high".into()].to_vec();
    let decimal = |text| Number::Decimal(Decimal::literal(text).expect("a literal"));
    assert_eq!(churn.bands, Some(Bands { names, bounds: vec![decimal("0.3")], margin: decimal("0.05") }));
    let plain = score(1);
    assert_eq!((plain.refresh_ms, plain.bands), (86_400_000, None));
}

#[test]
fn the_clock_enters_inputs_as_a_number_that_nobody_watches() {
    let churn = score(0);
    let Expr::Compare { motion, .. } = &churn.inputs[5].value.expr else { panic!() };
    assert_eq!(*motion, Motion::Still, "no instant is looked for at which it turns");
}

#[test]
fn places_are_told_for_whoever_opens_the_models() {
    let loaded = load(CATALOG);
    let at = |span: tagstream::catalog::Span| &CATALOG[span.start..span.end];
    assert_eq!(loaded.models.len(), 2);
    let churn = &loaded.models[0];
    assert_eq!((churn.tag, at(churn.model), at(churn.output)), (TagId(0), "models/churn.onnx", "probability"));
    assert_eq!((churn.names.len(), at(churn.names[1])), (9, "rate"));
    assert!(
        at(churn.inputs).starts_with("- recency") || at(churn.inputs).starts_with("recency"),
        "{}",
        at(churn.inputs)
    );
}

#[test]
fn the_fingerprint_is_of_the_model_too() {
    let mut catalog = compiled(CATALOG);
    let before = catalog.fingerprint;
    catalog.set_model_digest(TagId(0), 7);
    assert_ne!(catalog.fingerprint, before);
    for (from, to) in
        [("refresh: 12h", "refresh: 13h"), ("output: y", "output: z"), ("- odd:", "- even:"), ("a.onnx", "b.onnx")]
    {
        assert_ne!(compiled(&CATALOG.replace(from, to)).fingerprint, before, "{from}");
    }
}
