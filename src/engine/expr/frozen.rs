//! An expression that was written as a clock expression: what is known of it, and what it is compared with.

use super::crossing::{ClockExpr, ClockOp};
use crate::catalog::Comparison;
use crate::model::{Number, Timestamp};

/// What is known of an expression that was written as a clock expression.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrozenExpr {
    /// Otherwise absent, or of another type; then it does not move, and comparisons of it with a number are false.
    pub(super) is_number: bool,
    /// The number, where the whole of it does not move now.
    pub(super) constant: Option<Number>,
    pub(super) until: Timestamp,
}

impl FrozenExpr {
    pub(super) fn then(self, clock_expr: &mut ClockExpr, clock_op: ClockOp) -> Self {
        clock_expr.ops.push(clock_op);
        FrozenExpr { constant: None, ..self }
    }

    pub(super) fn in_doubles(self) -> Self {
        FrozenExpr { constant: self.constant.map(|number| Number::Double(number.to_f64())), ..self }
    }
}

/// A clock expression compared with an integer that no double is: with the nearest double on the right side of it, and
/// the comparison that is the same with that.
pub(super) fn exact_bound(
    op: Comparison,
    left: (FrozenExpr, &mut ClockExpr),
    right: (FrozenExpr, &mut ClockExpr),
) -> Comparison {
    if let Some(bound @ Number::Integer(_)) = right.0.constant {
        return double_bound(op, bound, right.1);
    }
    match left.0.constant {
        Some(bound @ Number::Integer(_)) => double_bound(op.mirrored(), bound, left.1).mirrored(),
        _ => op,
    }
}

fn double_bound(op: Comparison, bound: Number, clock_expr: &mut ClockExpr) -> Comparison {
    let nearest = bound.to_f64();
    let is_above = Number::Double(nearest) > bound;
    let (op, double) = match op {
        _ if bound.exact_f64().is_some() => return op,
        Comparison::Less | Comparison::LessOrEqual => {
            (Comparison::LessOrEqual, if is_above { nearest.next_down() } else { nearest })
        }
        Comparison::Greater | Comparison::GreaterOrEqual => {
            (Comparison::GreaterOrEqual, if is_above { nearest } else { nearest.next_up() })
        }
        // It never is this integer, but the double beside it for a millisecond.
        Comparison::Equal | Comparison::NotEqual => return op,
    };
    clock_expr.ops.clear();
    clock_expr.ops.push(ClockOp::Number(double));
    op
}
