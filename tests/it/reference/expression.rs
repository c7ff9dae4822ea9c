//! Expressions: their tree, and the reader of the part of CEL that the contract allows.

use super::number::Number;
use super::parser::Parser;
use super::tokens::{Token, tokens};
use super::value::Value;

/// Something that an expression reads.
#[derive(Clone, Debug, PartialEq)]
pub enum Name {
    /// A counter, an attribute, `tag.x`, or (of an event) `type` and `time`.
    Fact(String),
    /// `properties.…` of an event, step by step.
    Path(Vec<String>),
    /// `item.…` of an element, step by step.
    Item(Vec<String>),
    /// `share("…")` of the entity.
    Share(String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Least,
    Greatest,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    /// `…_since`: grows with the clock.
    Since,
    /// `…_until`: falls with the clock.
    Until,
}

/// What a tag's expression can know of a local date.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OfDate {
    DatesSince,
    DatesUntil,
    YearsSince,
    DatesToAnniversary,
}

/// What a `where` can know of a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OfTime {
    Hour,
    Weekday,
    DayOfMonth,
    Month,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OfText {
    Lower,
    Upper,
    Size,
}

type Sub = Box<Expression>;

#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    Literal(Value),
    List(Vec<Expression>),
    Name(Name),
    Has(Name),
    Not(Sub),
    Negate(Sub),
    Absolute(Sub),
    And(Sub, Sub),
    Or(Sub, Sub),
    Choose(Sub, Sub, Sub),
    Compare(Comparison, Sub, Sub),
    In(Sub, Sub),
    Arithmetic(Arithmetic, Sub, Sub),
    TextTest(TextTest, Sub, Sub),
    OfText(OfText, Sub),
    /// With the pattern.
    Matches(Sub, String),
    /// `days_since(t)` and its like, with the call as written.
    Moving {
        way: Way,
        unit_ms: f64,
        time: Sub,
        written: String,
    },
    /// `days_between(a, b)` and its like.
    Between {
        unit_ms: f64,
        from: Sub,
        to: Sub,
    },
    /// `dates_since(d)` and its like, with the call as written.
    OfDate {
        what: OfDate,
        date: Sub,
        written: String,
    },
    OfTime(OfTime, Sub),
    /// A decimal as the nearest double; others as they are.
    AsDouble(Sub),
}

impl Name {
    pub fn written(&self) -> String {
        match self {
            Self::Fact(name) => name.clone(),
            Self::Path(steps) => format!("properties.{}", steps.join(".")),
            Self::Item(steps) if steps.is_empty() => "item".to_owned(),
            Self::Item(steps) => format!("item.{}", steps.join(".")),
            Self::Share(name) => format!("share({})", serde_json::Value::from(name.as_str())),
        }
    }
}

impl Expression {
    /// The tree of a valid expression.
    pub fn parse(text: &str) -> Self {
        let mut parser = Parser { tokens: tokens(text), at: 0, text };
        let tree = parser.choice();
        assert_eq!(parser.next(), Token::End, "words after the end of {text:?}");
        tree
    }

