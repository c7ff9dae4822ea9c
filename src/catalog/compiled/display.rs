//! Checked expressions as text, for reports that explain a tag.

use super::catalog::Catalog;
use super::expr::{Arithmetic, AsciiCase, Comparison, Expr, TextTest, TimeName};
use super::value_source::{NumberSource, Source};
use crate::catalog::diagnostics::is_identifier;
use crate::model::{ArrayId, Value};

/// The precedence of operators; an operand of lower precedence stands in parentheses.
mod binding {
    pub(super) const CHOICE: u8 = 0;
    pub(super) const OR: u8 = 1;
    pub(super) const AND: u8 = 2;
    pub(super) const COMPARISON: u8 = 3;
    pub(super) const SUM: u8 = 4;
    pub(super) const PRODUCT: u8 = 5;
    pub(super) const PREFIX: u8 = 6;
    pub(super) const ATOM: u8 = 7;
}

impl Catalog {
    /// The expression as this catalog could write it.
    pub fn format_expr(&self, expr: &Expr) -> String {
        self.at_binding(expr).0
    }

    /// The expression as an operand of an operator of precedence `binding`.
    fn operand(&self, expr: &Expr, binding: u8) -> String {
        let (text, own) = self.at_binding(expr);
        if own < binding { format!("({text})") } else { text }
    }

    fn at_binding(&self, expr: &Expr) -> (String, u8) {
        let binary = |sides: &[Expr; 2], sign: &str, binding: u8| {
            let (left, right) = (self.operand(&sides[0], binding), self.operand(&sides[1], binding + 1));
            (format!("{left} {sign} {right}"), binding)
        };
        // `&&` and `||` are associative.
        let chain = |sides: &[Expr; 2], sign: &str, binding: u8| {
            let [left, right] = sides.each_ref().map(|side| self.operand(side, binding));
            (format!("{left} {sign} {right}"), binding)
        };
        let atom = |text: String| (text, binding::ATOM);
        match expr {
            Expr::Literal(value) => atom(literal(value)),
            Expr::Attribute(id) => atom(self.attributes[usize::from(id.0)].name.to_string()),
            Expr::Counter(id) => atom(self.counters[usize::from(id.0)].name.to_string()),
            Expr::Time(name) => atom(self.time_name(*name)),
            Expr::Tag(id) => atom(format!("tag.{}", self.tags[usize::from(id.0)].name)),
            Expr::Property(path) => atom(self.source(Source::Property(*path))),
            Expr::Item(path) => atom(self.source(Source::Item(*path))),
            Expr::EventType => atom("type".to_owned()),
            Expr::Since { unit, of } => atom(format!("{}_since({})", unit.name(), self.time_name(*of))),
            Expr::Until { unit, of } => atom(format!("{}_until({})", unit.name(), self.time_name(*of))),
            Expr::Between { unit, from, to } => {
                atom(format!("{}_between({}, {})", unit.name(), self.time_name(*from), self.time_name(*to)))
            }
            Expr::Calendar(function, of) => atom(format!("{}({})", function.name(), self.time_name(*of))),
            Expr::WallClock(part) => atom(format!("{}(time)", part.name())),
            Expr::Negate(x) => (format!("-{}", self.operand(x, binding::PREFIX)), binding::PREFIX),
            Expr::Not(x) => (format!("!{}", self.operand(x, binding::PREFIX)), binding::PREFIX),
            Expr::ToDouble(x) => self.at_binding(x),
            Expr::Abs(x) => atom(format!("abs({})", self.format_expr(x))),
            Expr::Has(x) => atom(format!("has({})", self.format_expr(x))),
            Expr::Arithmetic(op, sides) => match op {
                Arithmetic::Add => binary(sides, "+", binding::SUM),
                Arithmetic::Subtract => binary(sides, "-", binding::SUM),
                Arithmetic::Multiply | Arithmetic::Scale => binary(sides, "*", binding::PRODUCT),
                Arithmetic::Divide => binary(sides, "/", binding::PRODUCT),
                Arithmetic::Remainder => binary(sides, "%", binding::PRODUCT),
                Arithmetic::Min => {
                    atom(format!("min({}, {})", self.format_expr(&sides[0]), self.format_expr(&sides[1])))
                }
                Arithmetic::Max => {
                    atom(format!("max({}, {})", self.format_expr(&sides[0]), self.format_expr(&sides[1])))
                }
            },
            Expr::Compare { op, sides, .. } => {
                let [left, right] = sides.each_ref().map(|side| self.operand(side, binding::SUM));
                (format!("{left} {} {right}", op.symbol()), binding::COMPARISON)
            }
            Expr::And(sides) => chain(sides, "&&", binding::AND),
            Expr::Or(sides) => chain(sides, "||", binding::OR),
            Expr::Conditional(parts) => {
                let [condition, yes, no] = parts.each_ref().map(|part| self.operand(part, binding::OR));
                (format!("{condition} ? {yes} : {no}"), binding::CHOICE)
            }
            Expr::In(x, list) => {
                let items: Vec<String> = list.iter().map(|item| self.format_expr(item)).collect();
                (format!("{} in [{}]", self.operand(x, binding::SUM), items.join(", ")), binding::COMPARISON)
            }
            Expr::Contains(x, of) => {
                (format!("{} in {}", self.operand(x, binding::SUM), self.source(*of)), binding::COMPARISON)
            }
            Expr::Case(case, x) => {
                let method = match case {
                    AsciiCase::Lower => "lowerAscii",
                    AsciiCase::Upper => "upperAscii",
                };
                atom(format!("{}.{method}()", self.operand(x, binding::ATOM)))
            }
            Expr::Matches(x, pattern) => {
                let pattern = text_literal(pattern.source());
                atom(format!("{}.matches({pattern})", self.operand(x, binding::ATOM)))
            }
            Expr::Size(x) => atom(format!("size({})", self.format_expr(x))),
            Expr::Share(name) => atom(format!("share({})", text_literal(name))),
            Expr::Text(test, sides) => {
                let method = match test {
                    TextTest::StartsWith => "startsWith",
                    TextTest::EndsWith => "endsWith",
                    TextTest::Contains => "contains",
                };
                atom(format!("{}.{method}({})", self.operand(&sides[0], binding::ATOM), self.format_expr(&sides[1])))
            }
        }
    }

