//! What the charts over time share: their size, a grid line, the labels below, and the table of their numbers.

use maud::{Markup, html};

use super::scale::at;

pub(super) const WIDTH: f64 = 640.0;
pub(super) const HEIGHT: f64 = 220.0;
pub(super) const LEFT: f64 = 64.0;
pub(super) const BOTTOM: f64 = 26.0;
pub(super) const TOP: f64 = 10.0;
pub(super) const RIGHT: f64 = 12.0;

/// A horizontal line of the grid, with its text before it.
pub(super) fn grid_line(y: f64, text: &str) -> Markup {
    html! {
        line.grid x1=(at(LEFT)) x2=(at(WIDTH - RIGHT)) y1=(at(y)) y2=(at(y)) {}
        text.axis x=(at(LEFT - 8.0)) y=(at(y + 4.0)) text-anchor="end" { (text) }
    }
}

/// Some of the labels below an axis: at most five, so that they do not touch.
pub(super) fn labels(labels: Vec<&str>, x: impl Fn(usize) -> f64) -> Markup {
    let last = labels.len().saturating_sub(1);
    let shown = last.min(4);
    let places: Vec<usize> = (0..=shown).map(|step| (last * step).checked_div(shown).unwrap_or(0)).collect();
    html! {
        @for place in places {
            @if let Some(label) = labels.get(place) {
                text.axis x=(at(x(place))) y=(at(HEIGHT - 8.0))
                    text-anchor=(if place == 0 { "start" } else if place == last { "end" } else { "middle" }) { (label) }
            }
        }
    }
}

/// The numbers of a chart as a table that can be opened.
pub(super) fn table<'a>(opens: &str, heads: &[&str], rows: impl Iterator<Item = (&'a str, Vec<String>)>) -> Markup {
    html! {
        details {
            summary { (opens) }
            div.scroll tabindex="0" role="region" aria-label=(opens) {
                table {
                    thead { tr { @for head in heads { th scope="col" { (head) } } } }
                    tbody {
                        @for (label, cells) in rows {
                            tr { th scope="row" { (label) } @for cell in cells { td.number { (cell) } } }
                        }
                    }
                }
            }
        }
    }
}
