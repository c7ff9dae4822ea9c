//! The size of a tag day by day, and what came and went hour by hour.

use maud::{Markup, html};

use super::figures::TagHistory;
use super::words::TagWords;
use crate::model::Timestamp;
use crate::serve::api::SizeStep;
use crate::serve::page::chart::{ColumnChart, LineChart, MoveColumn, Point, columns, line};
use crate::serve::page::words::{Count, Times};

/// Both charts.
pub(super) fn over_time(times: &Times, history: &TagHistory) -> Markup {
    let say = TagWords(times.language);
    html! {
        h2 { (say.size_over_time()) }
        (sizes(times, &history.figures.series, say))
        h2 { (say.moves()) }
        (moves(times, &history.hours.series, say))
    }
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn label(step: &SizeStep, text: impl Fn(Timestamp) -> String) -> String {
    Timestamp::parse(&step.from).map_or_else(|_| step.from.clone(), text)
}

fn sizes(times: &Times, series: &[SizeStep], say: TagWords) -> Markup {
    let point = |step: &SizeStep| Point { label: label(step, |at| times.day_text(at)), size: count(step.size) };
    let points: Vec<Point> = series.iter().map(point).collect();
    let (first, last) = (points.first().map_or(0, |first| first.size), points.last().map_or(0, |last| last.size));
    line(&LineChart {
        id: "size-over-time",
        title: &say.size_over_time(),
        says: &say.size_says(Count(first), Count(last)),
        table: &say.table(),
        heads: [&say.day(), &say.size()],
        points: &points,
    })
}

fn moves(times: &Times, series: &[SizeStep], say: TagWords) -> Markup {
    let column = |step: &SizeStep| MoveColumn {
        label: label(step, |at| times.hour_text(at)),
        came: count(step.entered),
        went: count(step.left),
    };
    let shown: Vec<MoveColumn> = series.iter().map(column).collect();
    let (came, went) = shown.iter().fold((0, 0), |(came, went), one| (came + one.came, went + one.went));
    columns(&ColumnChart {
        id: "moves",
        title: &say.moves(),
        says: &say.moves_says(Count(came), Count(went)),
        table: &say.table(),
        heads: [&say.hour(), &say.came(), &say.went()],
        columns: &shown,
    })
}
