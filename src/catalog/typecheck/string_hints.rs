//! Strings in expressions: words that should be strings, and strings that should be numbers.

use super::check::{Checker, Scope};
use super::types::{Type, TypedExpr};
use crate::catalog::compiled::Expr;
use crate::catalog::diagnostics::{Span, listed, nearest};
use crate::catalog::parse::{Ast, AstNode, BinaryOp};
use crate::model::Value;

impl Checker<'_> {
    /// Checks the right side of `==`: an unknown name there was probably meant to be a string.
    pub(crate) fn equal_to(&mut self, ast: &Ast) -> Option<TypedExpr> {
        let AstNode::Name(name) = &ast.node else { return self.check(ast) };
        if self.is_near_a_name(name) {
            return self.check(ast);
        }
        let help = match (name.to_ascii_lowercase().as_str(), self.scope) {
            ("true" | "yes" | "on", _) => format!("write `true`; text stands in quotes: \"{name}\""),
            ("false" | "no" | "off", _) => format!("write `false`; text stands in quotes: \"{name}\""),
            (_, Scope::Event) => format!("text stands in quotes: \"{name}\"; a property is `properties.{name}`"),
            (_, Scope::Entity(own)) => {
                let known: Vec<&str> = self.names.value_names(own).collect();
                format!("text stands in quotes: \"{name}\"; known names are {}", listed(&known))
            }
        };
        self.error("unknown-name", ast.span, format!("unknown name `{name}`")).help(help);
        None
    }

    /// Whether the usual report of an unknown name has better help to offer.
    fn is_near_a_name(&self, name: &str) -> bool {
        const WORDS: [&str; 8] = ["type", "time", "properties", "tag", "first_seen", "last_seen", "now", "clock"];
        if WORDS.contains(&name) || self.names.value(name).is_some() || self.names.tag(name).is_some() {
            return true;
        }
        match self.scope {
            Scope::Event => nearest(name, WORDS.into_iter().take(3)).is_some(),
            Scope::Entity(own) => {
                let names = self.names.value_names(own).chain(self.names.tag_names(own));
                self.report.is_full() || nearest(name, names).is_some()
            }
        }
    }

    /// Reports `plan == "gold" || "silver"`; whether the sides of `||` are such a list.
    pub(crate) fn is_list_of_texts(&mut self, sides: &[Ast; 2]) -> bool {
        let mut texts: Vec<Span> = Vec::new();
        let mut rest = sides;
        let compared = loop {
            if !matches!(rest[1].node, AstNode::Text(_)) {
                return false;
            }
            texts.push(rest[1].span);
            match &rest[0].node {
                AstNode::Binary(BinaryOp::Or, sides) => rest = sides,
                AstNode::Binary(BinaryOp::Equal, sides) if matches!(sides[1].node, AstNode::Text(_)) => break sides,
                _ => return false,
            }
        };
        let first = texts[texts.len() - 1];
        texts.push(compared[1].span);
        let list: Vec<&str> = texts.iter().rev().map(|span| self.written(*span)).collect();
        let help = format!("write `{} in [{}]`", self.written(compared[0].span), list.join(", ").replace('\'', "\""));
        self.error("type-mismatch", first, "`||` needs true or false; this is text").help(help);
        true
    }

    /// What to write instead of a number or a bool in quotes.
    pub(crate) fn unquoted(&self, literal: &TypedExpr, other: &TypedExpr) -> Option<String> {
        let Expr::Literal(Value::String(text)) = &literal.expr else { return None };
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        match other.ty {
            Type::Number if text.parse::<f64>().is_ok() => Some(format!("write {text} without quotes")),
            Type::Number if !other.is_clock_free() && digits.parse::<f64>().is_ok() => {
                Some(format!("the unit is in the function: write {digits}"))
            }
            Type::Bool if matches!(&**text, "true" | "false") => Some(format!("write {text} without quotes")),
            _ => None,
        }
    }

    /// Warns of `properties.amount > "100"`.
    pub(crate) fn ordered_texts(&mut self, a: &TypedExpr, b: &TypedExpr) {
        for (literal, other) in [(a, b), (b, a)] {
            if let Expr::Literal(Value::String(text)) = &literal.expr
                && matches!(other.ty, Type::Any | Type::String)
                && text.parse::<f64>().is_ok()
            {
                let message = "text is compared letter by letter: \"9\" is greater than \"100\"; a comparison with \
                               a number is false";
                let place = self.text.locate(literal.span);
                let help = format!("to compare numbers write {text} without quotes");
                self.report.warning("text-order", place, message).help(help);
            }
        }
    }
}
