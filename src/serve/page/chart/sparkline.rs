//! A small line without axes, for a row of a table.

use maud::{Markup, html};

use super::scale::at;

const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 28.0;
const MARGIN: f64 = 2.0;

/// Values in their order, the oldest first. `says` is what it shows, in a sentence.
pub(in crate::serve::page) fn sparkline(values: &[u64], says: &str) -> Markup {
    let (least, most) = (values.iter().min().copied().unwrap_or(0), values.iter().max().copied().unwrap_or(0));
    let span = (most - least).max(1) as f64;
    let across = (WIDTH - 2.0 * MARGIN) / (values.len().max(2) - 1) as f64;
    let place = |(index, value): (usize, &u64)| {
        let x = MARGIN + across * index as f64;
        // A size that does not change is a line in the middle.
        let height = if most == least { 0.5 } else { (value - least) as f64 / span };
        (x, HEIGHT - MARGIN - height * (HEIGHT - 2.0 * MARGIN))
    };
    let places: Vec<(f64, f64)> = values.iter().enumerate().map(place).collect();
    let points: Vec<String> = places.iter().map(|(x, y)| format!("{},{}", at(*x), at(*y))).collect();
    html! {
        svg.sparkline viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) width=(WIDTH) height=(HEIGHT) role="img" aria-label=(says) {
            title { (says) }
            @if values.len() > 1 { polyline.line points=(points.join(" ")) {} }
            @if let Some((x, y)) = places.last() { circle.dot cx=(at(*x)) cy=(at(*y)) r="2" {} }
        }
    }
}
