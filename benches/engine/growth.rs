//! How the costs grow, as curves: with users, with tags, and with the changes that events make.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use plotters::prelude::*;

use crate::{CATALOG, Figures, measure};

/// Events for each point.
const EVENTS: usize = 300_000;
/// Users for the curves that do not grow with them.
const USERS: usize = 20_000;

/// A curve, and what it is called beside others of the same chart.
struct Curve {
    name: &'static str,
    points: Vec<(f64, f64)>,
}

/// Measures up to so many users, prints each point, and draws the charts.
pub fn draw(largest: usize) {
    by_users(largest);
    by_tags();
    by_changes();
}

fn by_users(largest: usize) {
    let (mut cost, mut decoding, mut changelog) = (Vec::new(), Vec::new(), Vec::new());
    let (mut bytes, mut restored, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    for users in (3..8).map(|power| 10_usize.pow(power)).filter(|users| *users <= largest) {
        let found = measured(&format!("{users} users"), CATALOG, users);
        let x = users as f64;
        changes.push((x, found.changes as f64 / EVENTS as f64 * 1e3));
        cost.push((x, found.ns_an_event));
        decoding.push((x, found.ns_decoding));
        changelog.push((x, found.journal.ns_an_event));
        // Below, what a partition allocates at once counts more than its users.
        if users >= 10_000 {
            bytes.push((x, found.bytes_a_user as f64));
        }
        restored.push((x, found.journal.users_a_second / 1e6));
    }
    let curves = [
        Curve { name: "an event, decoded and applied", points: cost },
        Curve { name: "of it decoding", points: decoding },
        Curve { name: "changelog, beside it", points: changelog },
        Curve { name: "tag changes in 1,000 events", points: changes },
    ];
    chart("users", ("ns of CPU an event", "users (20 tags)"), &curves);
    chart("memory", ("bytes a user", "users (20 tags, 5 panes each)"), &[Curve { name: "", points: bytes }]);
    chart(
        "restore",
        ("million users a second", "users restored from the changelog"),
        &[Curve { name: "", points: restored }],
    );
}

fn by_tags() {
    let (mut cost, mut bytes) = (Vec::new(), Vec::new());
    for tags in [5, 20, 50, 100, 200, 500] {
        let found = measured(&format!("{tags} tags"), &catalog_of_tags(tags), USERS);
        cost.push((tags as f64, found.ns_an_event));
        bytes.push((tags as f64, found.bytes_a_user as f64));
    }
    chart("tags", ("ns of CPU an event", "tags (over four counters)"), &[Curve { name: "", points: cost }]);
    chart("tags-memory", ("bytes a user", "tags (over four counters)"), &[Curve { name: "", points: bytes }]);
}

fn by_changes() {
    let mut cost = Vec::new();
    for types in [
        "[]",
        "[member_renewed]",
        "[profile_updated, referral]",
        "[purchase]",
        "[workout]",
        "[workout, purchase]",
        "\"*\"",
    ] {
        let found = measured(&format!("changes by {types}"), &catalog_of_changes(types), USERS);
        cost.push((found.changes as f64 / EVENTS as f64, found.ns_an_event));
    }
    chart("changes", ("ns of CPU an event", "tag changes an event"), &[Curve { name: "", points: cost }]);
}

fn measured(point: &str, catalog: &str, users: usize) -> Figures {
    let found = measure(catalog, users, EVENTS);
    println!(
        "{point:>32}  {:>6.0} ns/event  {:>5} bytes/user  {:.2} changes/event  changelog {:>5.0} ns/event  {:.2} M users/s restored",
        found.ns_an_event,
        found.bytes_a_user,
        found.changes as f64 / EVENTS as f64,
        found.journal.ns_an_event,
        found.journal.users_a_second / 1e6,
    );
    found
}

/// Rules over four counters, with bounds from 1 on, so that few of them change at an event.
fn catalog_of_tags(tags: usize) -> String {
    let mut catalog = "version: 1
counters:
  workouts: { count: workout, window: 30d }
  purchases: { count: purchase, window: 180d }
  spend: { sum: properties.amount, on: purchase, window: 180d }
  days: { active_days: \"*\", window: 30d }
tags:
"
    .to_owned();
    for tag in 0..tags {
        let (counter, step) = [("workouts", 1), ("purchases", 1), ("spend", 100), ("days", 1)][tag % 4];
        let bound = (1 + tag / 4) * step;
        let _ = writeln!(catalog, "  t{tag}: {{ when: {counter} >= {bound} }}");
    }
    catalog
}

/// A tag whose value is another one after each event of some types.
fn catalog_of_changes(types: &str) -> String {
    let on = if types == "[]" { "none_such" } else { types };
    format!(
        "version: 1
counters:
  amount: {{ last: properties.amount, on: {on} }}
  workouts: {{ count: workout, window: 30d }}
tags:
  latest: {{ value: amount }}
  regular: {{ when: workouts >= 1000000 }}
"
    )
}

/// `1.5`, `300`, `20k`, `1M`
fn short(number: &f64) -> String {
    match *number {
        1e6.. => format!("{}M", number / 1e6),
        1e4.. => format!("{}k", number / 1e3),
        _ => format!("{}", (number * 10.0).round() / 10.0),
    }
}

/// Draws curves from zero upward; the horizontal axis is logarithmic where it reaches far.
fn chart(name: &str, (y, x): (&str, &str), curves: &[Curve]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/growth");
    fs::create_dir_all(&folder).expect("a folder");
    let path: PathBuf = folder.join(name).with_extension("svg");
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let least = points().map(|(x, _)| *x).fold(f64::MAX, f64::min);
    let greatest = points().map(|(x, _)| *x).fold(0.0, f64::max);
    let highest = points().map(|(_, y)| *y).fold(0.0, f64::max) * 1.15;
    let area = SVGBackend::new(&path, (640, 360)).into_drawing_area();
    area.fill(&WHITE).expect("a chart");
    let mut builder = ChartBuilder::on(&area);
    builder.margin(12).margin_right(28).x_label_area_size(40).y_label_area_size(60);
    let colours = [0x1f5fa8, 0xc05a10, 0x3a7d34, 0x8a8a8a]
        .map(|rgb: u32| RGBColor((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8));
    macro_rules! curves {
        ($chart:expr) => {{
            let mut chart = $chart.expect("a chart");
            let mesh = &mut chart.configure_mesh();
            let labels = mesh.x_desc(x).y_desc(y).x_label_formatter(&short).y_label_formatter(&short);
            labels.light_line_style(TRANSPARENT).draw().expect("a chart");
            for (curve, colour) in curves.iter().zip(colours) {
                let line = LineSeries::new(curve.points.iter().copied(), colour.stroke_width(2)).point_size(3);
                let drawn = chart.draw_series(line).expect("a chart");
                if !curve.name.is_empty() {
                    let key = move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2));
                    drawn.label(curve.name).legend(key);
                }
            }
            if curves.iter().any(|curve| !curve.name.is_empty()) {
                let labels = &mut chart.configure_series_labels();
                labels.position(SeriesLabelPosition::UpperLeft).background_style(WHITE).draw().expect("a chart");
            }
        }};
    }
    if greatest > 50.0 {
        curves!(builder.build_cartesian_2d((least..greatest).log_scale(), 0.0..highest));
    } else {
        curves!(builder.build_cartesian_2d(0.0..greatest, 0.0..highest));
    }
    area.present().expect("the chart can be written");
}
