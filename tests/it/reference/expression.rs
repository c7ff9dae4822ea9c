//! Expressions: their tree, and the reader of the part of CEL that the contract allows.

use super::decimal::ONE;
use super::number::Number;
use super::tokens::{Token, tokens};
use super::value::Value;

/// Something that an expression reads.
#[derive(Clone, Debug, PartialEq)]
pub enum Name {
    /// A counter, an attribute, `tag.x`, or (of an event) `type` and `time`.
    Fact(String),
    /// `properties.…` of an event, step by step.
    Path(Vec<String>),
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
    /// A branch that is decimal where the other one is not.
    InDoubles(Sub),
    And(Sub, Sub),
    Or(Sub, Sub),
    Choose(Sub, Sub, Sub),
    Compare(Comparison, Sub, Sub),
    In(Sub, Sub),
    Arithmetic(Arithmetic, Sub, Sub),
    TextTest(TextTest, Sub, Sub),
    /// `days_since(t)` and its like, with the call as written.
    Moving {
        way: Way,
        unit_ms: f64,
        time: Name,
        written: String,
    },
    /// `days_between(a, b)` and its like.
    Between {
        unit_ms: f64,
        from: Name,
        to: Name,
    },
}

impl Name {
    pub fn written(&self) -> String {
        match self {
            Self::Fact(name) => name.clone(),
            Self::Path(steps) => format!("properties.{}", steps.join(".")),
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
            Self::Literal(_) | Self::Name(_) | Self::Has(_) | Self::Moving { .. } | Self::Between { .. } => Vec::new(),
            Self::List(items) => items.iter().collect(),
            Self::Not(a) | Self::Negate(a) | Self::Absolute(a) | Self::InDoubles(a) => vec![a],
            Self::And(a, b) | Self::Or(a, b) | Self::In(a, b) => vec![a, b],
            Self::Compare(_, a, b) | Self::Arithmetic(_, a, b) | Self::TextTest(_, a, b) => vec![a, b],
            Self::Choose(a, b, c) => vec![a, b, c],
        }
    }

    /// Whether it is a whole number that the catalog writes.
    pub fn is_whole_literal(&self) -> bool {
        matches!(self, Self::Literal(Value::Number(Number::Decimal(number))) if number % ONE == 0)
    }

    /// Whether it is decimal, by what the names are.
    pub fn is_decimal(&self, names: &dyn Fn(&Name) -> bool) -> bool {
        match self {
            Self::Literal(Value::Number(number)) => matches!(number, Number::Decimal(_)),
            Self::Name(name) => names(name),
            Self::Negate(a) | Self::Absolute(a) => a.is_decimal(names),
            Self::Arithmetic(operation, a, b) => {
                let exact = match operation {
                    Arithmetic::Multiply => a.is_whole_literal() || b.is_whole_literal(),
                    Arithmetic::Divide | Arithmetic::Remainder => false,
                    _ => true,
                };
                exact && a.is_decimal(names) && b.is_decimal(names)
            }
            Self::Choose(_, a, b) => a.is_decimal(names) && b.is_decimal(names),
            _ => false,
        }
    }

    /// The same, with decimals in doubles where they stand beside a branch that is not decimal.
    pub fn settled(self, names: &dyn Fn(&Name) -> bool) -> Self {
        let sub = |a: Sub| Box::new(a.settled(names));
        match self {
            Self::Choose(condition, a, b) => {
                let (condition, a, b) = (sub(condition), sub(a), sub(b));
                match (a.is_decimal(names), b.is_decimal(names)) {
                    (true, false) => Self::Choose(condition, Self::InDoubles(a).into(), b),
                    (false, true) => Self::Choose(condition, a, Self::InDoubles(b).into()),
                    _ => Self::Choose(condition, a, b),
                }
            }
            Self::List(items) => Self::List(items.into_iter().map(|item| item.settled(names)).collect()),
            Self::Not(a) => Self::Not(sub(a)),
            Self::Negate(a) => Self::Negate(sub(a)),
            Self::Absolute(a) => Self::Absolute(sub(a)),
            Self::InDoubles(a) => Self::InDoubles(sub(a)),
            Self::And(a, b) => Self::And(sub(a), sub(b)),
            Self::Or(a, b) => Self::Or(sub(a), sub(b)),
            Self::In(a, b) => Self::In(sub(a), sub(b)),
            Self::Compare(comparison, a, b) => Self::Compare(comparison, sub(a), sub(b)),
            Self::Arithmetic(operation, a, b) => Self::Arithmetic(operation, sub(a), sub(b)),
            Self::TextTest(test, a, b) => Self::TextTest(test, sub(a), sub(b)),
            Self::Literal(_) | Self::Name(_) | Self::Has(_) | Self::Moving { .. } | Self::Between { .. } => self,
        }
    }

