//! The static type of an expression, and a checked piece of one.

use super::clock_slope::Slope;
use crate::catalog::compiled::{AttributeType, Expr};
use crate::catalog::diagnostics::Span;

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

/// A checked piece of an expression.
#[derive(Clone, Debug)]
pub(crate) struct TypedExpr {
    pub expr: Expr,
    pub ty: Type,
    pub slope: Slope,
    /// The value of a number that is known here.
    pub constant: Option<f64>,
    /// The span in the expression's text.
    pub span: Span,
}

impl TypedExpr {
    /// A piece whose value does not depend on the clock.
    pub(crate) fn clock_free(expr: Expr, ty: Type, span: Span) -> Self {
        TypedExpr { expr, ty, slope: Slope::Zero, constant: None, span }
    }

    pub(crate) fn is_clock_free(&self) -> bool {
        !self.slope.moves()
    }
}
