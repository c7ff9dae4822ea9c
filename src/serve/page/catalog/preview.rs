//! What another catalog would change: sizes before and after, who enters and leaves.

use maud::{Markup, html};

use super::words::CatalogWords;
use crate::serve::access::Scope;
use crate::serve::api::{PreviewAnswer, PreviewRow};
use crate::serve::page::frame::{PageReader, entity_path, key};
use crate::serve::page::words::{Count, Signed};

pub(super) fn changes(reader: &PageReader, answer: &PreviewAnswer) -> Markup {
    let say = CatalogWords(reader.language);
    html! {
        p.quiet { (say.preview_about()) }
        @if answer.rows.is_empty() {
            p { (say.nothing()) }
        } @else {
            (table(say, &answer.rows))
            @for row in &answer.rows { (who(reader, say, row)) }
        }
    }
}

fn table(say: CatalogWords, rows: &[PreviewRow]) -> Markup {
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    html! {
        div.scroll tabindex="0" role="region" aria-label=(say.preview()) {
            table.preview {
                caption { (say.preview()) }
                thead { tr {
                    th scope="col" { (say.tag()) }
                    @for head in [say.before(), say.after(), say.enter(), say.leave(), say.other_value()] {
                        th.number scope="col" { (head) }
                    }
                } }
                tbody {
                    @for row in rows {
                        tr data-tag=(row.tag) {
                            th scope="row" { code { (row.tag) } }
                            td.number { (Count(row.before)) }
                            td.number { (Count(row.after)) }
                            td.number.came-text { (Signed(signed(row.enter))) }
                            td.number.went-text { (Signed(-signed(row.leave))) }
                            td.number { (Count(row.other_value)) }
                        }
                    }
                }
            }
        }
    }
}

fn who(reader: &PageReader, say: CatalogWords, row: &PreviewRow) -> Markup {
    let keys = |of: &[String]| {
        html! {
            ul.keys {
                @for member in of {
                    li {
                        @if reader.may(Scope::Profile) {
                            a href=(entity_path(&row.entity, member)) { (key(member)) }
                        } @else {
                            (key(member))
                        }
                    }
                }
            }
        }
    };
    html! {
        @if !row.enter_sample.is_empty() || !row.leave_sample.is_empty() {
            details {
                summary { (say.who(&row.tag)) }
                @if !row.enter_sample.is_empty() { p { (say.entering(Count(row.enter))) } (keys(&row.enter_sample)) }
                @if !row.leave_sample.is_empty() { p { (say.leaving(Count(row.leave))) } (keys(&row.leave_sample)) }
            }
        }
    }
}
