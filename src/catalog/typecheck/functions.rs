//! The functions of expressions, and what to write instead of functions that only CEL has.

use super::check::{Checker, Scope};
use super::references::root_name;
use super::time_functions::time_function;
use super::types::{Type, TypedExpr};
use crate::catalog::compiled::{Arithmetic, Expr, Source};
use crate::catalog::diagnostics::{Span, did_you_mean, listed};
use crate::catalog::parse::{Ast, AstNode, FunctionName};

const FUNCTIONS: [&str; 28] = [
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
    "dates_since",
    "dates_until",
    "years_since",
    "dates_to_anniversary",
    "date",
    "timestamp",
    "hour",
    "weekday",
    "day_of_month",
    "month",
    "size",
    "share",
];

impl Checker<'_> {
    pub(crate) fn call(&mut self, name: &FunctionName, args: &[Ast], span: Span) -> Option<TypedExpr> {
        if let Some((unit, call)) = time_function(&name.text) {
            return self.check_time_function(name, unit, call, args, span);
        }
        if let Some(checked) = self.calendar_call(name, args, span) {
            return checked;
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
                    form: x.form,
                    expr: Expr::Abs(Box::new(x.expr)),
                    ty: Type::Number,
                    span,
                })
            }
            "has" => self.has(name, args, span),
            "size" => self.size(name, args, span),
            "share" => self.share(name, args, span),
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
            let expected = match N {
                0 => "no argument",
                1 => "one argument",
                _ => "two arguments",
            };
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
        if matches!(root_name(of), Some("properties")) || root_name(of) == Some("item") && self.scope == Scope::Event {
            let list = self.check(of)?;
            let x = checked?;
            let of = match list.expr {
                Expr::Property(path) => Source::Property(path),
                Expr::Item(path) => Source::Item(path),
                _ => return None,
            };
            return Some(TypedExpr::clock_free(Expr::Contains(Box::new(x.expr), of), Type::Bool, span));
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
            if !item.ty.compares_with(x.ty) {
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
            "int" | "uint" | "double" => format!("numbers are all of one kind: write `{arg}`"),
            "string" | "bytes" | "bool" | "dyn" | "type" => format!("values are not converted: write `{arg}`"),
            "duration" => "write a number and its unit by the function: `days_since(x) > 14`".to_owned(),
            "length" | "len" => format!("write `size({arg})`"),
            "lower" | "lowerAscii" => format!("write it after the text: `{arg}.lowerAscii()`"),
            "upper" | "upperAscii" => format!("write it after the text: `{arg}.upperAscii()`"),
            "random" | "rand" | "hash" => "a stable share of all is `share(\"name\") < 0.1`".to_owned(),
            "startsWith" | "endsWith" | "contains" | "matches" => {
                format!("write it after the text: `{arg}.{}(\"…\")`", name.text)
            }
            "now" | "today" => "the clock enters through `days_since(x)`, `dates_since(x)` and their like".to_owned(),
            "age" | "years" => format!("write `years_since({arg})`"),
            "birthday" | "anniversary" => format!("write `dates_to_anniversary({arg}) == 0`"),
            "dayofweek" | "day_of_week" | "dow" => "write `weekday(time)` in a `where`: 1 is Monday".to_owned(),
            "day" => "write `day_of_month(time)` in a `where`".to_owned(),
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
}
