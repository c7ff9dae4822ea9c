//! Why a tag was entered and left: the most frequent reasons.

use maud::{Markup, html};

use super::words::TagWords;
use crate::model::{Cause, ChangeType};
use crate::serve::history::ReasonCount;
use crate::serve::page::frame::because;
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
                                td { @if let Some(because) = because(reason.because.get()) { (because) } }
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
    match Cause::named(name) {
        Some(Cause::Event) => say.cause_event(),
        Some(Cause::Timer) => say.cause_timer(),
        Some(Cause::Catalog) => say.cause_catalog(),
        Some(Cause::Command) => say.cause_command(),
        Some(Cause::Erased) => say.cause_erased(),
        Some(Cause::Forgotten) => say.cause_forgotten(),
        None => name.to_owned(),
    }
}