    /// The name of a time, or the call that makes a constant.
    pub(crate) fn time_name(&self, name: TimeName) -> String {
        match name {
            TimeName::Attribute(id) => self.attributes[usize::from(id.0)].name.to_string(),
            TimeName::Counter(id) => self.counters[usize::from(id.0)].name.to_string(),
            _ => name.builtin(),
        }
    }

    /// A place in an event as expressions write it.
    pub fn source(&self, source: Source) -> String {
        let (root, path) = match source {
            Source::Property(path) => ("properties", &self.paths[path.index()]),
            Source::Item(path) => ("item", &self.item_paths[path.index()]),
            Source::Time => return "time".to_owned(),
            Source::EventType => return "type".to_owned(),
        };
        path_text(root, path)
    }

    /// The array of an `each`, as it is written.
    pub fn array(&self, array: ArrayId) -> String {
        path_text("properties", &self.arrays[array.index()])
    }

    /// What an aggregate takes its number from, as the catalog could write it.
    pub fn number_source(&self, source: NumberSource) -> String {
        match source {
            NumberSource::Property(path) => self.source(Source::Property(path)),
            NumberSource::Item(path) => self.source(Source::Item(path)),
            NumberSource::Formula(id) => self.format_expr(&self.formulas[usize::from(id.0)]),
        }
    }
}

impl TimeName {
    /// The name of a time that no catalog declares, or the call that makes a constant.
    pub(crate) fn builtin(self) -> String {
        match self {
            TimeName::FirstSeen => "first_seen".to_owned(),
            TimeName::LastSeen => "last_seen".to_owned(),
            TimeName::Event => "time".to_owned(),
            TimeName::Date(date) => format!("date(\"{date}\")"),
            TimeName::Instant(at) => format!("timestamp(\"{}\")", at.to_string().replace(".000Z", "Z")),
            TimeName::Attribute(_) | TimeName::Counter(_) => String::new(),
        }
    }
}

impl Comparison {
    /// The operator as expressions write it.
    pub fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Bool(b) => b.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text_literal(text),
        Value::Time(time) => format!("timestamp(\"{time}\")"),
        Value::Date(date) => format!("date(\"{date}\")"),
    }
}

/// A text in quotes, with the escapes that expressions have.
fn text_literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            c if c.is_control() => literal.push_str(&format!("\\U{:08x}", u32::from(c))),
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

fn path_text(root: &str, path: &[Box<str>]) -> String {
    let mut text = root.to_owned();
    for part in path {
        if is_identifier(part) {
            text.push_str(&format!(".{part}"));
        } else {
            text.push_str(&format!("[{part:?}]"));
        }
    }
    text
}
