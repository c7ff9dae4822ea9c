//! Reads an expression from its tokens.

use super::expression::{Arithmetic, Comparison, Expression, Name, OfDate, OfText, OfTime, TextTest, Way};
use super::instant;
use super::number::Number;
use super::tokens::Token;
use super::value::{Date, Value};

pub struct Parser<'a> {
    pub tokens: Vec<Token>,
    pub at: usize,
    pub text: &'a str,
}

impl Parser<'_> {
    pub fn next(&mut self) -> Token {
        let token = self.tokens[self.at].clone();
        self.at += 1;
        token
    }

    pub fn take(&mut self, mark: &'static str) -> bool {
        let taken = self.tokens[self.at] == Token::Mark(mark);
        self.at += usize::from(taken);
        taken
    }

    pub fn need(&mut self, mark: &'static str) {
        assert!(self.take(mark), "expected {mark:?} in {:?}", self.text);
    }

    pub fn choice(&mut self) -> Expression {
        let condition = self.either();
        if !self.take("?") {
            return condition;
        }
        let then = self.either();
        self.need(":");
        Expression::Choose(condition.into(), then.into(), self.choice().into())
    }

    pub fn either(&mut self) -> Expression {
        let mut left = self.both();
        while self.take("||") {
            left = Expression::Or(left.into(), self.both().into());
        }
        left
    }

    pub fn both(&mut self) -> Expression {
        let mut left = self.relation();
        while self.take("&&") {
            left = Expression::And(left.into(), self.relation().into());
        }
        left
    }

    pub fn relation(&mut self) -> Expression {
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

    pub fn sum(&mut self) -> Expression {
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

    pub fn product(&mut self) -> Expression {
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

    pub fn unary(&mut self) -> Expression {
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

    pub fn method(&mut self, method: &str, whole: Expression) -> Expression {
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

    pub fn primary(&mut self) -> Expression {
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
    pub fn name(&mut self) -> Name {
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

    pub fn call(&mut self, function: &str) -> Expression {
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

    pub fn string(&mut self) -> String {
        let Token::Text(text) = self.next() else { panic!("no text in {:?}", self.text) };
        text
    }

    /// The name or constant of a time, and how it is written.
    pub fn time(&mut self) -> (Expression, String) {
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
        let (value, text) = match function.as_str() {
            "date" => (Value::Date(Date { day: instant::parse_date(&text).expect("a date"), begins: 0 }), text),
            _ => {
                let ms = instant::parse(&text).expect("a time");
                // It is shown in UTC.
                (Value::Time(ms), instant::write(ms).replace(".000Z", "Z"))
            }
        };
        (Expression::Literal(value), format!("{function}({})", serde_json::Value::from(text)))
    }

    pub fn call_on_times(&mut self, function: &str) -> Expression {
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
