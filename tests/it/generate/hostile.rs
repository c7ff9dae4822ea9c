//! Records that must be rejected, each for a reason of its own, and some that only just must not.

use super::dice::Dice;
use super::draft::Draft;
use super::features::Feature;
use super::record::{Fields, Shape, text};

/// A line to reject, made of an event's fields; `now_ms` is the wall clock.
pub fn line(draft: &mut Draft, shape: Shape, mut fields: Fields, now_ms: i64, max_future_ms: i64) -> Vec<u8> {
    let with_forms = draft.features.has(Feature::TimeForms);
    let dice = &mut draft.dice;
    match dice.number(0, 14) {
        0 => {
            let record = shape.write(&fields, dice);
            return broken(dice, &record);
        }
        1 => return dice.pick(&["[]", "null", "5", "\"x\"", "true", "[{}]"]).into(),
        2 => fields.key = dice.pick(&[None, Some("null".to_owned())]),
        3 => {
            let long = text(&"k".repeat(257));
            fields.key = Some(
                dice.pick(&["true", "1.5", "\"\"", "[]", "{}", "18446744073709551616", "1e400", &long]).to_owned(),
            );
        }
        4 => fields.kind = dice.pick(&[None, Some("null".to_owned())]),
        5 => {
            let long = text(&"é".repeat(65));
            fields.kind = Some(dice.pick(&["5", "\"\"", "\"$unknown\"", "\"$\"", "[\"a\"]", &long]).to_owned());
        }
        6 => fields.time = dice.pick(&[None, Some("null".to_owned())]),
        7 => {
            let times = [
                "true",
                "1.5",
                "1714564800000.0",
                "\"2024-05-01T12:00:00\"",
                "\"2024-05-01\"",
                "\"2023-02-29T12:00:00Z\"",
                "\"2016-12-31T23:59:60Z\"",
                "\"2024-05-01T24:00:00Z\"",
                if with_forms { "\"2024-05-01T12:00:00+080\"" } else { "\"2024-05-01T12:00:00+8\"" },
                "\"2024-05-01T12:00:00.Z\"",
                "\" 2024-05-01T12:00:00Z\"",
                "\"1714564800000\"",
                "{}",
            ];
            fields.time = Some(dice.pick(&times).to_owned());
        }
        8 => fields.time = Some(dice.pick(&["0", "-5", "\"1989-12-31T23:59:59.999Z\"", "631151999"]).to_owned()),
        9 => {
            // A whole second, so that it is after the wall clock in every unit.
            let first = shape.write_number(dice, now_ms + max_future_ms + 1000);
            fields.time = Some(dice.pick(&[first, "\"9999-12-31T23:59:59Z\"".to_owned()]));
        }
        10 => fields.key = Some(text(&"k".repeat(256))),
        11 => fields.kind = Some(text(&"é".repeat(64))),
        12 => {
            fields.time =
                Some(dice.pick(&["\"1990-01-01T00:00:00Z\"", "\"1990-01-01T05:29:59.9999+05:30\""]).to_owned())
        }
        13 => {
            // The record and its properties are two of the 127 levels.
            let levels = dice.pick(&[125, 126]);
            fields.properties = Some(format!("{{\"n\": 1, \"deep\": {}}}", nested(levels)));
        }
        _ if dice.one_in(60) => fields.properties = Some(text(&"x".repeat(1 << 20))),
        _ => return broken(dice, &shape.write(&fields, &mut Dice::new(0))),
    }
    shape.write(&fields, dice).into_bytes()
}

/// Something that looks like that record but is not JSON.
fn broken(dice: &mut Dice, record: &str) -> Vec<u8> {
    let inside = |text: &str| format!("{{\"broken\": {text}, {}", &record[1..]).into_bytes();
    match dice.number(0, 7) {
        0 => record.as_bytes()[..record.len() - 1].to_vec(),
        1 => [record.as_bytes(), b"x"].concat(),
        2 => ["\u{feff}\u{feff}".as_bytes(), record.as_bytes()].concat(),
        3 => [b"{\"\xff\":1}".as_slice(), b""].concat(),
        4 => inside(dice.pick(&["NaN", "Infinity", "01", "+1", ".5", "1.", "1e", "'x'", "nul", "0x1"])),
        5 => inside(dice.pick(&["\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\x\"", "\"a\tb\"", "\"\\u12g4\""])),
        6 => inside(dice.pick(&["[1,]", "{\"a\":1,}", "[1 2]", "{a: 1}", "/* */ 1"])),
        _ => inside(&nested(128)),
    }
}

fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}
