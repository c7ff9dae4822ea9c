//! Why a tag was entered and left: the most frequent reasons.

use maud::{Markup, html};
use serde_json::{Map, Value as Json};

use super::words::TagWords;
use crate::model::{Cause, ChangeType};
use crate::serve::history::ReasonCount;
use crate::serve::page::frame::value;
use crate::serve::page::words::Count;

/// The table.
pub(super) fn reasons(say: TagWords, reasons: &[ReasonCount]) -> Markup {
    html! {
        h2 { (say.reasons()) }
        @if reasons.is_empty() {
            p.quiet { (say.reasons_none()) }
        } @else {
            div.scroll tabindex="0" role="region" aria-label=(say.reasons()) {
                table.reasons {
                    caption { (say.reasons_caption()) }
                    thead { tr {
                        th scope="col" { (say.change()) }
                        th scope="col" { (say.cause()) }
                        th scope="col" { (say.because()) }
                        th.number scope="col" { (say.times()) }
                    } }
                    tbody {
                        @for reason in reasons {
                            tr {
                                th scope="row" { (change_word(say, reason.change)) }
                                td { (cause(say, reason.cause)) }
                                td { (because(reason.because.get())) }
                                td.number { (Count(reason.count)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What has changed, by its name in a tag change.
pub(in crate::serve::page) fn change_word(say: TagWords, name: &str) -> String {
    match ChangeType::ALL.into_iter().find(|change| change.name() == name) {
        Some(ChangeType::Added) => say.came(),
        Some(ChangeType::Removed) => say.went(),
        Some(ChangeType::Changed) => say.changed(),
        None => name.to_owned(),
    }
}

/// What brought it about, by its name in a tag change.
pub(in crate::serve::page) fn cause(say: TagWords, name: &str) -> String {
    let is = |cause: Cause| cause.name() == name;
    match () {
        () if is(Cause::Event) => say.cause_event(),
        () if is(Cause::Timer) => say.cause_timer(),
        () if is(Cause::Catalog) => say.cause_catalog(),
        () if is(Cause::Command) => say.cause_command(),
        () if is(Cause::Erased) => say.cause_erased(),
        () if is(Cause::Forgotten) => say.cause_forgotten(),
        () => name.to_owned(),
    }
}

/// The values that a change reports: `workouts_30d = 3`.
pub(in crate::serve::page) fn because(text: &str) -> Markup {
    let values: Map<String, Json> = serde_json::from_str(text).unwrap_or_default();
    html! {
        @for (place, (name, of)) in values.iter().enumerate() {
            @if place > 0 { ", " }
            code { (name) } " = " (value(of))
        }
    }
}