    /// Whether the clock enters.
    pub fn moves(&self) -> bool {
        matches!(self, Self::Moving { .. }) || self.parts().iter().any(|part| part.moves())
    }

    /// Every name and clock call, in the order of the text.
    pub fn leaves<'a>(&'a self, found: &mut Vec<&'a Self>) {
        match self {
            Self::Name(_) | Self::Has(_) | Self::Moving { .. } | Self::Between { .. } => found.push(self),
            _ => self.parts().iter().for_each(|part| part.leaves(found)),
        }
    }

    /// The names that a leaf reads.
    pub fn names(&self) -> Vec<Name> {
        match self {
            Self::Name(name) | Self::Has(name) | Self::Moving { time: name, .. } => vec![name.clone()],
            Self::Between { from, to, .. } => vec![from.clone(), to.clone()],
            _ => Vec::new(),
        }
    }
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    text: &'a str,
}

impl Parser<'_> {
    fn next(&mut self) -> Token {
        let token = self.tokens[self.at].clone();
        self.at += 1;
        token
    }

    fn take(&mut self, mark: &'static str) -> bool {
        let taken = self.tokens[self.at] == Token::Mark(mark);
        self.at += usize::from(taken);
        taken
    }

    fn need(&mut self, mark: &'static str) {
        assert!(self.take(mark), "expected {mark:?} in {:?}", self.text);
    }

    fn choice(&mut self) -> Expression {
        let condition = self.either();
        if !self.take("?") {
            return condition;
        }
        let then = self.either();
        self.need(":");
        Expression::Choose(condition.into(), then.into(), self.choice().into())
    }

    fn either(&mut self) -> Expression {
        let mut left = self.both();
        while self.take("||") {
            left = Expression::Or(left.into(), self.both().into());
        }
        left
    }

    fn both(&mut self) -> Expression {
        let mut left = self.relation();
        while self.take("&&") {
            left = Expression::And(left.into(), self.relation().into());
        }
        left
    }

    fn relation(&mut self) -> Expression {
        let mut left = self.sum();
        loop {
            let comparison = match &self.tokens[self.at] {
                Token::Mark("==") => Comparison::Equal,
                Token::Mark("!=") => Comparison::Unequal,
                Token::Mark("<") => Comparison::Less,
                Token::Mark("<=") => Comparison::LessOrEqual,
                Token::Mark(">") => Comparison::Greater,
                Token::Mark(">=") => Comparison::GreaterOrEqual,
                Token::Name(word) if word == "in" => {
                    self.at += 1;
                    left = Expression::In(left.into(), self.sum().into());
                    continue;
                }
                _ => return left,
            };
            self.at += 1;
            left = Expression::Compare(comparison, left.into(), self.sum().into());
        }
    }

    fn sum(&mut self) -> Expression {
        let mut left = self.product();
        loop {
            let operation = match self.tokens[self.at] {
                Token::Mark("+") => Arithmetic::Add,
                Token::Mark("-") => Arithmetic::Subtract,
                _ => return left,
            };
            self.at += 1;
            left = Expression::Arithmetic(operation, left.into(), self.product().into());
        }
    }

    fn product(&mut self) -> Expression {
        let mut left = self.unary();
        loop {
            let operation = match self.tokens[self.at] {
                Token::Mark("*") => Arithmetic::Multiply,
                Token::Mark("/") => Arithmetic::Divide,
                Token::Mark("%") => Arithmetic::Remainder,
                _ => return left,
            };
            self.at += 1;
            left = Expression::Arithmetic(operation, left.into(), self.unary().into());
        }
    }

    fn unary(&mut self) -> Expression {
        if self.take("!") {
            return Expression::Not(self.unary().into());
        }
        if self.take("-") {
            if let Token::Number(digits) = self.tokens[self.at].clone() {
                self.at += 1;
                return Expression::Literal(Value::Number(Number::of_catalog(&format!("-{digits}"))));
            }
            return Expression::Negate(self.unary().into());
        }
        let mut whole = self.primary();
        while self.take(".") {
            let Token::Name(method) = self.next() else { panic!("no method in {:?}", self.text) };
            let test = match method.as_str() {
                "startsWith" => TextTest::StartsWith,
                "endsWith" => TextTest::EndsWith,
                "contains" => TextTest::Contains,
                other => panic!("no method {other:?}"),
            };
            self.need("(");
            whole = Expression::TextTest(test, whole.into(), self.choice().into());
            self.need(")");
        }
        whole
    }

    fn primary(&mut self) -> Expression {
        match self.next() {
            Token::Number(digits) => Expression::Literal(Value::Number(Number::of_catalog(&digits))),
            Token::Text(text) => Expression::Literal(Value::Text(text)),
            Token::Mark("(") => {
                let inner = self.choice();
                self.need(")");
                inner
            }
            Token::Mark("[") => {
                let mut items = Vec::new();
                while !self.take("]") {
                    items.push(self.choice());
                    let _ = self.take(",");
                }
                Expression::List(items)
            }
            Token::Name(word) => match word.as_str() {
                "true" => Expression::Literal(Value::Bool(true)),
                "false" => Expression::Literal(Value::Bool(false)),
                _ if self.take("(") => self.call(&word),
                _ => {
                    self.at -= 1;
                    Expression::Name(self.name())
                }
            },
            other => panic!("unexpected {other:?} in {:?}", self.text),
        }
    }

    /// A name with its steps; a method that follows is left alone.
    fn name(&mut self) -> Name {
        let Token::Name(first) = self.next() else { panic!("no name in {:?}", self.text) };
        if first == "tag" {
            self.need(".");
            let Token::Name(tag) = self.next() else { panic!("no tag in {:?}", self.text) };
            return Name::Fact(format!("tag.{tag}"));
        }
        if first != "properties" {
            return Name::Fact(first);
        }
        let mut steps = Vec::new();
        loop {
            let here = self.at;
            if self.take("[") {
                let Token::Text(step) = self.next() else { panic!("no text in {:?}", self.text) };
                steps.push(step);
                self.need("]");
            } else if self.take(".") {
                let Token::Name(step) = self.next() else { panic!("no step in {:?}", self.text) };
                if self.tokens[self.at] == Token::Mark("(") {
                    self.at = here;
                    return Name::Path(steps);
                }
                steps.push(step);
            } else {
                return Name::Path(steps);
            }
        }
    }

    fn call(&mut self, function: &str) -> Expression {
        let call = match function {
            "has" => Expression::Has(self.name()),
            "abs" => Expression::Absolute(self.choice().into()),
            "min" | "max" => {
                let operation = if function == "min" { Arithmetic::Least } else { Arithmetic::Greatest };
                let left = self.choice();
                self.need(",");
                Expression::Arithmetic(operation, left.into(), self.choice().into())
            }
            _ => self.call_on_times(function),
        };
        self.need(")");
        call
    }

    fn call_on_times(&mut self, function: &str) -> Expression {
        let (unit, kind) = function.split_once('_').unwrap_or_else(|| panic!("no function {function:?}"));
        let unit_ms = match unit {
            "days" => 86_400_000.0,
            "hours" => 3_600_000.0,
            "minutes" => 60_000.0,
            "seconds" => 1000.0,
            other => panic!("no unit of time {other:?}"),
        };
        let time = self.name();
        let written = format!("{function}({})", time.written());
        match kind {
            "since" => Expression::Moving { way: Way::Since, unit_ms, time, written },
            "until" => Expression::Moving { way: Way::Until, unit_ms, time, written },
            "between" => {
                self.need(",");
                Expression::Between { unit_ms, from: time, to: self.name() }
            }
            other => panic!("no function of the clock {other:?}"),
        }
    }
}
