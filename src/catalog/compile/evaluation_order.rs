//! The order in which tags are evaluated: that of the file, but each tag after the tags that it uses.

use crate::catalog::compiled::TagId;
use crate::catalog::diagnostics::{Report, Span};

/// The tags that each tag uses, in the order in which its expressions mention them, with the places in the file.
pub(super) type Uses = Vec<Vec<(TagId, Span)>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum VisitState {
    Unvisited,
    /// On the current path: meeting it again closes a cycle.
    Open,
    Done,
}

/// The order of evaluation, by depth-first search; cycles are reported.
pub(super) fn evaluation_order(uses: &Uses, names: &[String], report: &mut Report) -> Vec<TagId> {
    let mut states = vec![VisitState::Unvisited; uses.len()];
    let mut order = Vec::with_capacity(uses.len());
    for start in 0..uses.len() {
        // Without recursion: a chain of ten thousand tags must not overflow the stack.
        let mut path: Vec<(usize, usize)> = Vec::new();
        if states[start] == VisitState::Unvisited {
            states[start] = VisitState::Open;
            path.push((start, 0));
        }
        while let Some((tag, next)) = path.pop() {
            let Some((used, place)) = uses[tag].get(next) else {
                states[tag] = VisitState::Done;
                order.push(TagId(tag as u16));
                continue;
            };
            path.push((tag, next + 1));
            let used = usize::from(used.0);
            match states[used] {
                VisitState::Done => {}
                VisitState::Open => report_cycle(&path, used, *place, names, report),
                VisitState::Unvisited => {
                    states[used] = VisitState::Open;
                    path.push((used, 0));
                }
            }
        }
    }
    order
}

/// Of a longer cycle only the start is shown.
const SHOWN_MAX: usize = 8;

fn report_cycle(path: &[(usize, usize)], back_to: usize, place: Span, names: &[String], report: &mut Report) {
    let start = path.iter().position(|(tag, _)| *tag == back_to).unwrap_or(0);
    let cycle = &path[start..];
    let mut shown: Vec<String> = cycle.iter().take(SHOWN_MAX).map(|(tag, _)| format!("`{}`", names[*tag])).collect();
    if cycle.len() > SHOWN_MAX {
        shown.push(format!("{} more", cycle.len() - SHOWN_MAX));
    }
    shown.push(format!("`{}`", names[back_to]));
    let message = match cycle.len() {
        1 => format!("the tag {} uses itself", shown[0]),
        _ => format!("tags use each other in a circle: {}", shown.join(" → ")),
    };
    report.error("tag-cycle", place, message).help("one of them must do without the others");
}
