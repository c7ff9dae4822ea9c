//! The parts of the page below its size: how the audience is divided, laid over others, compared, and who is in it.

use maud::{Markup, html};
use serde_json::Value as Json;

use super::figures::{AudienceFacts, Trouble};
use super::question::{AudienceForm, LETTERS};
use super::words::AudienceWords;
use crate::serve::access::Scope;
use crate::serve::api::{BreakdownAnswer, CompareAnswer, ComparedPart, MembersAnswer, OverlapAnswer};
use crate::serve::page::chart::{Bar, bars};
use crate::serve::page::frame::{PageReader, entity_path, hidden, key, problems, value};
use crate::serve::page::words::Count;

/// Columns that a file can have beside the key; the API takes more.
const COLUMNS: u64 = 4;

/// Everything that was asked for beside the size.
pub(super) fn parts(reader: &PageReader, form: &AudienceForm, facts: &AudienceFacts) -> Markup {
    let say = AudienceWords(reader.language);
    html! {
        @if let Some(breakdown) = &facts.breakdown {
            section id="breakdown" {
                h2 { (say.breakdown()) }
                @match breakdown {
                    Ok(answer) => { (divided(say, form, answer)) }
                    Err(trouble) => { (told(reader, trouble)) }
                }
            }
        }
        @if let Some(overlap) = &facts.overlap {
            section id="overlap" {
                h2 { (say.overlap()) }
                @match overlap {
                    Ok(answer) => { (laid_over(say, form, answer)) }
                    Err(trouble) => { (told(reader, trouble)) }
                }
            }
        }
        @if let Some(compared) = &facts.compared {
            section id="compared" {
                h2 { (say.compared()) }
                @match compared {
                    Ok(answer) => { (both(reader, say, answer)) }
                    Err(trouble) => { (told(reader, trouble)) }
                }
            }
        }
        @if let Some(answer) = &facts.members {
            (members(reader, say, form, answer))
            (take_along(say, form))
        }
    }
}

/// Why there are no figures.
pub(super) fn told(reader: &PageReader, trouble: &Trouble) -> Markup {
    match trouble {
        Trouble::Expression(text, found) => problems(reader.language, text, found, false),
        // The API's text, in English.
        Trouble::Other(detail) => html! { p.problem lang="en" { (detail) } },
    }
}

fn divided(say: AudienceWords, form: &AudienceForm, answer: &BreakdownAnswer) -> Markup {
    let rows: Vec<Bar> = answer
        .rows
        .iter()
        .map(|row| {
            let label = html! {
                @for (place, cell) in row.values.iter().enumerate() {
                    @if place > 0 { " · " }
                    (cell_text(say, cell))
                }
            };
            let conditions: Option<Vec<String>> =
                answer.by.iter().zip(&row.values).map(|(by, cell)| cell_condition(by, cell)).collect();
            let address = conditions.map(|conditions| form.within(&conditions.join(" && ")).address("/audience"));
            Bar {
                label: html! { @match address { Some(to) => { a href=(to) { (label) } } None => { (label) } } },
                size: row.size,
            }
        })
        .collect();
    let caption = say.breakdown_by(&answer.by.join(" · "));
    bars(&caption, &[&say.value(), &say.size(), &say.share()], &rows, answer.size)
}

/// What a cell of a breakdown counts.
fn cell_text(say: AudienceWords, cell: &Json) -> Markup {
    let number = |name: &str| cell.get(name).filter(|bound| !bound.is_null()).map(Json::to_string);
    if cell.get("other").is_some() {
        return html! { (say.other_values()) };
    }
    if let Some(of) = cell.get("value") {
        return if of.is_null() {
            html! { (say.nothing()) }
        } else {
            value(of)
        };
    }
    let text = match (number("from"), number("below")) {
        (Some(from), Some(below)) => say.between(&from, &below),
        (None, Some(below)) => say.below(&below),
        (Some(from), None) => say.at_least(&from),
        (None, None) => say.nothing(),
    };
    html! { (text) }
}

/// The condition of those whom a cell counts, where one can be written.
fn cell_condition(by: &str, cell: &Json) -> Option<String> {
    match cell.get("value")? {
        Json::Bool(true) => Some(by.to_owned()),
        Json::Bool(false) => Some(format!("!({by})")),
        of @ (Json::String(_) | Json::Number(_)) if !by.contains(':') => Some(format!("{by} == {of}")),
        _ => None,
    }
}

