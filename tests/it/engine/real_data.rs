//! Recorded events of real people, where they lie beside the project: the engine and the reference agree on them too.

use std::io::Read;
use std::path::PathBuf;

use super::agreement::{NOW_MS, compare};
use crate::generate::Case;

/// How many events are compared; `TAGSTREAM_REAL_EVENTS` says otherwise (all of them take minutes).
const EVENTS: usize = 6_000;

fn check(name: &str, catalog: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../shared/data/{name}.ndjson.gz"));
    let Ok(file) = std::fs::File::open(&path) else {
        eprintln!("{} is not there: nothing compared", path.display());
        return;
    };
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(file).read_to_end(&mut text).expect("the file is gzip");
    let given = std::env::var("TAGSTREAM_REAL_EVENTS").ok();
    let events = given.map_or(EVENTS, |number| number.parse().expect("TAGSTREAM_REAL_EVENTS is a number"));
    let lines: Vec<Vec<u8>> = text.split(|byte| *byte == b'\n').take(events).map(<[u8]>::to_vec).collect();
    let lines = lines.into_iter().filter(|line| !line.is_empty()).collect();
    let case = Case { catalog: catalog.to_owned(), lines, until: None };
    let changes = compare(&case, NOW_MS).unwrap_or_else(|difference| panic!("{name}: {difference}"));
    assert!(changes > events / 10, "{name}: only {changes} changes");
}

#[test]
fn purchases_agree_with_the_reference() {
    check("cdnow", include_str!("data/cdnow.yaml"));
}

#[test]
fn ratings_agree_with_the_reference() {
    check("movietweetings", include_str!("data/movietweetings.yaml"));
}

#[test]
fn course_visits_agree_with_the_reference() {
    check("moodle_edify", include_str!("data/moodle_edify.yaml"));
}
