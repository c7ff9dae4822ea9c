//! From the syntax tree of an expression to a checked [`Expr`]: names are resolved, types agree, the clock enters
//! linearly.

use super::arithmetic::since_names;
use super::scope::{Interner, NameTable, Owner};
use super::types::{NumberForm, Type, TypedExpr};
use crate::catalog::compiled::{Arithmetic, Comparison, EntityKind, Expr, Motion};
use crate::catalog::diagnostics::{Problem, Report, Span};
use crate::catalog::parse::{Ast, AstNode, BinaryOp};
use crate::catalog::raw::ExpressionText;
use crate::model::{Date, Number, Timestamp, Value};

/// What an expression is about, which decides the names that it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// One event: a `where`.
    Event,
    /// An entity of this kind: every other expression.
    Entity(Owner),
}

/// Whether an expression over an event may look at an element of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemUse {
    None,
    /// As `item`.
    Each,
}

/// The numbers with which an expression computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberUse {
    /// Decimals, where the operations are exact on them.
    Exact,
    /// Doubles, literals included; comparisons take numbers as they are.
    Doubles,
}

/// How the clock may enter an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockUse {
    /// Only linearly, so that the instant at which a comparison changes can be computed.
    Linear,
    /// In any way: the caller decides when the expression is evaluated.
    Free,
}

/// Checks one expression. A method returns `None` after a mistake, which it has reported.
pub(crate) struct Checker<'a> {
    pub scope: Scope,
    pub items: ItemUse,
    pub numbers: NumberUse,
    pub clock: ClockUse,
    pub names: &'a NameTable,
    pub entities: &'a [EntityKind],
    pub interner: &'a mut Interner,
    pub text: &'a ExpressionText,
    pub report: &'a mut Report,
}

