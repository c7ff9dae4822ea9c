//! Arithmetic: takes only numbers, and keeps terms that move with the clock linear.

use super::check::{Checker, ClockUse};
use super::clock_slope::{ClockError, combine};
use super::types::{NumberForm, Type, TypedExpr};
use crate::catalog::compiled::{Arithmetic, Expr};
use crate::catalog::diagnostics::Span;
use crate::catalog::parse::Ast;

impl Checker<'_> {
    pub(crate) fn arithmetic(
        &mut self,
        op: Arithmetic,
        whose: &str,
        sides: &[Ast; 2],
        span: Span,
    ) -> Option<TypedExpr> {
        let [a, b] = [self.check(&sides[0]), self.check(&sides[1])];
        if let (Some(a), Some(b)) = (&a, &b)
            && a.ty == b.ty
            && matches!(a.ty, Type::Time | Type::Date | Type::String)
        {
            self.no_numbers(op, whose, a, b, span);
            return None;
        }
        let [a, b] = [a.and_then(|a| self.as_number(a, whose)), b.and_then(|b| self.as_number(b, whose))];
        let (a, b) = (a?, b?);
        let slope = match combine(op, (a.slope, a.constant), (b.slope, b.constant)) {
            Ok(slope) => slope,
            Err(error) => {
                self.clock_error(error, &a, &b, span);
                return None;
            }
        };
        let constant = a.constant.zip(b.constant).and_then(|(a, b)| fold(op, a, b));
        let (op, form) = exact_form(op, &a, &b);
        if a.form.with(b.form) == NumberForm::Decimal && !form.is_decimal() {
            self.falls_into_doubles(&a, &b, whose, span);
        }
        let expr = Expr::Arithmetic(op, Box::new([a.expr, b.expr]));
        Some(TypedExpr { expr, ty: Type::Number, slope, constant, form, span })
    }

    /// Warns of decimals with fractions that an operation takes as the doubles nearest to them.
    fn falls_into_doubles(&mut self, a: &TypedExpr, b: &TypedExpr, whose: &str, span: Span) {
        // A model takes doubles, and literals alone are one number.
        if self.clock == ClockUse::Free || a.constant.is_some() && b.constant.is_some() {
            return;
        }
        let exact = if a.constant.is_some() { b } else { a };
        let message = format!("`{}` is exact, but {whose} computes in doubles here", self.written(exact.span));
        self.report.warning("inexact", self.text.locate(span), message).help(
            "`+`, `-`, `min`, `max`, `abs`, and `*` with a whole number are exact: `100 * x > 119 * total`, \
             not `x > total * 1.19`",
        );
    }

    /// Reports two times, or two strings, where numbers are needed.
    fn no_numbers(&mut self, op: Arithmetic, whose: &str, a: &TypedExpr, b: &TypedExpr, span: Span) {
        let (left, right) = (self.written(a.span).to_owned(), self.written(b.span).to_owned());
        let (message, help) = match (a.ty, op) {
            (Type::Time, Arithmetic::Subtract) => {
                ("times are not subtracted".to_owned(), format!("say in which unit: `days_between({right}, {left})`"))
            }
            (Type::Date, Arithmetic::Subtract) => (
                "dates are not subtracted".to_owned(),
                format!("write `days_between({right}, {left})`, or count from today: `dates_since({left})`"),
            ),
            (Type::Date, _) => (
                format!("{whose} works on numbers; these are dates"),
                format!("count dates: `dates_since({left})`, `dates_since({right})`"),
            ),
            (Type::Time, _) => (
                format!("{whose} works on numbers; these are times"),
                format!("say in which unit: `days_since({left})`, `days_since({right})`"),
            ),
            _ => (format!("{whose} works on numbers; these are texts"), "text can't be joined".to_owned()),
        };
        self.error("type-mismatch", span, message).help(help);
    }

    fn clock_error(&mut self, error: ClockError, a: &TypedExpr, b: &TypedExpr, span: Span) {
        let (left, right) = (self.written(a.span).to_owned(), self.written(b.span).to_owned());
        let (message, help) = match error {
            ClockError::Product => (
                "two terms that move with the clock can't be multiplied",
                format!("compare each of them: `{left} > … && {right} > …`"),
            ),
            ClockError::Divisor => (
                "a term that moves with the clock can't be a divisor",
                format!("multiply the other side instead: `{left} > 10 * {right}`, not `{left} / {right} > 10`"),
            ),
            ClockError::Remainder => (
                "`%` can't take a term that moves with the clock",
                "compare the term with bounds: `x >= 7 && x < 8`".to_owned(),
            ),
            ClockError::Cancel => (
                "these terms move with the clock by the same amount, so what is left does not move",
                match since_names(a, &left, b, &right) {
                    Some((unit, a, b)) => format!("write `{unit}_between({a}, {b})`"),
                    None => "write what is left of them, for example with `days_between(a, b)`".to_owned(),
                },
            ),
            ClockError::TimesZero => {
                ("a term that moves with the clock is multiplied by 0", "remove the term".to_owned())
            }
        };
        self.error("clock", span, message).help(help);
    }
}

/// The operation as it is computed, and the form of its result.
fn exact_form(op: Arithmetic, a: &TypedExpr, b: &TypedExpr) -> (Arithmetic, NumberForm) {
    let form = a.form.with(b.form);
    let is_whole = |side: &TypedExpr| matches!(side.expr, Expr::Literal(_)) && side.form == NumberForm::Whole;
    match op {
        Arithmetic::Add | Arithmetic::Subtract | Arithmetic::Min | Arithmetic::Max => (op, form),
        Arithmetic::Multiply | Arithmetic::Scale if form.is_decimal() && (is_whole(a) || is_whole(b)) => {
            (Arithmetic::Scale, form)
        }
        Arithmetic::Multiply | Arithmetic::Scale | Arithmetic::Divide | Arithmetic::Remainder => {
            (op, NumberForm::Other)
        }
    }
}

/// The result for two known numbers.
fn fold(op: Arithmetic, a: f64, b: f64) -> Option<f64> {
    let value = match op {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply | Arithmetic::Scale => a * b,
        Arithmetic::Divide if b != 0.0 => a / b,
        Arithmetic::Remainder if b != 0.0 => a % b,
        Arithmetic::Divide | Arithmetic::Remainder => return None,
        Arithmetic::Min => a.min(b),
        Arithmetic::Max => a.max(b),
    };
    value.is_finite().then_some(value)
}

/// The unit and the two names of two calls such as `days_since(a)` and `days_since(b)`.
pub(super) fn since_names<'t>(
    a: &TypedExpr,
    left: &'t str,
    b: &TypedExpr,
    right: &'t str,
) -> Option<(&'static str, &'t str, &'t str)> {
    let (Expr::Since { unit, .. }, Expr::Since { unit: other, .. }) = (&a.expr, &b.expr) else { return None };
    let argument = |call: &'t str| call.split_once('(')?.1.strip_suffix(')').map(str::trim);
    (unit == other).then_some((unit.name(), argument(left)?, argument(right)?))
}
