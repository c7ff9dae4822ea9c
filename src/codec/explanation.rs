//! Explanations and values as JSON documents, as `explain` prints them and the read side answers them.

use serde_json::{Map, Value as Json, json};

use crate::engine::{Clause, ClauseForm, Explanation, IncompleteCounter, Role, Section, Wait};
use crate::model::{Number, Value};

/// Up to here every whole number is exact as a double.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// The JSON of a value, as in a tag change; null when absent.
pub fn value_document(value: Option<&Value>) -> Json {
    match value {
        None => Json::Null,
        Some(Value::Bool(b)) => (*b).into(),
        Some(Value::Number(number)) => number_document(*number),
        Some(Value::String(text)) => (&**text).into(),
        Some(Value::Time(time)) => time.to_string().into(),
        Some(Value::Date(date)) => date.to_string().into(),
    }
}

/// Integers exactly, other numbers as doubles: readers of JSON have no others.
fn number_document(number: Number) -> Json {
    let double = number.to_f64();
    match number {
        Number::Integer(integer) => integer.into(),
        Number::Decimal(decimal) if let Some(whole) = decimal.as_whole() => whole.into(),
        _ if double.fract() == 0.0 && double.abs() < WHOLE_MAX => (double as i64).into(),
        _ => double.into(),
    }
}

/// Named values as an object, in their order.
pub fn values_document(values: &[(String, Option<Value>)]) -> Map<String, Json> {
    values.iter().map(|(label, value)| (label.clone(), value_document(value.as_ref()))).collect()
}

/// Why a tag is as it is. `changes`: the tag's history, where it is known. The shape is documented in
/// `deploy/docs/tools.md`.
pub fn explanation_document(tag: &str, explanation: &Explanation, changes: Option<Json>) -> Json {
    let mut document = json!({
        "tag": tag,
        "value": value_document(explanation.value.as_ref()),
        "since": explanation.since.map(|since| since.to_string()),
    });
    if let Some(changes) = changes {
        document["changes"] = changes;
    }
    document["wait"] = explanation.wait.map(wait).into();
    document["sections"] = explanation.sections.iter().map(section).collect();
    document["unseen"] = explanation.incomplete_counters.iter().map(unseen).collect();
    let next = explanation.next.as_ref();
    document["next"] =
        next.map(|next| json!({ "at": next.at.to_string(), "value": value_document(next.value.as_ref()) })).into();
    document
}

fn wait(wait: Wait) -> Json {
    let (option, since, until) = match wait {
        Wait::For { since, until } => ("for", since, until),
        Wait::KeepFor { since, until } => ("keep_for", since, until),
        Wait::Refresh { since, until, .. } => ("refresh", since, until),
    };
    let mut document = json!({ "for": option, "since": since.to_string(), "until": until.to_string() });
    if let Wait::Refresh { score, .. } = wait {
        document["score"] = value_document(score.map(|score| Value::Number(Number::Double(score))).as_ref());
    }
    document
}

fn unseen(unseen: &IncompleteCounter) -> Json {
    json!({
        "counter": unseen.counter,
        "value": value_document(unseen.value.as_ref()),
        "since": unseen.since.to_string(),
        "complete_at": unseen.complete_at.map(|at| at.to_string()),
    })
}

fn section(section: &Section) -> Json {
    let (role, stage) = match &section.role {
        Role::When => ("when", None),
        Role::Until => ("until", None),
        Role::Value => ("value", None),
        Role::Stage(name) => ("stage", Some(name)),
        Role::Input(_) => ("input", None),
    };
    let mut document = json!({
        "role": role,
        "stage": stage,
        "clauses": section.clauses.iter().map(clause).collect::<Vec<_>>(),
        "values": values_document(&section.leaves),
    });
    if let Role::Input(name) = &section.role {
        document["input"] = name.as_str().into();
    }
    document
}

/// How far a comparison of numbers is from holding: its right operand minus its left one; `None` if it holds.
pub fn comparison_gap(clause: &Clause) -> Option<Number> {
    let ClauseForm::Comparison(_, [Some(Value::Number(left)), Some(Value::Number(right))], _) = &clause.form else {
        return None;
    };
    (clause.is_decided && clause.value != Some(Value::Bool(true))).then(|| right.minus(*left))
}

fn clause(clause: &Clause) -> Json {
    let sides = match &clause.form {
        ClauseForm::Comparison(_, [left, right], _) => {
            json!([value_document(left.as_ref()), value_document(right.as_ref())])
        }
        ClauseForm::Parts | ClauseForm::Leaf => Json::Null,
    };
    json!({
        "depth": clause.depth,
        "text": clause.text,
        "value": value_document(clause.value.as_ref()),
        "undecided": !clause.is_decided,
        "sides": sides,
        "gap": comparison_gap(clause).map(|gap| value_document(Some(&Value::Number(gap)))),
        "until": clause.until.map(|until| until.to_string()),
    })
}