impl Checker<'_> {
    pub(crate) fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> &mut Problem {
        self.report.error(code, self.text.locate(span), message)
    }

    /// The text of a piece of the expression.
    pub(crate) fn written(&self, span: Span) -> &str {
        self.text.text.get(span.start..span.end).unwrap_or("…")
    }

    pub(crate) fn check(&mut self, ast: &Ast) -> Option<TypedExpr> {
        let span = ast.span;
        match &ast.node {
            AstNode::Number(number) => {
                self.literal(*number, span);
                Some(TypedExpr {
                    constant: Some(number.to_f64()),
                    form: NumberForm::of(*number),
                    ..TypedExpr::clock_free(Expr::Literal(Value::Number(*number)), Type::Number, span)
                })
            }
            AstNode::Text(text) => {
                Some(TypedExpr::clock_free(Expr::Literal(Value::String(text.as_str().into())), Type::String, span))
            }
            AstNode::Bool(b) => Some(TypedExpr::clock_free(Expr::Literal(Value::Bool(*b)), Type::Bool, span)),
            AstNode::Name(_) | AstNode::Member(..) | AstNode::Index(..) => self.reference(ast),
            AstNode::Call(name, args) => self.call(name, args, span),
            AstNode::Method(target, name, args) => self.method(target, name, args, span),
            AstNode::Negate(x) => self.negate(x, span),
            AstNode::Not(x) => {
                let x = self.condition(x, "`!`");
                x.map(|x| TypedExpr::clock_free(Expr::Not(Box::new(x.expr)), Type::Bool, span))
            }
            AstNode::Binary(op, sides) => self.binary(*op, sides, span),
            AstNode::Conditional(parts) => self.conditional(parts, span),
            AstNode::List(_) => {
                self.error("not-in-language", span, "a list can't stand here")
                    .help("lists stand after `in`: `x in [\"gold\", \"silver\"]`");
                None
            }
            AstNode::Invalid => None,
        }
    }

    /// Warns of a number that counts as another one, since no double holds it.
    fn literal(&mut self, number: Number, span: Span) {
        let number = match self.numbers {
            NumberUse::Exact => number,
            NumberUse::Doubles => Number::Double(number.to_f64()),
        };
        let written = self.written(span).to_owned();
        if !written.contains("0x") {
            self.report.warn_of_number(number, &written, self.text.locate(span));
        }
    }

    /// Checks a piece that must be true or false.
    pub(crate) fn condition(&mut self, ast: &Ast, whose: &str) -> Option<TypedExpr> {
        let typed = self.check(ast)?;
        if typed.ty.may_be(Type::Bool) {
            return Some(typed);
        }
        let mut written = self.written(typed.span).to_owned();
        if matches!(typed.expr, Expr::Conditional(_)) {
            written = format!("({written})");
        }
        let help = match typed.ty {
            Type::Number => format!("compare it: `{written} > 0`"),
            Type::String => format!("compare it: `{written} == \"…\"`"),
            _ => format!("ask whether there is one: `has({written})`"),
        };
        let message = format!("{whose} needs true or false; this is {}", typed.ty.name());
        self.error("type-mismatch", typed.span, message).help(help);
        None
    }

    /// Checks a piece that must be a number.
    pub(crate) fn number(&mut self, ast: &Ast, whose: &str) -> Option<TypedExpr> {
        let typed = self.check(ast)?;
        self.as_number(typed, whose)
    }

    pub(crate) fn as_number(&mut self, typed: TypedExpr, whose: &str) -> Option<TypedExpr> {
        if typed.ty.may_be(Type::Number) {
            return Some(if self.numbers == NumberUse::Doubles { typed.in_doubles() } else { typed });
        }
        let message = format!("{whose} works on numbers; this is {}", typed.ty.name());
        let written = self.written(typed.span).to_owned();
        let help = match typed.ty {
            Type::Time => Some(format!("say in which unit: `days_since({written})`")),
            Type::Date => Some(format!("count dates: `dates_since({written})`, `years_since({written})`")),
            Type::String if whose == "`bands`" => Some("without `bands` the text itself is the tag's value".to_owned()),
            Type::Bool => Some(format!("`({written}) ? 1 : 0` makes a number of it")),
            _ => None,
        };
        self.error("type-mismatch", typed.span, message).maybe_help(help);
        None
    }

    fn negate(&mut self, x: &Ast, span: Span) -> Option<TypedExpr> {
        let x = self.number(x, "`-`")?;
        Some(TypedExpr {
            expr: Expr::Negate(Box::new(x.expr)),
            ty: Type::Number,
            slope: x.slope.negated(),
            constant: x.constant.map(|n| -n),
            form: x.form,
            span,
        })
    }

    fn binary(&mut self, op: BinaryOp, sides: &[Ast; 2], span: Span) -> Option<TypedExpr> {
        match op {
            BinaryOp::And | BinaryOp::Or => {
                if op == BinaryOp::Or && self.is_list_of_texts(sides) {
                    return None;
                }
                let whose = format!("`{}`", op.symbol());
                let [a, b] = [self.condition(&sides[0], &whose), self.condition(&sides[1], &whose)];
                let sides = Box::new([a?.expr, b?.expr]);
                let expr = if op == BinaryOp::And { Expr::And(sides) } else { Expr::Or(sides) };
                Some(TypedExpr::clock_free(expr, Type::Bool, span))
            }
            BinaryOp::Equal => self.compare(Comparison::Equal, sides, span),
            BinaryOp::NotEqual => self.compare(Comparison::NotEqual, sides, span),
            BinaryOp::Less => self.compare(Comparison::Less, sides, span),
            BinaryOp::LessOrEqual => self.compare(Comparison::LessOrEqual, sides, span),
            BinaryOp::Greater => self.compare(Comparison::Greater, sides, span),
            BinaryOp::GreaterOrEqual => self.compare(Comparison::GreaterOrEqual, sides, span),
            BinaryOp::Add => self.arithmetic(Arithmetic::Add, "`+`", sides, span),
            BinaryOp::Subtract => self.arithmetic(Arithmetic::Subtract, "`-`", sides, span),
            BinaryOp::Multiply => self.arithmetic(Arithmetic::Multiply, "`*`", sides, span),
            BinaryOp::Divide => self.arithmetic(Arithmetic::Divide, "`/`", sides, span),
            BinaryOp::Remainder => self.arithmetic(Arithmetic::Remainder, "`%`", sides, span),
            BinaryOp::In => self.membership(&sides[0], &sides[1], span),
        }
    }

    fn compare(&mut self, op: Comparison, sides: &[Ast; 2], span: Span) -> Option<TypedExpr> {
        let needs_order = !matches!(op, Comparison::Equal | Comparison::NotEqual);
        let is_literal = matches!(sides[0].node, AstNode::Text(_) | AstNode::Number(_) | AstNode::Bool(_));
        let a = self.check(&sides[0]);
        let b = if needs_order || is_literal { self.check(&sides[1]) } else { self.equal_to(&sides[1]) };
        let (a, b) = (a?, b?);
        if !a.ty.compares_with(b.ty) {
            self.unlike(&a, &b, span);
            return None;
        }
        if needs_order {
            self.ordered_texts(&a, &b);
        }
        if needs_order && (a.ty == Type::Bool || b.ty == Type::Bool) {
            self.error("type-mismatch", span, "true and false have no order")
                .help("only numbers, text, times and dates can be compared with `<` and `>`");
            return None;
        }
        if a.slope.cancels(b.slope) {
            let message = "both sides move with the clock by the same amount, so the comparison does not move";
            let help = match since_names(&a, self.written(a.span), &b, self.written(b.span)) {
                // The longer ago, the earlier the time.
                Some((_, a, b)) => format!("compare the times themselves: `{b} {} {a}`", op.symbol()),
                None => "compare the times themselves, or `days_between(a, b)` with a number".to_owned(),
            };
            self.error("clock", span, message).help(help);
            return None;
        }
        let moves = a.slope.moves() || b.slope.moves();
        let instant = match op {
            Comparison::Equal if moves => Some("holds"),
            Comparison::NotEqual if moves => Some("fails"),
            _ => None,
        };
        if let Some(verb) = instant {
            let message = format!("this {verb} for one millisecond: the clock moves on");
            self.report
                .warning("clock-equality", self.text.locate(span), message)
                .help("ask for a range: `x >= 7 && x < 8`");
        }
        let motion = match moves {
            true => Motion::Clock,
            // Where the clock may enter in any way, the caller decides when it does.
            false if self.clock == ClockUse::Free => Motion::Still,
            false => a.expr.motion().max(b.expr.motion()),
        };
        let expr = Expr::Compare { op, sides: Box::new([a.expr, b.expr]), motion };
        Some(TypedExpr::clock_free(expr, Type::Bool, span))
    }

    fn unlike(&mut self, a: &TypedExpr, b: &TypedExpr, span: Span) {
        let message = format!("{} is never compared with {}", a.ty.name(), b.ty.name());
        let is_dated = |typed: &TypedExpr| matches!(typed.ty, Type::Time | Type::Date);
        let (time, other) = if is_dated(a) { (a, b) } else { (b, a) };
        let help = match (time.ty, other.ty) {
            _ if let Some(help) = self.unquoted(a, b).or_else(|| self.unquoted(b, a)) => Some(help),
            (Type::Time | Type::Date, Type::String) if let Some(help) = constant_of(&other.expr) => Some(help),
            (Type::Time | Type::Date, Type::Number) if self.scope == Scope::Event => {
                Some("write `hour(time)`, `weekday(time)`, or compare it with `timestamp(\"…\")`".to_owned())
            }
            (Type::Time | Type::Date, _) if self.scope == Scope::Event => {
                Some("compare it with `date(\"2026-11-27\")` or `timestamp(\"2026-11-27T08:00:00Z\")`".to_owned())
            }
            (Type::Date, Type::Number) => Some(format!("count dates: `dates_since({})`", self.written(time.span))),
            (Type::Date, _) => Some(format!(
                "dates are compared with dates and times; for a distance write `dates_since({})`",
                self.written(time.span)
            )),
            (Type::Time, Type::Number) => Some(format!("say in which unit: `days_since({})`", self.written(time.span))),
            (Type::Time, _) => Some(format!(
                "times are compared with times; for a distance write `days_since({})`",
                self.written(time.span)
            )),
            (Type::Bool, _) | (_, Type::Bool) if matches!(a.expr, Expr::Compare { .. }) => {
                Some("a chain such as `1 < x < 5` is written `1 < x && x < 5`".to_owned())
            }
            _ => None,
        };
        let (first, second) = (self.text.locate(a.span), self.text.locate(b.span));
        let (is_first, is_second) = (a.ty.name(), b.ty.name());
        self.error("type-mismatch", span, message)
            .maybe_help(help)
            .related(first, format!("this is {is_first}"))
            .related(second, format!("this is {is_second}"));
    }

    fn conditional(&mut self, parts: &[Ast; 3], span: Span) -> Option<TypedExpr> {
        let condition = self.condition(&parts[0], "the condition of `?:`");
        let (yes, no) = (self.check(&parts[1]), self.check(&parts[2]));
        let (condition, yes, no) = (condition?, yes?, no?);
        if !yes.ty.may_be(no.ty) {
            let message = format!("the two sides of `:` differ: {} and {}", yes.ty.name(), no.ty.name());
            self.error("type-mismatch", span, message).help("make both of the same type");
            return None;
        }
        let (ty, slope, form) = (yes.ty.or(no.ty), yes.slope.or(no.slope), yes.form.with(no.form));
        // Beside a number that is not decimal, a decimal is a double.
        let branch = |branch: TypedExpr| match branch.form.is_decimal() && !form.is_decimal() {
            true => Expr::ToDouble(Box::new(branch.expr)),
            false => branch.expr,
        };
        let expr = Expr::Conditional(Box::new([condition.expr, branch(yes), branch(no)]));
        Some(TypedExpr { ty, slope, constant: None, form, expr, span })
    }
}

/// What to write instead of a text that is a date or a time.
fn constant_of(expr: &Expr) -> Option<String> {
    let Expr::Literal(Value::String(text)) = expr else { return None };
    if Date::parse(text).is_some() {
        return Some(format!("write `date(\"{text}\")`"));
    }
    Timestamp::parse(text).is_ok().then(|| format!("write `timestamp(\"{text}\")`"))
}
