//! A size over time, with axes.

use maud::{Markup, html};

use super::axes::{BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, grid_line, labels, table};
use super::scale::{Scale, at};
use crate::serve::page::words::Count;

/// A size, and when it was.
#[derive(Clone, Debug)]
pub(in crate::serve::page) struct Point {
    pub label: String,
    pub size: u64,
}

/// What a chart over time shows. The texts are in the reader's language.
#[derive(Clone, Debug)]
pub(in crate::serve::page) struct LineChart<'a> {
    /// Of the element; one in a page.
    pub id: &'a str,
    pub title: &'a str,
    /// What it shows, in a sentence.
    pub says: &'a str,
    /// What opens the table, and the heads of its columns.
    pub table: &'a str,
    pub heads: [&'a str; 2],
    /// The oldest first.
    pub points: &'a [Point],
}

/// The chart, with its table.
pub(in crate::serve::page) fn line(chart: &LineChart<'_>) -> Markup {
    let scale = Scale::to(chart.points.iter().map(|point| point.size).max().unwrap_or(0));
    let (width, height) = (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    let across = width / (chart.points.len().max(2) - 1) as f64;
    let x = |index: usize| LEFT + across * index as f64;
    let y = |size: u64| TOP + height - scale.place(size, height);
    let places = || chart.points.iter().enumerate().map(|(index, point)| (x(index), y(point.size)));
    let points: Vec<String> = places().map(|(x, y)| format!("{},{}", at(x), at(y))).collect();
    let (title, desc) = (format!("{}-title", chart.id), format!("{}-desc", chart.id));
    let area = format!(
        "M{},{} L{} L{},{} Z",
        at(LEFT),
        at(TOP + height),
        points.join(" L"),
        at(x(chart.points.len().saturating_sub(1))),
        at(TOP + height)
    );
    html! {
        figure.chart id=(chart.id) {
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-labelledby=(format!("{title} {desc}")) {
                title id=(title) { (chart.title) }
                desc id=(desc) { (chart.says) }
                @for step in scale.steps() { (grid_line(y(step), &Count(step).to_string())) }
                @if chart.points.len() > 1 {
                    path.area d=(area) {}
                    polyline.line points=(points.join(" ")) {}
                }
                @if let Some((x, y)) = places().next_back() { circle.dot cx=(at(x)) cy=(at(y)) r="3" {} }
                (labels(chart.points.iter().map(|point| point.label.as_str()).collect(), x))
            }
            (table(chart.table, &chart.heads, chart.points.iter().map(|point| (point.label.as_str(), vec![Count(point.size).to_string()]))))
        }
    }
}
