//! Expressions as the engine evaluates them: typed, with ids in place of names.

use super::catalog::{AttributeId, CounterId, TagId};
use super::pattern::Pattern;
use super::value_source::Source;
use crate::model::{Date, Number, PathId, Timestamp, Unit, Value};

/// Arithmetic on two numbers; absent when an operand is absent or not a number (spec 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    /// `*` of a decimal and a whole number that the catalog writes: exact (spec 9.1).
    Scale,
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
    /// The same comparison of a number that is never negative: it equals zero where it is not greater.
    pub fn of_unsigned(self, bound: Number) -> Self {
        match self {
            Comparison::Equal if bound == Number::ZERO => Comparison::LessOrEqual,
            Comparison::NotEqual if bound == Number::ZERO => Comparison::Greater,
            other => other,
        }
    }

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

/// A change of the letters a to z; other characters stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsciiCase {
    Lower,
    Upper,
}

/// A function of a time or date that moves only at local midnights, and is a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CalendarFunction {
    /// Local dates from the argument's to today's.
    DatesSince,
    /// Local dates from today's to the argument's.
    DatesUntil,
    /// Completed years.
    YearsSince,
    /// Local dates until the next day with the argument's month and day; 0 on the day itself.
    DatesToAnniversary,
}

impl CalendarFunction {
    pub const ALL: [CalendarFunction; 4] = [
        CalendarFunction::DatesSince,
        CalendarFunction::DatesUntil,
        CalendarFunction::YearsSince,
        CalendarFunction::DatesToAnniversary,
    ];

    pub fn name(self) -> &'static str {
        match self {
            CalendarFunction::DatesSince => "dates_since",
            CalendarFunction::DatesUntil => "dates_until",
            CalendarFunction::YearsSince => "years_since",
            CalendarFunction::DatesToAnniversary => "dates_to_anniversary",
        }
    }
}

/// A part of an event's time, as the wall clock of the catalog's time zone shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WallClockPart {
    /// 0 to 23.
    Hour,
    /// 1, Monday, to 7.
    Weekday,
    DayOfMonth,
    /// 1 to 12.
    Month,
}

impl WallClockPart {
    pub const ALL: [WallClockPart; 4] =
        [WallClockPart::Hour, WallClockPart::Weekday, WallClockPart::DayOfMonth, WallClockPart::Month];

    pub fn name(self) -> &'static str {
        match self {
            WallClockPart::Hour => "hour",
            WallClockPart::Weekday => "weekday",
            WallClockPart::DayOfMonth => "day_of_month",
            WallClockPart::Month => "month",
        }
    }
}

/// How a number moves while no event comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Motion {
    Still,
    /// Only at local midnights.
    Midnights,
    /// With the clock.
    Clock,
}

/// A time or date that has a name, or is a constant: the argument of the time functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeName {
    Attribute(AttributeId),
    Counter(CounterId),
    FirstSeen,
    LastSeen,
    /// `time` in a `where`: the time of the event.
    Event,
    /// `timestamp("…")`
    Instant(Timestamp),
    /// `date("…")`
    Date(Date),
}

/// A checked expression.
///
/// [`Expr::Property`], [`Expr::Item`], [`Expr::EventType`] and [`TimeName::Event`] occur only in a `where`; all other names occur only
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
    /// The element, or a value in it.
    Item(PathId),
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
    /// `dates_since(of)` and its like.
    Calendar(CalendarFunction, TimeName),
    /// `hour(time)` and its like, in a `where`.
    WallClock(WallClockPart),
    Negate(Box<Expr>),
    Abs(Box<Expr>),
    /// A branch of `?:` that is decimal beside one that is not: the double nearest to it.
    ToDouble(Box<Expr>),
    Arithmetic(Arithmetic, Box<[Expr; 2]>),
    /// `motion`: how the numbers on its sides move.
    Compare {
        op: Comparison,
        sides: Box<[Expr; 2]>,
        motion: Motion,
    },
    And(Box<[Expr; 2]>),
    Or(Box<[Expr; 2]>),
    Not(Box<Expr>),
    /// The condition, the value when it holds, the value when it does not hold.
    Conditional(Box<[Expr; 3]>),
    /// Whether the first expression equals one of the others.
    In(Box<Expr>, Box<[Expr]>),
    /// Whether the value is an element of the array there.
    Contains(Box<Expr>, Source),
    /// Whether the name has a value.
    Has(Box<Expr>),
    Text(TextTest, Box<[Expr; 2]>),
    /// `x.lowerAscii()`, `x.upperAscii()`.
    Case(AsciiCase, Box<Expr>),
    /// `x.matches("…")`: whether the pattern matches anywhere in the text.
    Matches(Box<Expr>, Pattern),
    /// `size(x)`: the code points of a text; in a `where` also the elements of an array.
    Size(Box<Expr>),
    /// `share("name")`: a number from 0 up to but not including 1, made of the name and the entity's key.
    Share(Box<str>),
}

impl Expr {
    /// How the value of this expression, as a number, moves between events.
    ///
    /// A comparison does not move: it changes at single instants.
    pub fn motion(&self) -> Motion {
        match self {
            Expr::Since { .. } | Expr::Until { .. } => Motion::Clock,
            Expr::Calendar(..) => Motion::Midnights,
            Expr::Negate(x) | Expr::Abs(x) | Expr::ToDouble(x) => x.motion(),
            Expr::Arithmetic(_, sides) => sides[0].motion().max(sides[1].motion()),
            Expr::Conditional(parts) => parts[1].motion().max(parts[2].motion()),
            _ => Motion::Still,
        }
    }

    /// Whether the value of this expression, as a number, moves with the clock between events.
    pub fn moves(&self) -> bool {
        self.motion() == Motion::Clock
    }

    /// Visits the operands, in order. A path of an event that stands in [`Expr::Contains`] is not one.
    pub fn for_each_operand<'e>(&'e self, mut visit: impl FnMut(&'e Expr)) {
        match self {
            Expr::Literal(_) | Expr::Attribute(_) | Expr::Counter(_) | Expr::Time(_) | Expr::Tag(_) => {}
            Expr::Property(_) | Expr::Item(_) | Expr::EventType | Expr::Share(_) => {}
            Expr::Since { .. } | Expr::Until { .. } | Expr::Between { .. } => {}
            Expr::Calendar(..) | Expr::WallClock(_) => {}
            Expr::Negate(x) | Expr::Abs(x) | Expr::Not(x) | Expr::Has(x) | Expr::Contains(x, _) => visit(x),
            Expr::ToDouble(x) | Expr::Case(_, x) | Expr::Matches(x, _) | Expr::Size(x) => visit(x),
            Expr::Arithmetic(_, sides) | Expr::Compare { sides, .. } => sides.iter().for_each(visit),
            Expr::And(sides) | Expr::Or(sides) | Expr::Text(_, sides) => sides.iter().for_each(visit),
            Expr::Conditional(parts) => parts.iter().for_each(visit),
            Expr::In(x, list) => {
                visit(x);
                list.iter().for_each(visit);
            }
        }
    }
}
