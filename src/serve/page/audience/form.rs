//! The fields of the page: one form, whose address is the question.

use maud::{Markup, html};

use super::figures::AudienceFacts;
use super::question::{AudienceForm, BY_MAX, LETTERS};
use super::words::AudienceWords;
use crate::serve::page::frame::{PageReader, expression_field, hidden, instant_in, local_in};

/// The form, with the answer below the condition, where it changes as one writes.
pub(super) fn fields(reader: &PageReader, form: &AudienceForm, facts: &AudienceFacts, answer: Markup) -> Markup {
    let say = AudienceWords(reader.language);
    let zone = &facts.view.compiled.catalog.timezone;
    // What cannot be read stays as it was written, in a field that takes every text.
    let time_field = |name: &str, written: &Option<String>| {
        let local = written.as_deref().map(|text| (text, instant_in(zone, name, text).map(|at| local_in(zone, at))));
        html! {
            @match local {
                Some((text, Err(_))) => { input id=(name) name=(name) type="text" value=(text) aria-invalid="true"; }
                Some((_, Ok(local))) => { input id=(name) name=(name) type="datetime-local" step="1" value=(local); }
                None => { input id=(name) name=(name) type="datetime-local" step="1"; }
            }
        }
    };
    let condition = form.condition.as_deref().unwrap_or_default();
    html! {
        form.question method="get" action="/audience" data-answers="/audience/answer" data-part="answer" {
            (entity(reader, say, facts))
            (expression_field(reader.language, &facts.view, facts.kind, condition))
            (answer)
            div.row {
                label { (say.as_of()) (time_field("as_of", &form.as_of)) }
                @for place in 0..BY_MAX {
                    label {
                        @if place == 0 { (say.by()) } @else { (say.by_second()) }
                        input name="by" type="text" value=[form.by.get(place)] autocomplete="off" autocapitalize="none"
                            spellcheck="false" data-complete="names" data-options=(say.by());
                    }
                }
            }
            p.hint { (say.as_of_about()) " " (say.by_about()) }
            details open[!form.others.is_empty()] {
                summary { (say.others()) }
                div.fields {
                    @for (place, letter) in LETTERS.iter().skip(1).enumerate() {
                        label {
                            (say.other(letter))
                            input name="with" type="text" value=[form.others.get(place)] autocomplete="off"
                                autocapitalize="none" spellcheck="false" data-complete="names"
                                data-options=(say.other(letter));
                        }
                    }
                }
            }
            details open[form.from.is_some()] {
                summary { (say.compare()) }
                div.row {
                    label { (say.from()) (time_field("from", &form.from)) }
                    label { (say.to()) (time_field("to", &form.to)) }
                }
                p.hint { (say.to_about()) }
            }
            p { button.main type="submit" { (say.show()) } }
        }
    }
}

fn entity(reader: &PageReader, say: AudienceWords, facts: &AudienceFacts) -> Markup {
    html! {
        @if reader.entities.len() > 1 {
            label { (say.entity()) " "
                select name="entity" {
                    @for name in &reader.entities { option value=(name) selected[*name == facts.entity] { (name) } }
                }
            }
        } @else {
            (hidden("entity", &facts.entity))
        }
    }
}