    /// The expressions that stand directly in this one, in the order of the text.
    pub fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Literal(_) | Self::Name(_) | Self::Has(_) => Vec::new(),
            Self::Moving { time: a, .. } | Self::OfDate { date: a, .. } | Self::OfTime(_, a) => vec![a],
            Self::Between { from, to, .. } => vec![from, to],
            Self::List(items) => items.iter().collect(),
            Self::Not(a) | Self::Negate(a) | Self::Absolute(a) | Self::OfText(_, a) => vec![a],
            Self::Matches(a, _) | Self::AsDouble(a) => vec![a],
            Self::And(a, b) | Self::Or(a, b) | Self::In(a, b) => vec![a, b],
            Self::Compare(_, a, b) | Self::Arithmetic(_, a, b) | Self::TextTest(_, a, b) => vec![a, b],
            Self::Choose(a, b, c) => vec![a, b, c],
        }
    }

    fn parts_mut(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Literal(_) | Self::Name(_) | Self::Has(_) => Vec::new(),
            Self::Moving { time: a, .. } | Self::OfDate { date: a, .. } | Self::OfTime(_, a) => vec![a],
            Self::Between { from, to, .. } => vec![from, to],
            Self::List(items) => items.iter_mut().collect(),
            Self::Not(a) | Self::Negate(a) | Self::Absolute(a) | Self::OfText(_, a) => vec![a],
            Self::Matches(a, _) | Self::AsDouble(a) => vec![a],
            Self::And(a, b) | Self::Or(a, b) | Self::In(a, b) => vec![a, b],
            Self::Compare(_, a, b) | Self::Arithmetic(_, a, b) | Self::TextTest(_, a, b) => vec![a, b],
            Self::Choose(a, b, c) => vec![a, b, c],
        }
    }

    /// Whether it is, or has in it, such a part.
    pub fn some(&self, such: &dyn Fn(&Self) -> bool) -> bool {
        such(self) || self.parts().iter().any(|part| part.some(such))
    }

    /// Whether the clock enters.
    pub fn moves(&self) -> bool {
        self.some(&|part| matches!(part, Self::Moving { .. }))
    }

    /// Whether the local date of the clock enters.
    pub fn moves_by_dates(&self) -> bool {
        self.some(&|part| matches!(part, Self::OfDate { .. }))
    }

    /// Whether its numbers are decimals, if those of the names are as that function says.
    pub fn is_decimal(&self, of_name: &dyn Fn(&Name) -> bool) -> bool {
        let is = |part: &Self| part.is_decimal(of_name);
        match self {
            Self::Literal(Value::Number(Number::Decimal(_))) => true,
            Self::Name(name) => of_name(name),
            Self::Negate(a) | Self::Absolute(a) => is(a),
            Self::Arithmetic(Arithmetic::Divide | Arithmetic::Remainder, ..) => false,
            Self::Arithmetic(Arithmetic::Multiply, a, b) => is(a) && is(b) && (a.is_whole() || b.is_whole()),
            Self::Arithmetic(_, a, b) | Self::Choose(_, a, b) => is(a) && is(b),
            _ => false,
        }
    }

    /// Whether it is a whole-number literal.
    fn is_whole(&self) -> bool {
        matches!(self, Self::Literal(Value::Number(number)) if number.is_whole_decimal())
    }

    /// With what the catalog's time zone and the types of names decide: the instants at which dates begin, and where
    /// decimals become doubles.
    pub fn settle(&mut self, begins: &dyn Fn(i64) -> i64, of_name: &dyn Fn(&Name) -> bool) {
        for part in self.parts_mut() {
            part.settle(begins, of_name);
        }
        let is_product = matches!(self, Self::Arithmetic(Arithmetic::Multiply, ..)) && !self.is_decimal(of_name);
        match self {
            Self::Literal(Value::Date(date)) => date.begins = begins(date.day),
            Self::Arithmetic(_, a, b) if is_product => {
                a.become_double();
                b.become_double();
            }
            Self::Choose(_, a, b) => match (a.is_decimal(of_name), b.is_decimal(of_name)) {
                (true, false) => a.become_double(),
                (false, true) => b.become_double(),
                _ => {}
            },
            _ => {}
        }
    }

    /// As the expression of an aggregate: all arithmetic, literals included, in doubles.
    pub fn in_doubles(&mut self) {
        for part in self.parts_mut() {
            part.in_doubles();
        }
        match self {
            Self::Negate(a) | Self::Absolute(a) => a.become_double(),
            Self::Arithmetic(_, a, b) => {
                a.become_double();
                b.become_double();
            }
            _ => {}
        }
    }

    pub fn become_double(&mut self) {
        let inner = std::mem::replace(self, Self::List(Vec::new()));
        *self = Self::AsDouble(inner.into());
    }

    /// Every name and clock call, in the order of the text.
    pub fn leaves<'a>(&'a self, found: &mut Vec<&'a Self>) {
        match self {
            Self::Name(_) | Self::Has(_) | Self::Moving { .. } | Self::OfDate { .. } => found.push(self),
            _ => self.parts().iter().for_each(|part| part.leaves(found)),
        }
    }

    /// The names that a leaf reads.
    pub fn names(&self) -> Vec<Name> {
        match self {
            Self::Name(name) | Self::Has(name) => vec![name.clone()],
            Self::Moving { time: a, .. } | Self::OfDate { date: a, .. } => a.names(),
            _ => Vec::new(),
        }
    }
}
