//! The report of `tagstream explain`: text for people, and JSON.

use std::fmt::Write;

use serde_json::{Value as Json, json};

use super::RecordedChange;
use crate::catalog::{Catalog, TagId};
use crate::cli::output::escape::escaped;
use crate::cli::output::format::{because, distance, reasons, tag_value};
use crate::codec::{explanation_document, value_document, values_document};
use crate::engine::{Expiry, Explanation};

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
        explanation_document(name, explanation, Some(changes.map(change).collect()))
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
        "value": value_document(change.value.as_ref()),
        "previous": value_document(change.previous.as_ref()),
        "cause": change.cause,
        "because": values_document(&change.because),
    })
}
