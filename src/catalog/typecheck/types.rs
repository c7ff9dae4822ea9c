//! The static type of an expression, and a checked piece of one.

use super::clock_slope::Slope;
use crate::catalog::compiled::{AttributeType, Expr};
use crate::catalog::diagnostics::Span;
use crate::model::{Number, Value};

/// The type of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Bool,
    Number,
    String,
    Time,
    Date,
    /// Known only at evaluation: a property, an attribute without a declared type.
    Any,
}

impl Type {
    pub fn name(self) -> &'static str {
        match self {
            Type::Bool => "true or false",
            Type::Number => "a number",
            Type::String => "text",
            Type::Time => "a time",
            Type::Date => "a date",
            Type::Any => "anything",
        }
    }

    /// Whether a value of this type may be of the other type.
    pub fn may_be(self, other: Type) -> bool {
        self == other || self == Type::Any || other == Type::Any
    }

    /// Whether a value of this type may be compared with one of the other type.
    pub fn compares_with(self, other: Type) -> bool {
        let is_dated = |ty| matches!(ty, Type::Time | Type::Date);
        self.may_be(other) || is_dated(self) && is_dated(other)
    }

    /// The type of a value that has one type or the other.
    pub fn or(self, other: Type) -> Type {
        if self == other { self } else { Type::Any }
    }

    pub fn of_attribute(declared: Option<AttributeType>) -> Type {
        match declared {
            None => Type::Any,
            Some(AttributeType::String) => Type::String,
            Some(AttributeType::Number) => Type::Number,
            Some(AttributeType::Bool) => Type::Bool,
            Some(AttributeType::Time) => Type::Time,
            Some(AttributeType::Date) => Type::Date,
        }
    }
}

/// Which numbers an expression gives (spec 9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberForm {
    /// Doubles, or integers of events.
    Other,
    /// Decimals that are whole: a double tells them apart as well.
    Whole,
    Decimal,
}

impl NumberForm {
    pub(crate) fn of(number: Number) -> Self {
        match number {
            Number::Decimal(decimal) if decimal.is_whole() => NumberForm::Whole,
            Number::Decimal(_) => NumberForm::Decimal,
            Number::Integer(_) | Number::Double(_) => NumberForm::Other,
        }
    }

    pub(crate) fn is_decimal(self) -> bool {
        self != NumberForm::Other
    }

    /// The form of a number made of two by an operation that is exact on decimals.
    pub(crate) fn with(self, other: NumberForm) -> NumberForm {
        match (self, other) {
            (NumberForm::Other, _) | (_, NumberForm::Other) => NumberForm::Other,
            (NumberForm::Whole, NumberForm::Whole) => NumberForm::Whole,
            _ => NumberForm::Decimal,
        }
    }
}

/// A checked piece of an expression.
#[derive(Clone, Debug)]
pub(crate) struct TypedExpr {
    pub expr: Expr,
    pub ty: Type,
    pub slope: Slope,
    /// The value of a number that is known here.
    pub constant: Option<f64>,
    pub form: NumberForm,
    /// The span in the expression's text.
    pub span: Span,
}

impl TypedExpr {
    /// A piece whose value does not depend on the clock.
    pub(crate) fn clock_free(expr: Expr, ty: Type, span: Span) -> Self {
        TypedExpr { expr, ty, slope: Slope::Zero, constant: None, form: NumberForm::Other, span }
    }

    /// The same, with the double nearest to it in the place of a decimal.
    pub(crate) fn in_doubles(self) -> Self {
        let expr = match self.expr {
            expr if !self.form.is_decimal() => expr,
            Expr::Literal(Value::Number(number)) => Expr::Literal(Value::Number(Number::Double(number.to_f64()))),
            expr => Expr::ToDouble(Box::new(expr)),
        };
        TypedExpr { expr, form: NumberForm::Other, ..self }
    }

    pub(crate) fn is_clock_free(&self) -> bool {
        !self.slope.moves()
    }
}
