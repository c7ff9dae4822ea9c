//! The report of `tagstream explain`: text for people, and JSON.

use std::fmt::Write;

use serde_json::{Map, Value as Json, json};

use super::RecordedChange;
use crate::catalog::{Catalog, TagId};
use crate::cli::output::escape::escaped;
use crate::cli::output::format::{self, because, distance, gap, reasons, tag_value};
use crate::engine::{Clause, ClauseForm, Expiry, Explanation, IncompleteCounter, Role, Section, Wait};
use crate::model::{Number, Value};

/// The text shows at most this many of a tag's last changes.
const CHANGES_SHOWN_MAX: usize = 20;

/// The entity whose tags are explained.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub entity: &'a str,
    pub key: &'a str,
}

type Explained = [(TagId, Explanation)];

/// One paragraph per tag: its value, its changes, and its reasons.
pub(crate) fn text(
    subject: Subject<'_>,
    catalog: &Catalog,
    explained: &Explained,
    history: &[RecordedChange],
) -> String {
    let Some((_, first)) = explained.first() else {
        return format!("no tag is put on `{}`\n", subject.entity);
    };
    let mut text = format!("{} at {}\n", escaped(subject.key), first.at);
    if let Some(Expiry { at, silent_ms }) = first.expiry {
        let (ahead, silent) = (distance(at.since(first.at)), distance(silent_ms));
        let _ = writeln!(text, "if nothing happens: forgotten at {at}, in {ahead} (silent for {silent})");
    }
    for (id, explanation) in explained {
        let tag = catalog.tag(*id);
        let since = explanation.since.map(|since| format!(" since {since}")).unwrap_or_default();
        let _ = writeln!(text, "\n{}: {}{since}", tag.name, tag_value(explanation.value.as_ref()));
        let changes: Vec<&RecordedChange> = history.iter().filter(|change| change.tag == tag.name).collect();
        let earlier = changes.len().saturating_sub(CHANGES_SHOWN_MAX);
        if earlier > 0 {
            let _ = writeln!(text, "  … {earlier} earlier changes");
        }
        for change in &changes[earlier..] {
            let because = because(change.because.iter().map(|(label, value)| (label.as_str(), value.clone())));
            // A change by a command has no reasons.
            let because = if because.is_empty() { because } else { format!(": {because}") };
            let to = tag_value(change.value.as_ref());
            let _ = writeln!(text, "  {} {to} ({}{because})", change.at, change.cause);
        }
        for line in reasons(explanation, &tag.definition) {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

/// The documented shape: see `deploy/docs/tools.md`.
pub(crate) fn json(
    subject: Subject<'_>,
    catalog: &Catalog,
    explained: &Explained,
    history: &[RecordedChange],
) -> String {
    let tags = explained.iter().map(|(id, explanation)| {
        let name = &catalog.tag(*id).name;
        let changes = history.iter().filter(|change| change.tag == *name);
        json!({
            "tag": name,
            "value": format::json(explanation.value.as_ref()),
            "since": explanation.since.map(|since| since.to_string()),
            "changes": changes.map(change).collect::<Vec<_>>(),
            "wait": explanation.wait.map(wait),
            "sections": explanation.sections.iter().map(section).collect::<Vec<_>>(),
            "unseen": explanation.incomplete_counters.iter().map(unseen).collect::<Vec<_>>(),
            "next": explanation.next.as_ref().map(|next| {
                json!({ "at": next.at.to_string(), "value": format::json(next.value.as_ref()) })
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

fn change(change: &RecordedChange) -> Json {
    json!({
        "at": change.at.to_string(),
        "change": change.change,
        "value": format::json(change.value.as_ref()),
        "previous": format::json(change.previous.as_ref()),
        "cause": change.cause,
        "because": members(&change.because),
    })
}

fn members(values: &[(String, Option<Value>)]) -> Map<String, Json> {
    values.iter().map(|(label, value)| (label.clone(), format::json(value.as_ref()))).collect()
}

fn wait(wait: Wait) -> Json {
    let (option, since, until) = match wait {
        Wait::For { since, until } => ("for", since, until),
        Wait::KeepFor { since, until } => ("keep_for", since, until),
        Wait::Refresh { since, until, .. } => ("refresh", since, until),
    };
    let mut document = json!({ "for": option, "since": since.to_string(), "until": until.to_string() });
    if let Wait::Refresh { score, .. } = wait {
        document["score"] = format::json(score.map(|score| Value::Number(Number::Double(score))).as_ref());
    }
    document
}

fn unseen(unseen: &IncompleteCounter) -> Json {
    json!({
        "counter": unseen.counter,
        "value": format::json(unseen.value.as_ref()),
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
        ClauseForm::Comparison(_, [left, right], _) => {
            json!([format::json(left.as_ref()), format::json(right.as_ref())])
        }
        ClauseForm::Parts | ClauseForm::Leaf => Json::Null,
    };
    json!({
        "depth": clause.depth,
        "text": clause.text,
        "value": format::json(clause.value.as_ref()),
        "undecided": !clause.is_decided,
        "sides": sides,
        "gap": gap(clause).map(|gap| format::json(Some(&Value::Number(gap)))),
        "until": clause.until.map(|until| until.to_string()),
    })
}
