//! Expressions: their tree, and the reader of the part of CEL that the contract allows.

use super::instant;
use super::number::Number;
use super::tokens::{Token, tokens};
use super::value::{Date, Value};

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
            if let Token::Number(text) = &self.tokens[self.at] {
                let literal = Number::literal(&format!("-{text}"));
                self.at += 1;
                return Expression::Literal(Value::Number(literal));
            }
            return Expression::Negate(self.unary().into());
        }
        let mut whole = self.primary();
        while self.take(".") {
            let Token::Name(method) = self.next() else { panic!("no method in {:?}", self.text) };
            self.need("(");
            whole = self.method(&method, whole);
            self.need(")");
        }
        whole
    }

    fn method(&mut self, method: &str, whole: Expression) -> Expression {
        let test = match method {
            "lowerAscii" => return Expression::OfText(OfText::Lower, whole.into()),
            "upperAscii" => return Expression::OfText(OfText::Upper, whole.into()),
            "matches" => {
                let Token::Text(pattern) = self.next() else { panic!("no pattern in {:?}", self.text) };
                return Expression::Matches(whole.into(), pattern);
            }
            "startsWith" => TextTest::StartsWith,
            "endsWith" => TextTest::EndsWith,
            "contains" => TextTest::Contains,
            other => panic!("no method {other:?}"),
        };
        Expression::TextTest(test, whole.into(), self.choice().into())
    }

    fn primary(&mut self) -> Expression {
        match self.next() {
            Token::Number(text) => Expression::Literal(Value::Number(Number::literal(&text))),
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
        let rooted: fn(Vec<String>) -> Name = match first.as_str() {
            "properties" => Name::Path,
            "item" => Name::Item,
            _ => return Name::Fact(first),
        };
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
                    return rooted(steps);
                }
                steps.push(step);
            } else {
                return rooted(steps);
            }
        }
    }

    fn call(&mut self, function: &str) -> Expression {
        let call = match function {
            "has" => Expression::Has(self.name()),
            "abs" => Expression::Absolute(self.choice().into()),
            "size" => Expression::OfText(OfText::Size, self.choice().into()),
            "share" => Expression::Name(Name::Share(self.string())),
            "date" | "timestamp" => {
                self.at -= 2;
                self.time().0
            }
            "min" | "max" => {
                let operation = if function == "min" { Arithmetic::Least } else { Arithmetic::Greatest };
                let left = self.choice();
                self.need(",");
                Expression::Arithmetic(operation, left.into(), self.choice().into())
            }
            "hour" => Expression::OfTime(OfTime::Hour, self.time().0.into()),
            "weekday" => Expression::OfTime(OfTime::Weekday, self.time().0.into()),
            "day_of_month" => Expression::OfTime(OfTime::DayOfMonth, self.time().0.into()),
            "month" => Expression::OfTime(OfTime::Month, self.time().0.into()),
            _ => self.call_on_times(function),
        };
        if !matches!(function, "date" | "timestamp") {
            self.need(")");
        }
        call
    }

    fn string(&mut self) -> String {
        let Token::Text(text) = self.next() else { panic!("no text in {:?}", self.text) };
        text
    }

    /// The name or constant of a time, and how it is written.
    fn time(&mut self) -> (Expression, String) {
        let constant = matches!(&self.tokens[self.at], Token::Name(word) if word == "date" || word == "timestamp");
        if !constant || self.tokens[self.at + 1] != Token::Mark("(") {
            let name = self.name();
            let written = name.written();
            return (Expression::Name(name), written);
        }
        let Token::Name(function) = self.next() else { panic!("no function in {:?}", self.text) };
        self.need("(");
        let text = self.string();
        self.need(")");
        let value = match function.as_str() {
            "date" => Value::Date(Date { day: instant::parse_date(&text).expect("a date"), begins: 0 }),
            _ => Value::Time(instant::parse(&text).expect("a time")),
        };
        (Expression::Literal(value), format!("{function}({})", serde_json::Value::from(text)))
    }

    fn call_on_times(&mut self, function: &str) -> Expression {
        let of_date = match function {
            "dates_since" => Some(OfDate::DatesSince),
            "dates_until" => Some(OfDate::DatesUntil),
            "years_since" => Some(OfDate::YearsSince),
            "dates_to_anniversary" => Some(OfDate::DatesToAnniversary),
            _ => None,
        };
        let (time, name) = self.time();
        let written = format!("{function}({name})");
        if let Some(what) = of_date {
            return Expression::OfDate { what, date: time.into(), written };
        }
        let (unit, kind) = function.split_once('_').unwrap_or_else(|| panic!("no function {function:?}"));
        let unit_ms = match unit {
            "days" => 86_400_000.0,
            "hours" => 3_600_000.0,
            "minutes" => 60_000.0,
            "seconds" => 1000.0,
            other => panic!("no unit of time {other:?}"),
        };
        match kind {
            "since" => Expression::Moving { way: Way::Since, unit_ms, time: time.into(), written },
            "until" => Expression::Moving { way: Way::Until, unit_ms, time: time.into(), written },
            "between" => {
                self.need(",");
                Expression::Between { unit_ms, from: time.into(), to: self.time().0.into() }
            }
            other => panic!("no function of the clock {other:?}"),
        }
    }
}
