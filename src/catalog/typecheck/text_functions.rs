//! `size(x)`, `share("name")`, and the methods of texts: `startsWith`, `matches`, `lowerAscii` and their like.

use super::check::{Checker, Scope};
use super::types::{Type, TypedExpr};
use crate::catalog::compiled::{AsciiCase, Expr, Pattern, TextTest};
use crate::catalog::diagnostics::{Span, did_you_mean, listed};
use crate::catalog::parse::{Ast, AstNode, FunctionName};

const METHODS: [&str; 6] = ["startsWith", "endsWith", "contains", "matches", "lowerAscii", "upperAscii"];

impl Checker<'_> {
    pub(crate) fn method(&mut self, target: &Ast, name: &FunctionName, args: &[Ast], span: Span) -> Option<TypedExpr> {
        match name.text.as_str() {
            "startsWith" => self.text_test(TextTest::StartsWith, target, name, args, span),
            "endsWith" => self.text_test(TextTest::EndsWith, target, name, args, span),
            "contains" => self.text_test(TextTest::Contains, target, name, args, span),
            "lowerAscii" => self.case(AsciiCase::Lower, target, name, args, span),
            "upperAscii" => self.case(AsciiCase::Upper, target, name, args, span),
            "matches" => self.matches(target, name, args, span),
            _ => {
                self.unknown_method(target, name);
                None
            }
        }
    }

    fn text_test(
        &mut self,
        test: TextTest,
        target: &Ast,
        name: &FunctionName,
        args: &[Ast],
        span: Span,
    ) -> Option<TypedExpr> {
        let [arg] = self.arguments::<1>(name, args, span)?;
        let [target, arg] = [self.text_piece(target, name), self.text_piece(arg, name)];
        let sides = Box::new([target?.expr, arg?.expr]);
        Some(TypedExpr::clock_free(Expr::Text(test, sides), Type::Bool, span))
    }

    fn case(
        &mut self,
        case: AsciiCase,
        target: &Ast,
        name: &FunctionName,
        args: &[Ast],
        span: Span,
    ) -> Option<TypedExpr> {
        self.arguments::<0>(name, args, span)?;
        let target = self.text_piece(target, name)?;
        Some(TypedExpr::clock_free(Expr::Case(case, Box::new(target.expr)), Type::String, span))
    }

    fn matches(&mut self, target: &Ast, name: &FunctionName, args: &[Ast], span: Span) -> Option<TypedExpr> {
        let [arg] = self.arguments::<1>(name, args, span)?;
        let target = self.text_piece(target, name);
        let AstNode::Text(source) = &arg.node else {
            if arg.node != AstNode::Invalid {
                self.error("wrong-arguments", arg.span, "`matches` takes a pattern in quotes")
                    .help("a pattern is fixed when the catalog is loaded: `x.matches(r\"^[a-z]+$\")`");
            }
            return None;
        };
        let pattern = match Pattern::new(source) {
            Ok(pattern) => pattern,
            Err(error) => {
                let written = self.written(arg.span);
                // Where the text has escapes, its places are not those of the pattern.
                let at = written.find(source.as_str()).map_or(arg.span, |from| {
                    let from = arg.span.start + from;
                    Span::new(from + error.start, from + error.end.max(error.start + 1))
                });
                self.error("bad-pattern", at, error.message).maybe_help(error.help.map(str::to_owned));
                return None;
            }
        };
        Some(TypedExpr::clock_free(Expr::Matches(Box::new(target?.expr), pattern), Type::Bool, span))
    }

    /// `size(x)` of a text, and of an array in a `where`.
    pub(crate) fn size(&mut self, name: &FunctionName, args: &[Ast], span: Span) -> Option<TypedExpr> {
        let [x] = self.arguments::<1>(name, args, span)?;
        let typed = self.check(x)?;
        if !typed.ty.may_be(Type::String) {
            let message = format!("`size` works on text; this is {}", typed.ty.name());
            let help =
                matches!(typed.expr, Expr::Counter(_)).then_some("a counter is a number: mention its name alone");
            self.error("type-mismatch", typed.span, message).maybe_help(help.map(str::to_owned));
            return None;
        }
        Some(TypedExpr::clock_free(Expr::Size(Box::new(typed.expr)), Type::Number, span))
    }

    /// `share("name")`.
    pub(crate) fn share(&mut self, name: &FunctionName, args: &[Ast], span: Span) -> Option<TypedExpr> {
        let [of] = self.arguments::<1>(name, args, span)?;
        if self.scope == Scope::Event {
            self.error("unknown-function", name.span, "a `where` looks at one event; `share` is made of an entity")
                .help("use it in a tag's condition: `share(\"spring\") < 0.1`");
            return None;
        }
        let AstNode::Text(text) = &of.node else {
            if of.node != AstNode::Invalid {
                self.error("wrong-arguments", of.span, "`share` takes a name in quotes")
                    .help("the same name gives the same number: `share(\"spring\") < 0.1`");
            }
            return None;
        };
        Some(TypedExpr::clock_free(Expr::Share(text.as_str().into()), Type::Number, span))
    }

    fn text_piece(&mut self, ast: &Ast, name: &FunctionName) -> Option<TypedExpr> {
        let typed = self.check(ast)?;
        if typed.ty.may_be(Type::String) {
            return Some(typed);
        }
        let message = format!("`{}` works on text; this is {}", name.text, typed.ty.name());
        let help = typed.constant.map(|number| format!("put it in quotes: \"{number}\""));
        self.error("type-mismatch", typed.span, message).maybe_help(help);
        None
    }

    fn unknown_method(&mut self, target: &Ast, name: &FunctionName) {
        let of = self.written(target.span).to_owned();
        let help = match name.text.as_str() {
            "exists" | "all" | "exists_one" | "filter" | "map" => {
                "to look into a list write `\"a\" in properties.list` in a `where`".to_owned()
            }
            "size" | "length" => format!("write `size({of})`"),
            "lower" | "toLowerCase" | "to_lower" => format!("write `{of}.lowerAscii()`"),
            "upper" | "toUpperCase" | "to_upper" => format!("write `{of}.upperAscii()`"),
            "getDayOfWeek" => "write `weekday(time)` in a `where`: 1 is Monday, 7 Sunday".to_owned(),
            "getHours" => "write `hour(time)` in a `where`".to_owned(),
            "getDate" | "getDayOfMonth" => "write `day_of_month(time)` in a `where`; the first is 1".to_owned(),
            "getMonth" => "write `month(time)` in a `where`; January is 1".to_owned(),
            "getFullYear" => "write `years_since(x)`, or use a counter with `calendar: year`".to_owned(),
            text => {
                did_you_mean(text, METHODS.into_iter()).unwrap_or_else(|| format!("known are {}", listed(&METHODS)))
            }
        };
        self.error("unknown-function", name.span, format!("unknown function `.{}`", name.text)).help(help);
    }
}
