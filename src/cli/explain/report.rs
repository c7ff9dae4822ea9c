//! A user's tags explained: as text for people, and as JSON.

use std::fmt::Write;

use serde_json::{Map, Value as Json, json};

use super::Step;
use crate::catalog::{Catalog, TagId};
use crate::cli::shown::{self, because, distance, gap, reasons, tag_value};
use crate::engine::{Clause, ClauseForm, Expiry, Explanation, IncompleteCounter, Role, Section, Wait};
use crate::model::Value;

/// So many of a tag's last changes are shown to people.
const STEPS_SHOWN: usize = 20;

/// Whose tags they are.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub entity: &'a str,
    pub key: &'a str,
}

type Explained = [(TagId, Explanation)];

/// One paragraph a tag: what it is, how it came to be so, and why.
pub fn text(subject: Subject<'_>, catalog: &Catalog, explained: &Explained, history: &[Step]) -> String {
    let Some((_, first)) = explained.first() else {
        return format!("no tag is put on `{}`\n", subject.entity);
    };
    let mut text = format!("{} at {}\n", subject.key, first.at);
    if let Some(Expiry { at, silent_ms }) = first.expiry {
        let (ahead, silent) = (distance(at.since(first.at)), distance(silent_ms));
        let _ = writeln!(text, "if nothing happens: forgotten at {at}, in {ahead} (silent for {silent})");
    }
    for (id, explanation) in explained {
        let tag = catalog.tag(*id);
        let since = explanation.since.map(|since| format!(" since {since}")).unwrap_or_default();
        let _ = writeln!(text, "\n{}: {}{since}", tag.name, tag_value(explanation.value.as_ref()));
        let steps: Vec<&Step> = history.iter().filter(|step| step.tag == tag.name).collect();
        let earlier = steps.len().saturating_sub(STEPS_SHOWN);
        if earlier > 0 {
            let _ = writeln!(text, "  … {earlier} earlier changes");
        }
        for step in &steps[earlier..] {
            let because = because(step.because.iter().map(|(label, value)| (label.as_str(), value.clone())));
            // A command has no reasons but itself.
            let because = if because.is_empty() { because } else { format!(": {because}") };
            let to = tag_value(step.value.as_ref());
            let _ = writeln!(text, "  {} {to} ({}{because})", step.at, step.cause);
        }
        for line in reasons(explanation, &tag.kind) {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

/// The documented shape: see `deploy/docs/tools.md`.
pub fn json(subject: Subject<'_>, catalog: &Catalog, explained: &Explained, history: &[Step]) -> String {
    let tags = explained.iter().map(|(id, explanation)| {
        let name = &catalog.tag(*id).name;
        let steps = history.iter().filter(|step| step.tag == *name);
        json!({
            "tag": name,
            "value": shown::json(explanation.value.as_ref()),
            "since": explanation.since.map(|since| since.to_string()),
            "changes": steps.map(step).collect::<Vec<_>>(),
            "wait": explanation.wait.map(wait),
            "sections": explanation.sections.iter().map(section).collect::<Vec<_>>(),
            "unseen": explanation.incomplete_counters.iter().map(unseen).collect::<Vec<_>>(),
            "next": explanation.next.as_ref().map(|next| {
                json!({ "at": next.at.to_string(), "value": shown::json(next.value.as_ref()) })
            }),
        })
    });
    let first = explained.first().map(|(_, explanation)| explanation);
    let at = first.map(|explanation| explanation.at.to_string());
    let forgotten = first.and_then(|explanation| explanation.expiry).map(|forgotten| forgotten.at.to_string());
    let Subject { entity, key } = subject;
    let tags = tags.collect::<Vec<_>>();
    let document = json!({ "entity": entity, "key": key, "at": at, "forgotten": forgotten, "tags": tags });
    format!("{document:#}\n")
}

fn step(step: &Step) -> Json {
    json!({
        "at": step.at.to_string(),
        "change": step.change,
        "value": shown::json(step.value.as_ref()),
        "previous": shown::json(step.previous.as_ref()),
        "cause": step.cause,
        "because": members(&step.because),
    })
}

fn members(values: &[(String, Option<Value>)]) -> Map<String, Json> {
    values.iter().map(|(label, value)| (label.clone(), shown::json(value.as_ref()))).collect()
}

fn wait(wait: Wait) -> Json {
    let (kind, since, until) = match wait {
        Wait::For { since, until } => ("for", since, until),
        Wait::KeepFor { since, until } => ("keep_for", since, until),
        Wait::Refresh { since, until, .. } => ("refresh", since, until),
    };
    let mut document = json!({ "for": kind, "since": since.to_string(), "until": until.to_string() });
    if let Wait::Refresh { score, .. } = wait {
        document["score"] = shown::json(score.map(Value::Number).as_ref());
    }
    document
}

fn unseen(unseen: &IncompleteCounter) -> Json {
    json!({
        "counter": unseen.counter,
        "value": shown::json(unseen.value.as_ref()),
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
        "values": members(&section.leaves),
    });
    if let Role::Input(name) = &section.role {
        document["input"] = name.as_str().into();
    }
    document
}

fn clause(clause: &Clause) -> Json {
    let sides = match &clause.form {
        ClauseForm::Comparison(_, [left, right], _) => json!([shown::json(left.as_ref()), shown::json(right.as_ref())]),
        ClauseForm::Parts | ClauseForm::Leaf => Json::Null,
    };
    json!({
        "depth": clause.depth,
        "text": clause.text,
        "value": shown::json(clause.value.as_ref()),
        "undecided": !clause.is_decided,
        "sides": sides,
        "gap": gap(clause).map(|gap| shown::json(Some(&Value::Number(gap)))),
        "until": clause.until.map(|until| until.to_string()),
    })
}
