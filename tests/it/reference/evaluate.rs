//! The value of an expression at one instant.

use super::expression::{Arithmetic, Comparison, Expression, Name, TextTest, Way};
use super::number::Number;
use super::value::Value;

/// What names stand for.
pub type Lookup<'a> = &'a dyn Fn(&Name) -> Value;

/// The expression's value when the clock shows `clock`.
pub fn evaluate(expression: &Expression, names: Lookup, clock: i64) -> Value {
    let value = |part: &Expression| evaluate(part, names, clock);
    let time = |name: &Name| match names(name) {
        Value::Time(ms) => Some(ms),
        _ => None,
    };
    match expression {
        Expression::Literal(literal) => literal.clone(),
        Expression::List(items) => Value::List(items.iter().map(value).collect()),
        Expression::Name(name) => names(name),
        Expression::Has(name) => Value::Bool(names(name) != Value::Absent),
        Expression::Not(a) => Value::Bool(!value(a).holds()),
        Expression::And(a, b) => Value::Bool(value(a).holds() && value(b).holds()),
        Expression::Or(a, b) => Value::Bool(value(a).holds() || value(b).holds()),
        Expression::Choose(condition, a, b) => value(if value(condition).holds() { a } else { b }),
        Expression::Compare(comparison, a, b) => Value::Bool(compare(*comparison, &value(a), &value(b))),
        Expression::In(a, list) => Value::Bool(is_in(&value(a), &value(list))),
        Expression::Negate(a) => match value(a) {
            Value::Number(number) => Value::Number(number.negated()),
            _ => Value::Absent,
        },
        Expression::Absolute(a) => match value(a) {
            Value::Number(number) => Value::Number(number.absolute()),
            _ => Value::Absent,
        },
        Expression::InDoubles(a) => match value(a) {
            Value::Number(number) => Value::Number(number.without_decimal()),
            other => other,
        },
        Expression::Arithmetic(operation, a, b) => {
            let by_whole_literal = a.is_whole_literal() || b.is_whole_literal();
            match (value(a), value(b)) {
                (Value::Number(a), Value::Number(b)) => match calculate(*operation, a, b, by_whole_literal) {
                    Number::Double(number) => Value::finite(number),
                    number => Value::Number(number),
                },
                _ => Value::Absent,
            }
        }
        Expression::TextTest(test, a, b) => match (value(a), value(b)) {
            (Value::Text(whole), Value::Text(part)) => Value::Bool(match test {
                TextTest::StartsWith => whole.starts_with(&part),
                TextTest::EndsWith => whole.ends_with(&part),
                TextTest::Contains => whole.contains(&part),
            }),
            _ => Value::Absent,
        },
        Expression::Moving { way, unit_ms, time: name, .. } => time(name).map_or(Value::Absent, |ms| match way {
            Way::Since => Value::finite((clock - ms) as f64 / unit_ms),
            Way::Until => Value::finite((ms - clock) as f64 / unit_ms),
        }),
        Expression::Between { unit_ms, from, to } => match (time(from), time(to)) {
            (Some(from), Some(to)) => Value::finite((to - from) as f64 / unit_ms),
            _ => Value::Absent,
        },
    }
}

/// Division by zero, and what is too large, come out as no finite number.
pub fn calculate(operation: Arithmetic, a: Number, b: Number, by_whole_literal: bool) -> Number {
    Number::exactly(operation, a, b, by_whole_literal)
        .unwrap_or_else(|| Number::Double(calculate_doubles(operation, a.double(), b.double())))
}

fn calculate_doubles(operation: Arithmetic, a: f64, b: f64) -> f64 {
    match operation {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        Arithmetic::Divide => a / b,
        Arithmetic::Remainder => a % b,
        Arithmetic::Least => a.min(b),
        Arithmetic::Greatest => a.max(b),
    }
}

/// False, whatever the comparison, for values that are absent or of two types.
pub fn compare(comparison: Comparison, a: &Value, b: &Value) -> bool {
    match comparison {
        Comparison::Equal => a.equals(b) == Some(true),
        Comparison::Unequal => a.equals(b) == Some(false),
        Comparison::Less => a.order(b).is_some_and(std::cmp::Ordering::is_lt),
        Comparison::LessOrEqual => a.order(b).is_some_and(std::cmp::Ordering::is_le),
        Comparison::Greater => a.order(b).is_some_and(std::cmp::Ordering::is_gt),
        Comparison::GreaterOrEqual => a.order(b).is_some_and(std::cmp::Ordering::is_ge),
    }
}

fn is_in(a: &Value, list: &Value) -> bool {
    matches!(list, Value::List(items) if items.iter().any(|item| a.equals(item) == Some(true)))
}
