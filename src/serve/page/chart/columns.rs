//! What came, above the axis, and what went, below it, step by step.

use maud::{Markup, html};

use super::axes::{BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, grid_line, labels, table};
use super::scale::{Scale, at};
use crate::serve::page::words::Count;

/// What came and went in a step.
#[derive(Clone, Debug)]
pub(in crate::serve::page) struct MoveColumn {
    pub label: String,
    pub came: u64,
    pub went: u64,
}

/// What the chart shows. The texts are in the reader's language.
#[derive(Clone, Debug)]
pub(in crate::serve::page) struct ColumnChart<'a> {
    /// Of the element; one in a page.
    pub id: &'a str,
    pub title: &'a str,
    /// What it shows, in a sentence.
    pub says: &'a str,
    /// What opens the table, and the heads of its columns; the last two name what came and what went.
    pub table: &'a str,
    pub heads: [&'a str; 3],
    /// The oldest first.
    pub columns: &'a [MoveColumn],
}

/// The chart, with its table.
pub(in crate::serve::page) fn columns(chart: &ColumnChart<'_>) -> Markup {
    let most = chart.columns.iter().map(|column| column.came.max(column.went)).max().unwrap_or(0);
    let scale = Scale::to(most);
    let half = (HEIGHT - TOP - BOTTOM) / 2.0;
    let (axis, step) = (TOP + half, (WIDTH - LEFT - RIGHT) / chart.columns.len().max(1) as f64);
    let x = |index: usize| LEFT + step * index as f64;
    let (title, desc) = (format!("{}-title", chart.id), format!("{}-desc", chart.id));
    html! {
        figure.chart id=(chart.id) {
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-labelledby=(format!("{title} {desc}")) {
                title id=(title) { (chart.title) }
                desc id=(desc) { (chart.says) }
                @for (sign, y) in [("+", TOP), ("−", TOP + 2.0 * half)] {
                    (grid_line(y, &format!("{sign}{}", Count(scale.end))))
                }
                @for (index, column) in chart.columns.iter().enumerate() {
                    @let (up, down) = (scale.place(column.came, half), scale.place(column.went, half));
                    @if column.came > 0 {
                        rect.came x=(at(x(index) + 0.1 * step)) y=(at(axis - up)) width=(at(0.8 * step)) height=(at(up)) {
                            title { (column.label) ": +" (Count(column.came)) }
                        }
                    }
                    @if column.went > 0 {
                        rect.went x=(at(x(index) + 0.1 * step)) y=(at(axis)) width=(at(0.8 * step)) height=(at(down)) {
                            title { (column.label) ": −" (Count(column.went)) }
                        }
                    }
                }
                line.axis-line x1=(at(LEFT)) x2=(at(WIDTH - RIGHT)) y1=(at(axis)) y2=(at(axis)) {}
                (labels(chart.columns.iter().map(|column| column.label.as_str()).collect(), |index| x(index) + step / 2.0))
            }
            p.legend { span.key.came { (chart.heads[1]) } " " span.key.went { (chart.heads[2]) } }
            (table(chart.table, &chart.heads, chart.columns.iter().map(|column| {
                (column.label.as_str(), vec![Count(column.came).to_string(), Count(column.went).to_string()])
            })))
        }
    }
}
