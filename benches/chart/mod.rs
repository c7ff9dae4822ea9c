//! Charts of how costs grow.

use std::fs;
use std::path::{Path, PathBuf};

use plotters::prelude::*;

/// A curve, and what it is called beside others of the same chart.
pub struct Curve {
    pub name: &'static str,
    pub points: Vec<(f64, f64)>,
}

impl Curve {
    /// The only one of its chart.
    pub fn alone(points: Vec<(f64, f64)>) -> [Self; 1] {
        [Curve { name: "", points }]
    }
}

/// `1.5`, `300`, `20k`, `1M`
fn short(number: &f64) -> String {
    match *number {
        1e6.. => format!("{}M", number / 1e6),
        1e4.. => format!("{}k", number / 1e3),
        _ => format!("{}", (number * 10.0).round() / 10.0),
    }
}

/// Draws curves into `benches/growth/`, from zero upward; the horizontal axis is logarithmic where it reaches far.
pub fn draw(name: &str, (y, x): (&str, &str), curves: &[Curve]) {
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
