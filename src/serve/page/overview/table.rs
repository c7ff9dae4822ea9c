//! The tags by group, each with its size, and what came and went.

use maud::{Markup, html};

use super::figures::OverviewFigures;
use super::words::OverviewWords;
use crate::serve::api::{TagDocument, TagFlow};
use crate::serve::history::TagFigures;
use crate::serve::page::chart::sparkline;
use crate::serve::page::frame::{PageReader, tag_path};
use crate::serve::page::words::{Count, Signed};

/// The groups in the order in which the catalog first names them, each with its tags. What is in a group within another
/// one stands behind that.
fn groups(figures: &OverviewFigures) -> Vec<(Option<&str>, Vec<&TagDocument>)> {
    let mut groups: Vec<(Option<&str>, Vec<&TagDocument>)> = Vec::new();
    for tag in &figures.list.tags {
        let group = tag.group.as_deref();
        match groups.iter_mut().find(|(name, _)| *name == group) {
            Some((_, tags)) => tags.push(tag),
            None => groups.push((group, vec![tag])),
        }
    }
    let outer = |group: Option<&str>| group.map(|group| group.split('/').next().unwrap_or_default().to_owned());
    let order: Vec<Option<String>> = groups.iter().map(|(group, _)| outer(*group)).collect();
    groups.sort_by_key(|(group, _)| {
        let place = order.iter().position(|known| *known == outer(*group)).unwrap_or_default();
        (group.is_none(), place, *group)
    });
    groups
}

/// The table.
pub(super) fn tags(reader: &PageReader, figures: &OverviewFigures) -> Markup {
    let say = OverviewWords(reader.language);
    let has_moves = !figures.moves.is_empty();
    html! {
        p hidden {
            label for="filter" { (say.filter()) } " "
            input id="filter" type="search" data-filters autocomplete="off" spellcheck="false";
        }
        div.scroll id="tags" data-live tabindex="0" role="region" aria-label=(say.tags()) {
            table.tags {
                caption.hidden { (say.tags_caption()) }
                thead { tr {
                    th scope="col" { (say.tag()) }
                    th.number scope="col" { (say.size()) }
                    @if has_moves {
                        th.number scope="col" { (say.hour()) }
                        th.number scope="col" { (say.day()) }
                        th.number scope="col" { (say.week()) }
                        th scope="col" { (say.trend()) }
                    }
                } }
                @for (group, tags) in groups(figures) {
                    tbody data-filter-group {
                        tr.group { th scope="rowgroup" colspan="6" {
                            (group.map_or_else(|| say.ungrouped(), |group| group.replace('/', " › ")))
                        } }
                        @for tag in tags { (row(reader, tag, has_moves.then(|| figures.moves.get(&tag.tag)).flatten())) }
                    }
                }
            }
        }
    }
}

fn row(reader: &PageReader, tag: &TagDocument, moves: Option<&TagFlow>) -> Markup {
    let say = OverviewWords(reader.language);
    let title = reader.language.title(&tag.title, &tag.tag);
    let filter = format!("{} {title} {}", tag.tag, tag.group.as_deref().unwrap_or_default()).to_lowercase();
    html! {
        tr data-filter=(filter) data-tag=(tag.tag) {
            th scope="row" {
                a href=(tag_path(&tag.tag)) { bdi { (title) } }
                @if title != tag.tag { " " code.quiet { (tag.tag) } }
                @if tag.held { " " span.chip { (say.held()) } }
            }
            td.number.size { (Count(tag.size)) }
            @if let Some(moves) = moves {
                td.number { (moved(say, moves.hour)) }
                td.number { (moved(say, moves.day)) }
                td.number { (moved(say, moves.week)) }
                td { (trend(say, moves)) }
            }
        }
    }
}

/// What came and went, `+12 −3`.
fn moved(say: OverviewWords, figures: TagFigures) -> Markup {
    let says = say.came_and_went(figures.entered.into(), figures.left.into());
    html! {
        span.hidden { (says) }
        span aria-hidden="true" {
            span.came-text { (Signed(figures.entered)) } " " span.went-text { (Signed(-figures.left)) }
        }
    }
}

fn trend(say: OverviewWords, moves: &TagFlow) -> Markup {
    let sizes: Vec<u64> = moves.series.iter().map(|step| u64::try_from(step.size).unwrap_or(0)).collect();
    let (first, last) = (sizes.first().copied().unwrap_or(0), sizes.last().copied().unwrap_or(0));
    sparkline(&sizes, &say.trend_says(Count(first), Count(last)))
}
