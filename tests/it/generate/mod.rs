//! Random catalogs and streams, and how to make a failing pair of them small.
//!
//! `draft` holds what a case is drawn from, `features` what it may have, `expression` and `clock` its conditions, `kinds`
//! its kinds of entity, `elements` what counts by elements, after resets, in sessions and in sequences, `catalog` the
//! whole file, `bounds` catalogs in which few events change a tag, `stream` the events in the shapes of `record`, `command`
//! those that are no behaviour, `hostile` what must be rejected, `repeats` streams for de-duplication alone,
//! `edit` catalogs as their authors change them.

mod bounds;
mod catalog;
mod clock;
mod command;
mod coverage;
mod dice;
mod draft;
mod edit;
mod elements;
mod expression;
mod features;
mod hostile;
mod kinds;
mod record;
mod repeats;
mod shrink;
mod stream;
mod yaml;

use std::ops::Range;

use catalog::Family;
use draft::Draft;
use record::Shape;
use serde_json::Value;
use stream::Stream;

pub use bounds::case_of_bounds;
pub use edit::edited;
pub use features::{Feature, Features};
pub use repeats::repeats;
pub use shrink::{shrink, shrink_catalog};

/// The wall clock for every case: 2030-01-01T00:00:00Z.
pub const NOW_MS: i64 = 1_893_456_000_000;

/// The seeds of a random test: as many as `TAGSTREAM_SEEDS` says, those from `TAGSTREAM_SEED` if that is given (one, if the
/// number is not).
pub fn seeds(usual: u64) -> Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seeds = number("TAGSTREAM_SEEDS");
    match number("TAGSTREAM_SEED") {
        Some(first) => first..first + seeds.unwrap_or(1),
        None => 0..seeds.unwrap_or(usual),
    }
}

/// A catalog and what to replay through it.
#[derive(Clone, Debug)]
pub struct Case {
    /// YAML.
    pub catalog: String,
    pub lines: Vec<Vec<u8>>,
    /// The instant at which to stop, if not at the last event.
    pub until: Option<i64>,
}

/// Every counter, tag and window that the contract knows, in small windows.
pub fn case(seed: u64) -> Case {
    draw(seed, Family::Broad, Features::NONE)
}

/// The clock's arithmetic, and the interplay of `for`, `keep_for` and `until`.
pub fn sharp(seed: u64) -> Case {
    draw(seed ^ 0x5eed_0000_0000, Family::Sharp, Features::NONE)
}

/// As [`case`], with features.
pub fn case_with(seed: u64, features: Features) -> Case {
    draw(seed ^ 0xfea0_0000_0000, Family::Broad, features)
}

/// As [`sharp`], with features.
pub fn sharp_with(seed: u64, features: Features) -> Case {
    draw(seed ^ 0xfea5_0000_0000, Family::Sharp, features)
}

fn draw(seed: u64, family: Family, features: Features) -> Case {
    let mut draft = Draft::new(seed, features);
    let shape = Shape::draw(&mut draft);
    let (mut input, dedup, max_future_ms) = input(&mut draft, shape);
    for (option, is_set) in [("numbers_in_text", draft.numbers_in_text), ("local_times", draft.local_times)] {
        if is_set {
            let empty = || serde_json::json!({ "preset": "flat" });
            if input.is_null() {
                input = empty();
            }
            input[option] = true.into();
        }
    }
    let catalog = draft.catalog(family, input, shape);
    let mut stream = Stream::new(&mut draft);
    stream.dedup = dedup;
    let length = if family == Family::Sharp { draft.dice.number(5, 60) } else { draft.dice.number(20, 160) };
    let mut lines = Vec::new();
    for _ in 0..length {
        if draft.dice.one_in(60) {
            let fields = stream.fields(&mut draft, shape);
            lines.push(hostile::line(&mut draft, shape, fields, NOW_MS, max_future_ms));
        } else {
            lines.push(stream.line(&mut draft, shape));
        }
        if draft.features.has(Feature::TimeForms) && draft.dice.one_in(30) {
            let line = lines.last_mut().expect("a line");
            line.splice(0..0, *b"\xef\xbb\xbf");
        }
    }
    let reach_ms = draft.duration().1 * draft.dice.number(-2, 20);
    let until = (!draft.dice.one_in(3)).then(|| stream.latest() + reach_ms);
    Case { catalog: yaml::write(&catalog), lines, until }
}

/// The catalog's `input`, whether it drops duplicates, and how far ahead events may be.
fn input(draft: &mut Draft, shape: Shape) -> (Value, bool, i64) {
    let mut input = shape.input();
    let mut max_future_ms = 300_000;
    if input.is_null() && draft.dice.one_in(2) {
        return (input, false, max_future_ms);
    }
    if input.is_null() {
        input = serde_json::json!({ "preset": "flat" });
    }
    let dedup = draft.dice.one_in(2);
    if dedup {
        input["dedup"] = draft.duration().0.into();
        if draft.dice.one_in(3) {
            input["dedup_limit"] = draft.dice.number(1, 4).into();
        }
    }
    if draft.dice.one_in(5) {
        // Some of the texts that events have are longer.
        input["max_text"] = draft.dice.number(1, 7).into();
    }
    if draft.dice.one_in(4) {
        input["max_future"] = "1h".into();
        max_future_ms = 3_600_000;
    }
    (input, dedup, max_future_ms)
}
