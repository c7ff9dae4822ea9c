//! The value of an expression at one instant.

use super::expression::{Arithmetic, Comparison, Expression, Name, OfDate, OfText, OfTime, TextTest, Way};
use super::instant::{DAY_MS, civil_of_day, day_of_civil};
use super::number::{DECIMAL_MAX, Number, UNIT};
use super::pattern;
use super::value::Value;
use super::zone::Zone;

/// What an expression is evaluated in.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// What names stand for.
    pub names: &'a dyn Fn(&Name) -> Value,
    pub clock: i64,
    pub zone: &'a Zone,
    /// Whether a text that is a number counts as one where a number is wanted.
    pub numbers_in_text: bool,
}

/// The expression's value in that scope.
pub fn evaluate(expression: &Expression, scope: Scope) -> Value {
    let value = |part: &Expression| evaluate(part, scope);
    let wanted = |value: Value| if scope.numbers_in_text { value.read_as_number() } else { value };
    let number = |part: &Expression| wanted(value(part)).number();
    let equal = |a: &Value, b: &Value| compare(Comparison::Equal, a, b, scope.numbers_in_text);
    match expression {
        Expression::Literal(literal) => literal.clone(),
        Expression::List(items) => Value::List(items.iter().map(value).collect()),
        Expression::Name(name) => (scope.names)(name),
        Expression::Has(name) => Value::Bool((scope.names)(name) != Value::Absent),
        Expression::Not(a) => Value::Bool(!value(a).holds()),
        Expression::And(a, b) => Value::Bool(value(a).holds() && value(b).holds()),
        Expression::Or(a, b) => Value::Bool(value(a).holds() || value(b).holds()),
        Expression::Choose(condition, a, b) => value(if value(condition).holds() { a } else { b }),
        Expression::Compare(comparison, a, b) => {
            Value::Bool(compare(*comparison, &value(a), &value(b), scope.numbers_in_text))
        }
        Expression::In(a, list) => match (value(a), value(list)) {
            (a, Value::List(items)) => Value::Bool(items.iter().any(|item| equal(&a, item))),
            _ => Value::Bool(false),
        },
        Expression::Negate(a) => number(a).map_or(Value::Absent, |number| Value::Number(number.negated())),
        Expression::Absolute(a) => number(a).map_or(Value::Absent, |number| Value::Number(number.absolute())),
        Expression::Arithmetic(operation, a, b) => match (number(a), number(b)) {
            (Some(a), Some(b)) => Value::of_number(calculate(*operation, a, b)),
            _ => Value::Absent,
        },
        Expression::AsDouble(a) => as_double(value(a)),
        Expression::TextTest(test, a, b) => match (value(a), value(b)) {
            (Value::Text(whole), Value::Text(part)) => Value::Bool(test_text(*test, &whole, &part)),
            _ => Value::Absent,
        },
        Expression::OfText(what, a) => of_text(*what, &value(a)),
        Expression::Matches(a, pattern) => match value(a) {
            Value::Text(text) => Value::Bool(pattern::matches(pattern, &text)),
            _ => Value::Absent,
        },
        Expression::Moving { way, unit_ms, time, .. } => value(time).instant().map_or(Value::Absent, |ms| match way {
            Way::Since => Value::finite((scope.clock - ms) as f64 / unit_ms),
            Way::Until => Value::finite((ms - scope.clock) as f64 / unit_ms),
        }),
        Expression::Between { unit_ms, from, to } => match (value(from).instant(), value(to).instant()) {
            (Some(from), Some(to)) => Value::finite((to - from) as f64 / unit_ms),
            _ => Value::Absent,
        },
        Expression::OfDate { what, date, .. } => {
            let today = scope.zone.day(scope.clock);
            local_day(&value(date), scope.zone)
                .map_or(Value::Absent, |day| Value::finite(of_date(*what, day, today) as f64))
        }
        Expression::OfTime(what, time) => match value(time) {
            Value::Time(ms) => Value::finite(of_time(*what, scope.zone.wall(ms)) as f64),
            _ => Value::Absent,
        },
    }
}

/// The local date that a time lies on, or that a date is.
pub fn local_day(value: &Value, zone: &Zone) -> Option<i64> {
    match value {
        Value::Date(date) => Some(date.day),
        Value::Time(ms) => Some(zone.day(*ms)),
        _ => None,
    }
}

