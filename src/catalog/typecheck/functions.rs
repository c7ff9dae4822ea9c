//! The functions of expressions, and what to write instead of functions that only CEL has.

use super::check::{Checker, Scope};
use super::references::root_name;
use super::time_functions::time_function;
use super::types::{Type, TypedExpr};
use crate::catalog::compiled::{Arithmetic, Expr, TextTest};
use crate::catalog::diagnostics::{Span, did_you_mean, listed};
use crate::catalog::parse::{Ast, AstNode, FunctionName};

const FUNCTIONS: [&str; 16] = [
    "days_since",
    "days_until",
    "days_between",
    "hours_since",
    "hours_until",
    "hours_between",
    "minutes_since",
    "minutes_until",
    "minutes_between",
    "seconds_since",
    "seconds_until",
    "seconds_between",
    "min",
    "max",
    "abs",
    "has",
];

impl Checker<'_> {
    pub(crate) fn call(&mut self, name: &FunctionName, args: &[Ast], span: Span) -> Option<TypedExpr> {
        if let Some((unit, call)) = time_function(&name.text) {
            return self.check_time_function(name, unit, call, args, span);
        }
        match name.text.as_str() {
            "min" | "max" => {
                let sides = self.arguments::<2>(name, args, span)?;
                let op = if name.text == "min" { Arithmetic::Min } else { Arithmetic::Max };
                self.arithmetic(op, &format!("`{}`", name.text), sides, span)
            }
            "abs" => {
                let [x] = self.arguments::<1>(name, args, span)?;
                let x = self.number(x, "`abs`")?;
                Some(TypedExpr {
                    slope: x.slope.folded(),
                    constant: x.constant.map(f64::abs),
                    expr: Expr::Abs(Box::new(x.expr)),
                    ty: Type::Number,
                    span,
                })
            }
            "has" => self.has(name, args, span),
            _ => {
                self.unknown_function(name, args);
                None
            }
        }
    }

    pub(crate) fn arguments<'s, const N: usize>(
        &mut self,
        name: &FunctionName,
        args: &'s [Ast],
        span: Span,
    ) -> Option<&'s [Ast; N]> {
        let fits = args.try_into().ok();
        if fits.is_none() {
            let expected = if N == 1 { "one argument" } else { "two arguments" };
            let message = format!("`{}` takes {expected}, this has {}", name.text, args.len());
            let help = (args.len() > 2 && N == 2 && matches!(name.text.as_str(), "min" | "max"))
                .then(|| format!("nest them: `{0}(a, {0}(b, c))`", name.text));
            self.error("wrong-arguments", span, message).maybe_help(help);
        }
        fits
    }

    fn has(&mut self, name: &FunctionName, args: &[Ast], span: Span) -> Option<TypedExpr> {
        let [x] = self.arguments::<1>(name, args, span)?;
        if !matches!(x.node, AstNode::Name(_) | AstNode::Member(..) | AstNode::Index(..)) {
            self.error("wrong-arguments", x.span, "`has` takes a name")
                .help("for example `has(gender)`; put a condition beside it with `&&`");
            return None;
        }
        let x = self.reference(x)?;
        Some(TypedExpr::clock_free(Expr::Has(Box::new(x.expr)), Type::Bool, span))
    }

    pub(crate) fn method(&mut self, target: &Ast, name: &FunctionName, args: &[Ast], span: Span) -> Option<TypedExpr> {
        let test = match name.text.as_str() {
            "startsWith" => TextTest::StartsWith,
            "endsWith" => TextTest::EndsWith,
            "contains" => TextTest::Contains,
            _ => {
                self.unknown_method(name);
                return None;
            }
        };
        let [arg] = self.arguments::<1>(name, args, span)?;
        let [target, arg] = [self.text_piece(target, name), self.text_piece(arg, name)];
        let sides = Box::new([target?.expr, arg?.expr]);
        Some(TypedExpr::clock_free(Expr::Text(test, sides), Type::Bool, span))
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

    /// `x in […]`, or in a `where` `x in properties.list`.
    pub(crate) fn membership(&mut self, x: &Ast, of: &Ast, span: Span) -> Option<TypedExpr> {
        let checked = self.check(x);
        if let Some(x) = &checked
            && !x.is_clock_free()
        {
            self.error("clock", x.span, "`in` can't take a term that moves with the clock")
                .help("compare it with bounds: `x >= 7 && x < 8`");
            return None;
        }
        if let AstNode::List(items) = &of.node {
            return self.listed_membership(checked, items, span);
        }
        if root_name(of) == Some("properties") {
            let list = self.check(of)?;
            let x = checked?;
            let Expr::Property(path) = list.expr else { return None };
            return Some(TypedExpr::clock_free(Expr::Contains(Box::new(x.expr), path), Type::Bool, span));
        }
        if of.node == AstNode::Invalid {
            return None;
        }
        let help = match self.scope {
            Scope::Event => "write `x in [\"a\", \"b\"]` or `\"a\" in properties.list`",
            Scope::Entity(_) => "write `x in [\"a\", \"b\"]`; an event's lists are looked at in a `where`",
        };
        self.error("not-in-language", of.span, "`in` needs a list after it").help(help);
        None
    }

    fn listed_membership(&mut self, x: Option<TypedExpr>, items: &[Ast], span: Span) -> Option<TypedExpr> {
        let checked: Vec<Option<TypedExpr>> = items.iter().map(|item| self.equal_to(item)).collect();
        let x = x?;
        let mut list = Vec::with_capacity(checked.len());
        for item in checked {
            let item = item?;
            if !item.is_clock_free() {
                self.error("clock", item.span, "`in` can't take a term that moves with the clock")
                    .help("compare with it: `x == …`, or with bounds");
                return None;
            }
            if !item.ty.may_be(x.ty) {
                let message = format!("{} is never among these: this is {}", x.ty.name(), item.ty.name());
                let place = self.text.locate(x.span);
                let is = format!("this is {}", x.ty.name());
                self.error("type-mismatch", item.span, message).related(place, is);
                return None;
            }
            list.push(item.expr);
        }
        Some(TypedExpr::clock_free(Expr::In(Box::new(x.expr), list.into()), Type::Bool, span))
    }

    fn unknown_function(&mut self, name: &FunctionName, args: &[Ast]) {
        let arg = args.first().map_or("x".to_owned(), |arg| self.written(arg.span).to_owned());
        let help = match name.text.as_str() {
            "size" => "to count different values use a `distinct` counter".to_owned(),
            "int" | "uint" | "double" => format!("numbers are all of one kind: write `{arg}`"),
            "string" | "bytes" | "bool" | "dyn" | "type" => format!("values are not converted: write `{arg}`"),
            "timestamp" | "date" => "expressions have no dates; compare times that have a name".to_owned(),
            "duration" => "write a number and its unit by the function: `days_since(x) > 14`".to_owned(),
            "matches" => "write `startsWith`, `endsWith` or `contains`".to_owned(),
            "startsWith" | "endsWith" | "contains" => format!("write it after the text: `{arg}.{}(\"…\")`", name.text),
            "now" | "today" => "the clock enters through `days_since(x)` and `days_until(x)`".to_owned(),
            "count" | "sum" | "avg" | "distinct" | "last" | "first" | "top" => {
                format!("declare it under `counters:`, as `my_counter: {{ {}: … }}`, and mention its name", name.text)
            }
            "round" | "floor" | "ceil" => "compare with bounds instead of rounding".to_owned(),
            "if" | "coalesce" | "ifnull" => {
                "write `condition ? a : b`; `has(x)` tells whether there is a value".to_owned()
            }
            "exists" | "is_set" | "isset" | "defined" => format!("write `has({arg})`"),
            text => {
                did_you_mean(text, FUNCTIONS.into_iter()).unwrap_or_else(|| format!("known are {}", listed(&FUNCTIONS)))
            }
        };
        self.error("unknown-function", name.span, format!("unknown function `{}`", name.text)).help(help);
    }

    fn unknown_method(&mut self, name: &FunctionName) {
        let known = ["startsWith", "endsWith", "contains"];
        let help = match name.text.as_str() {
            "matches" => "patterns are not supported: write `startsWith`, `endsWith` or `contains`".to_owned(),
            "exists" | "all" | "exists_one" | "filter" | "map" => {
                "to look into a list write `\"a\" in properties.list` in a `where`".to_owned()
            }
            "size" | "length" => "to count different values use a `distinct` counter".to_owned(),
            "getFullYear" | "getMonth" | "getDate" | "getDayOfWeek" | "getHours" => {
                "for calendar days, weeks and months use a counter with `calendar:`".to_owned()
            }
            text => did_you_mean(text, known.into_iter()).unwrap_or_else(|| format!("known are {}", listed(&known))),
        };
        self.error("unknown-function", name.span, format!("unknown function `.{}`", name.text)).help(help);
    }
}
