//! The fingerprint of a catalog: it stands in changelogs and snapshots, so no release may give a catalog another one.

use super::good::compiled;

#[test]
fn the_fingerprints_of_known_catalogs_stay() {
    let known = [
        ("spec", include_str!("good/spec.yaml"), 0x4966_5bbc_0901_0260),
        ("everything", include_str!("good/everything.yaml"), 0xea1b_7701_32f9_1c64),
        ("entities", include_str!("good/entities.yaml"), 0x92f2_c8b7_a723_fe23),
        ("expressions", EXPRESSIONS, 0xe4de_c2bf_4335_af3a),
    ];
    let found = known.map(|(name, text, _)| (name, compiled(text).fingerprint));
    let expected = known.map(|(name, _, fingerprint)| (name, fingerprint));
    assert_eq!(found, expected);
}

/// Every sort of expression, tag and rule of the input.
const EXPRESSIONS: &str = r#"
version: 1
timezone: Asia/Kathmandu
history: partial
input:
  key: /who/id
  type: /what
  properties: ""
  time_unit: s
  dedup: 1h
entities:
  user: { forget_after: 400d }
  shop: { key: /shop }
attributes:
  plan: { from: [signup, change], value: properties.plan, type: string }
  age: { from: "*", value: 'properties["how old"]', type: number, where: 'type != "x" && properties.ok' }
  until: { from: change, value: properties.until, type: time }
  seen: { from: change, value: time }
  what: { from: change, value: type }
counters:
  n: { count: "*", window: 30d, where: "properties.a.b in [1, -2.5, 1e300] || 'x' in properties.list" }
  of_shop: { avg: properties.amount, on: buy, calendar: week, entity: shop }
  last: { last: time, on: buy }
  top: { top: properties.page, on: buy, window: lifetime, limit: 7 }
  late: { sum: properties.amount, on: buy, window: 1h, where: "days_between(time, time) < 1" }
tags:
  rule:
    when: days_since(last) - 2 * hours_until(until) > abs(n) && !(plan.startsWith("a\"é\n") || tag.set == "x")
    until: 'has(age) ? n > 3 : seen <= first_seen'
    for: 1h
    keep_for: 2d
  number: { value: "n % 3 - -n / 2 + min(n, 4) * max(n, 5)", bands: [{ name: a, below: 0.1 }, { name: b }], margin: 0.05 }
  text: { value: what }
  stage: { stages: [{ name: a, when: n >= 1 }, { name: b }] }
  score: { score: { model: a.onnx, inputs: [x: minutes_since(last_seen), y: "plan.contains(what)"], output: y } }
  set: { manual: { valid_for: 3d } }
  shops: { when: of_shop != 4, entity: shop }
"#;