pub fn of_date(what: OfDate, day: i64, today: i64) -> i64 {
    let (year, month, day_of_month) = civil_of_day(day);
    let anniversary = |in_year: i64| {
        let kept = if month == 2 && day_of_month == 29 && !is_leap(in_year) { 28 } else { day_of_month };
        day_of_civil(in_year, month, kept)
    };
    let this_year = civil_of_day(today).0;
    match what {
        OfDate::DatesSince => today - day,
        OfDate::DatesUntil => day - today,
        OfDate::YearsSince => this_year - year - i64::from(today < anniversary(this_year)),
        OfDate::DatesToAnniversary if today <= anniversary(this_year) => anniversary(this_year) - today,
        OfDate::DatesToAnniversary => anniversary(this_year + 1) - today,
    }
}

fn is_leap(year: i64) -> bool {
    day_of_civil(year, 3, 1) - day_of_civil(year, 2, 1) == 29
}

/// Of what the wall shows.
fn of_time(what: OfTime, wall: i64) -> i64 {
    let (_, month, day_of_month) = civil_of_day(wall.div_euclid(DAY_MS));
    match what {
        OfTime::Hour => wall.rem_euclid(DAY_MS) / 3_600_000,
        OfTime::Weekday => (wall.div_euclid(DAY_MS) + 3).rem_euclid(7) + 1, // day 0 was a Thursday
        OfTime::DayOfMonth => day_of_month,
        OfTime::Month => month,
    }
}

pub fn of_text(what: OfText, value: &Value) -> Value {
    match (what, value) {
        (OfText::Lower, Value::Text(text)) => Value::Text(text.to_ascii_lowercase()),
        (OfText::Upper, Value::Text(text)) => Value::Text(text.to_ascii_uppercase()),
        (OfText::Size, Value::Text(text)) => Value::finite(text.chars().count() as f64),
        (OfText::Size, Value::List(items)) => Value::finite(items.len() as f64),
        _ => Value::Absent,
    }
}

pub fn test_text(test: TextTest, whole: &str, part: &str) -> bool {
    match test {
        TextTest::StartsWith => whole.starts_with(part),
        TextTest::EndsWith => whole.ends_with(part),
        TextTest::Contains => whole.contains(part),
    }
}

pub fn as_double(value: Value) -> Value {
    match value {
        Value::Number(number @ Number::Decimal(_)) => Value::finite(number.double()),
        other => other,
    }
}

/// Two decimals give a decimal, all else a double; no finite number where there is no result.
pub fn calculate(operation: Arithmetic, a: Number, b: Number) -> Number {
    if let (Number::Decimal(x), Number::Decimal(y)) = (a, b) {
        let units = match operation {
            Arithmetic::Add => x + y,
            Arithmetic::Subtract => x - y,
            Arithmetic::Least => x.min(y),
            Arithmetic::Greatest => x.max(y),
            Arithmetic::Multiply => match (x % UNIT, y % UNIT) {
                // One is a whole literal.
                (_, 0) => x.saturating_mul(y / UNIT),
                (0, _) => y.saturating_mul(x / UNIT),
                _ => return Number::Double(a.double() * b.double()),
            },
            Arithmetic::Divide => return Number::Double(a.double() / b.double()),
            Arithmetic::Remainder => return Number::Double(a.double() % b.double()),
        };
        let held = units.unsigned_abs() <= DECIMAL_MAX as u128;
        return if held { Number::Decimal(units) } else { Number::Double(units as f64 * f64::INFINITY) };
    }
    let (a, b) = (a.double(), b.double());
    Number::Double(match operation {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        Arithmetic::Divide => a / b,
        Arithmetic::Remainder => a % b,
        Arithmetic::Least => a.min(b),
        Arithmetic::Greatest => a.max(b),
    })
}

/// False, whatever the comparison, for values that are absent or of two types.
fn compare(comparison: Comparison, a: &Value, b: &Value, numbers_in_text: bool) -> bool {
    if numbers_in_text && (a.number().is_some() != b.number().is_some()) {
        let (a, b) = (a.clone().read_as_number(), b.clone().read_as_number());
        return compare(comparison, &a, &b, false);
    }
    match comparison {
        Comparison::Equal => a.equals(b) == Some(true),
        Comparison::Unequal => a.equals(b) == Some(false),
        Comparison::Less => a.order(b).is_some_and(std::cmp::Ordering::is_lt),
        Comparison::LessOrEqual => a.order(b).is_some_and(std::cmp::Ordering::is_le),
        Comparison::Greater => a.order(b).is_some_and(std::cmp::Ordering::is_gt),
        Comparison::GreaterOrEqual => a.order(b).is_some_and(std::cmp::Ordering::is_ge),
    }
}