fn laid_over(say: AudienceWords, form: &AudienceForm, answer: &OverlapAnswer) -> Markup {
    let everyone = say.everyone();
    let first = form.condition.as_deref().unwrap_or(&everyone);
    let texts = std::iter::once(first).chain(form.others.iter().map(String::as_str));
    let rows: Vec<Bar> = answer
        .rows
        .iter()
        .map(|row| {
            let names: Vec<&str> = row.audiences.iter().filter_map(|place| LETTERS.get(*place).copied()).collect();
            Bar { label: html! { (names.join(&format!(" {} ", say.and()))) }, size: row.exactly }
        })
        .collect();
    let whole = answer.rows.iter().map(|row| row.exactly).sum();
    html! {
        dl.legend-list {
            @for (letter, text) in LETTERS.iter().zip(texts) { div { dt { (letter) } dd { code { (key(text)) } } } }
        }
        (bars(&say.overlap_caption(), &[&say.audiences(), &say.size(), &say.share()], &rows, whole))
    }
}

fn both(reader: &PageReader, say: AudienceWords, answer: &CompareAnswer) -> Markup {
    let card = |name: String, size: u64| html! { div.card { dt { (name) } dd { (Count(size)) } } };
    let part = |name: String, part: &ComparedPart| {
        html! {
            h3 { (name) ": " (Count(part.size)) }
            @if !part.sample.is_empty() {
                p.quiet { (say.some_of()) }
                (keys(reader, &answer.entity, part.sample.iter().map(String::as_str)))
            }
        }
    };
    html! {
        dl.cards {
            (card(say.before(), answer.before))
            (card(say.after(), answer.after))
            (card(say.stayed(), answer.stayed.size))
        }
        (part(say.came(), &answer.came))
        (part(say.went(), &answer.went))
    }
}

fn members(reader: &PageReader, say: AudienceWords, form: &AudienceForm, answer: &MembersAnswer) -> Markup {
    let address = |cursor: Option<String>| AudienceForm { cursor, ..form.clone() }.address("/audience") + "#members";
    let shown = answer.members.iter().filter_map(|member| member["key"].as_str());
    html! {
        section id="members" aria-labelledby="members-title" {
            h2 id="members-title" { (say.members()) }
            @if answer.members.is_empty() {
                p.quiet { (say.members_none()) }
            } @else {
                p.quiet { (say.members_shown(Count(answer.members.len() as u64), Count(answer.size))) }
                (keys(reader, &answer.entity, shown))
            }
            p {
                @if form.cursor.is_some() { a href=(address(None)) { (say.first()) } " " }
                @if let Some(cursor) = &answer.cursor {
                    a rel="next" href=(address(Some(cursor.clone()))) title=(say.next_about()) { (say.next()) }
                }
            }
        }
    }
}

/// All members as a file, with the columns that one names.
fn take_along(say: AudienceWords, form: &AudienceForm) -> Markup {
    let kept = [("entity", &form.entity), ("where", &form.condition), ("as_of", &form.as_of)];
    html! {
        section id="take" aria-labelledby="take-title" {
            h2 id="take-title" { (say.take()) }
            form.fields method="get" action="/audience/members.csv" {
                @for (name, text) in kept { @if let Some(text) = text { (hidden(name, text)) } }
                @for place in 1..=COLUMNS {
                    label { (say.column(Count(place)))
                        input name="column" type="text" autocomplete="off" autocapitalize="none" spellcheck="false"
                            data-complete="names" data-options=(say.column(Count(place)));
                    }
                }
                p.hint { (say.column_about()) }
                p {
                    button.main type="submit" { (say.csv()) } " "
                    button type="submit" formaction="/audience/members.ndjson" { (say.ndjson()) }
                }
            }
        }
    }
}

/// Keys, which lead to their pages where the reader may see them.
fn keys<'a>(reader: &PageReader, entity: &str, keys: impl Iterator<Item = &'a str>) -> Markup {
    html! {
        ul.keys {
            @for member in keys {
                li {
                    @if reader.may(Scope::Profile) {
                        a href=(entity_path(entity, member)) { (key(member)) }
                    } @else {
                        (key(member))
                    }
                }
            }
        }
    }
}
