//! Expressions as the engine evaluates them: typed, with ids in place of names.

use super::catalog::{AttributeId, CounterId, TagId};
use crate::model::{PathId, Unit, Value};

/// Arithmetic on two numbers; absent when an operand is absent or not a number (spec 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    /// Absent for a divisor of zero.
    Divide,
    /// Keeps the dividend's sign; absent for a divisor of zero.
    Remainder,
    Min,
    Max,
}

/// A comparison: false when an operand is absent, or when the operands' types differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The same comparison with its sides exchanged.
    pub fn mirrored(self) -> Self {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
            Comparison::Equal | Comparison::NotEqual => self,
        }
    }
}

/// Tests of one string against another; absent when one is not a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
}

/// A time that has a name: the argument of the time functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeName {
    Attribute(AttributeId),
    Counter(CounterId),
    FirstSeen,
    LastSeen,
    /// `time` in a `where`: the time of the event.
    Event,
}

/// A checked expression.
///
/// [`Expr::Property`], [`Expr::EventType`] and [`TimeName::Event`] occur only in a `where`; all other names occur only
/// elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    Literal(Value),
    Attribute(AttributeId),
    Counter(CounterId),
    /// The time itself, as a value or in a comparison.
    Time(TimeName),
    /// Whether a rule's tag is on (never absent), or the value of another tag.
    Tag(TagId),
    Property(PathId),
    /// `type` in a `where`.
    EventType,
    /// `days_since(of)` and its like: `(clock − of) / unit`.
    Since {
        unit: Unit,
        of: TimeName,
    },
    /// `days_until(of)` and its like: `(of − clock) / unit`.
    Until {
        unit: Unit,
        of: TimeName,
    },
    /// `days_between(from, to)` and its like: `(to − from) / unit`.
    Between {
        unit: Unit,
        from: TimeName,
        to: TimeName,
    },
    Negate(Box<Expr>),
    Abs(Box<Expr>),
    Arithmetic(Arithmetic, Box<[Expr; 2]>),
    /// `moves`: whether a side is a number that moves with the clock.
    Compare {
        op: Comparison,
        sides: Box<[Expr; 2]>,
        moves: bool,
    },
    And(Box<[Expr; 2]>),
    Or(Box<[Expr; 2]>),
    Not(Box<Expr>),
    /// The condition, the value when it holds, the value when it does not hold.
    Conditional(Box<[Expr; 3]>),
    /// Whether the first expression equals one of the others.
    In(Box<Expr>, Box<[Expr]>),
    /// Whether the value is an element of the array at the path.
    Contains(Box<Expr>, PathId),
    /// Whether the name has a value.
    Has(Box<Expr>),
    Text(TextTest, Box<[Expr; 2]>),
}

impl Expr {
    /// Whether the value of this expression, as a number, moves with the clock between events.
    ///
    /// A comparison does not move: it changes at single instants.
    pub fn moves(&self) -> bool {
        match self {
            Expr::Since { .. } | Expr::Until { .. } => true,
            Expr::Negate(x) | Expr::Abs(x) => x.moves(),
            Expr::Arithmetic(_, sides) => sides.iter().any(Expr::moves),
            Expr::Conditional(parts) => parts[1].moves() || parts[2].moves(),
            _ => false,
        }
    }
}
