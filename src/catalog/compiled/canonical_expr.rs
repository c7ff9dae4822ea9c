//! Expressions in the text that a fingerprint is made of.

use super::expr::{Arithmetic, Expr, Motion, TimeName};
use super::fingerprint::{Canonical, EVENT_TYPE};
use super::value_source::Source;
use crate::model::{Decimal, Number, Value};

impl Canonical<'_> {
    pub(super) fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Literal(value) => self.literal(value),
            Expr::Attribute(id) => self.put(format_args!("Attribute(AttributeId({}))", id.0)),
            Expr::Counter(id) => self.put(format_args!("Counter(CounterId({}))", id.0)),
            Expr::Time(name) => {
                self.word("Time(");
                self.time_name(*name);
                self.word(")");
            }
            Expr::Tag(id) => self.put(format_args!("Tag(TagId({}))", id.0)),
            Expr::Property(path) => self.of_path("Property", *path),
            Expr::Item(path) => self.item(*path),
            Expr::EventType => self.word(EVENT_TYPE),
            Expr::Since { unit, of } => {
                self.put(format_args!("Since {{ unit: {unit:?}, of: "));
                self.time_name(*of);
                self.word(" }");
            }
            Expr::Until { unit, of } => {
                self.put(format_args!("Until {{ unit: {unit:?}, of: "));
                self.time_name(*of);
                self.word(" }");
            }
            Expr::Between { unit, from, to } => {
                self.put(format_args!("Between {{ unit: {unit:?}, from: "));
                self.time_name(*from);
                self.word(", to: ");
                self.time_name(*to);
                self.word(" }");
            }
            operation => self.operation(operation),
        }
    }

    /// Writes an expression that has operands.
    fn operation(&mut self, expr: &Expr) {
        match expr {
            Expr::Negate(x) => self.operand("Negate", x),
            Expr::Abs(x) => self.operand("Abs", x),
            // It follows from the types of the branches.
            Expr::ToDouble(x) => self.expr(x),
            Expr::Not(x) => self.operand("Not", x),
            Expr::Has(x) => self.operand("Has", x),
            Expr::Arithmetic(op, sides) => {
                let op = if *op == Arithmetic::Scale { &Arithmetic::Multiply } else { op };
                self.put(format_args!("Arithmetic({op:?}, "));
                self.operands("", &**sides);
            }
            Expr::Compare { op, sides, motion } => {
                let moves = match motion {
                    Motion::Still => "false",
                    Motion::Midnights => "midnights",
                    Motion::Clock => "true",
                };
                self.put(format_args!("Compare {{ op: {op:?}, sides: "));
                self.list(&**sides, Self::expr);
                self.put(format_args!(", moves: {moves} }}"));
            }
            Expr::And(sides) => self.operands("And(", &**sides),
            Expr::Or(sides) => self.operands("Or(", &**sides),
            Expr::Conditional(parts) => self.operands("Conditional(", &**parts),
            Expr::In(x, list) => {
                self.word("In(");
                self.expr(x);
                self.operands(", ", list);
            }
            Expr::Contains(x, Source::Property(path)) => {
                self.word("Contains(");
                self.expr(x);
                self.put(format_args!(", PathId({}))", path.0));
            }
            Expr::Contains(x, of) => {
                self.word("Contains(");
                self.expr(x);
                self.word(", ");
                self.source(*of);
                self.word(")");
            }
            Expr::Text(test, sides) => {
                self.put(format_args!("Text({test:?}, "));
                self.operands("", &**sides);
            }
            Expr::Case(case, x) => {
                self.put(format_args!("Case({case:?}, "));
                self.expr(x);
                self.word(")");
            }
            Expr::Matches(x, pattern) => {
                self.word("Matches(");
                self.expr(x);
                self.put(format_args!(", {:?})", pattern.source()));
            }
            Expr::Calendar(function, of) => {
                self.put(format_args!("Calendar({}, ", function.name()));
                self.time_name(*of);
                self.word(")");
            }
            Expr::WallClock(part) => self.put(format_args!("WallClock({})", part.name())),
            Expr::Size(x) => self.operand("Size", x),
            Expr::Share(name) => self.put(format_args!("Share({name:?})")),
            Expr::Literal(_) | Expr::Attribute(_) | Expr::Counter(_) | Expr::Time(_) | Expr::Tag(_) => {}
            Expr::Property(_)
            | Expr::Item(_)
            | Expr::EventType
            | Expr::Since { .. }
            | Expr::Until { .. }
            | Expr::Between { .. } => {}
        }
    }

    fn operand(&mut self, word: &str, operand: &Expr) {
        self.put(format_args!("{word}("));
        self.expr(operand);
        self.word(")");
    }

    fn operands(&mut self, open: &str, operands: &[Expr]) {
        self.word(open);
        self.list(operands, Self::expr);
        self.word(")");
    }

    fn literal(&mut self, value: &Value) {
        match value {
            Value::Bool(value) => self.put(format_args!("Literal(Bool({value}))")),
            Value::Number(value) => {
                self.word("Literal(Number(");
                self.number(*value);
                self.word("))");
            }
            Value::String(value) => self.put(format_args!("Literal(String({value:?}))")),
            Value::Time(value) => self.put(format_args!("Literal(Time({value:?}))")),
            Value::Date(value) => self.put(format_args!("Literal(Date({value}))")),
        }
    }

    pub(super) fn number(&mut self, number: Number) {
        self.word(&number_word(number));
    }

    fn time_name(&mut self, name: TimeName) {
        match name {
            TimeName::Attribute(id) => self.put(format_args!("Attribute(AttributeId({}))", id.0)),
            TimeName::Counter(id) => self.put(format_args!("Counter(CounterId({}))", id.0)),
            TimeName::FirstSeen => self.word("FirstSeen"),
            TimeName::LastSeen => self.word("LastSeen"),
            TimeName::Event => self.word("Event"),
            TimeName::Instant(at) => self.put(format_args!("Instant({})", at.ms())),
            TimeName::Date(date) => self.put(format_args!("Date({date})")),
        }
    }
}

/// The word for a number of a catalog in texts that outlive a version of the program: its double, where that tells it
/// from all other numbers that a catalog can write.
pub(crate) fn number_word(number: Number) -> String {
    let text = format!("{:?}", number.to_f64());
    let of_text = Decimal::literal(&text);
    match number {
        Number::Decimal(decimal) if of_text != Some(decimal) => decimal.to_string(),
        Number::Double(_) if of_text.is_some() => format!("double {text}"),
        _ => text,
    }
}
