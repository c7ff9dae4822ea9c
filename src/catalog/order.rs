//! The order in which tags take their turn: the file's, each preceded by those it uses; cycles have none.

use super::compiled::TagId;
use super::problems::{Report, Span};

/// The tags that each tag uses, in the order in which its expressions mention them, with the places in the file.
pub type Uses = Vec<Vec<(TagId, Span)>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    Not,
    /// On the way down: meeting it again closes a cycle.
    Open,
    Done,
}

/// Each tag once; cycles are reported.
pub fn order(uses: &Uses, names: &[String], report: &mut Report) -> Vec<TagId> {
    let mut visits = vec![Visit::Not; uses.len()];
    let mut order = Vec::with_capacity(uses.len());
    for start in 0..uses.len() {
        // Depth first without recursion: a chain of ten thousand tags must not overflow the stack.
        let mut road: Vec<(usize, usize)> = Vec::new();
        if visits[start] == Visit::Not {
            visits[start] = Visit::Open;
            road.push((start, 0));
        }
        while let Some((tag, next)) = road.pop() {
            let Some((used, place)) = uses[tag].get(next) else {
                visits[tag] = Visit::Done;
                order.push(TagId(tag as u16));
                continue;
            };
            road.push((tag, next + 1));
            let used = usize::from(used.0);
            match visits[used] {
                Visit::Done => {}
                Visit::Open => cycle(&road, used, *place, names, report),
                Visit::Not => {
                    visits[used] = Visit::Open;
                    road.push((used, 0));
                }
            }
        }
    }
    order
}

/// Of a longer circle only the start is shown.
const SHOWN_MAX: usize = 8;

fn cycle(road: &[(usize, usize)], back_to: usize, place: Span, names: &[String], report: &mut Report) {
    let start = road.iter().position(|(tag, _)| *tag == back_to).unwrap_or(0);
    let round = &road[start..];
    let mut shown: Vec<String> = round.iter().take(SHOWN_MAX).map(|(tag, _)| format!("`{}`", names[*tag])).collect();
    if round.len() > SHOWN_MAX {
        shown.push(format!("{} more", round.len() - SHOWN_MAX));
    }
    shown.push(format!("`{}`", names[back_to]));
    let message = match round.len() {
        1 => format!("the tag {} uses itself", shown[0]),
        _ => format!("tags use each other in a circle: {}", shown.join(" → ")),
    };
    report.error("tag-cycle", place, message).help("one of them must do without the others");
}
