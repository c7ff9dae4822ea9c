//! `days_since(x)`, `days_until(x)`, `days_between(a, b)` and the same for the other units.

use super::check::{Checker, ClockUse, Scope};
use super::clock_slope::Slope;
use super::references::root_name;
use super::types::{NumberForm, Type, TypedExpr};
use crate::catalog::compiled::{Expr, TimeName};
use crate::catalog::diagnostics::{Span, listed};
use crate::catalog::parse::{Ast, AstNode, FunctionName};
use crate::model::Unit;

const UNITS: [Unit; 4] = [Unit::Days, Unit::Hours, Unit::Minutes, Unit::Seconds];

/// The function of a name such as `days_since`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeFunction {
    Since,
    Until,
    Between,
}

/// The unit and the function of a name, where it is one of the time functions.
pub(super) fn time_function(name: &str) -> Option<(Unit, TimeFunction)> {
    let (unit, call) = name.split_once('_')?;
    let unit = UNITS.into_iter().find(|known| known.name() == unit)?;
    let call = match call {
        "since" => TimeFunction::Since,
        "until" => TimeFunction::Until,
        "between" => TimeFunction::Between,
        _ => return None,
    };
    Some((unit, call))
}

impl Checker<'_> {
    pub(crate) fn check_time_function(
        &mut self,
        name: &FunctionName,
        unit: Unit,
        call: TimeFunction,
        args: &[Ast],
        span: Span,
    ) -> Option<TypedExpr> {
        if self.scope == Scope::Event && call != TimeFunction::Between {
            let message = format!("`{}` moves with the clock, and this expression looks at one event", name.text);
            self.error("clock", span, message)
                .help("use it in a tag's condition, over an attribute or a `last: time` counter");
            return None;
        }
        // The number of units in a day, which is the growth of the call per day.
        let per_day = Unit::Days.ms() as f64 / unit.ms() as f64;
        let (expr, slope) = match call {
            TimeFunction::Since => {
                let [of] = self.arguments::<1>(name, args, span)?;
                (Expr::Since { unit, of: self.time_name(name, of)? }, Slope::PerDay(per_day))
            }
            TimeFunction::Until => {
                let [of] = self.arguments::<1>(name, args, span)?;
                (Expr::Until { unit, of: self.time_name(name, of)? }, Slope::PerDay(-per_day))
            }
            TimeFunction::Between => {
                let [from, to] = self.arguments::<2>(name, args, span)?;
                let (from, to) = (self.time_name(name, from), self.time_name(name, to));
                (Expr::Between { unit, from: from?, to: to? }, Slope::Zero)
            }
        };
        let slope = if self.clock == ClockUse::Free { Slope::Zero } else { slope };
        Some(TypedExpr { expr, ty: Type::Number, slope, constant: None, form: NumberForm::Other, span })
    }

    /// The argument of a time function: a name whose type is time.
    pub(super) fn time_name(&mut self, function: &FunctionName, ast: &Ast) -> Option<TimeName> {
        if let AstNode::Call(name, args) = &ast.node
            && matches!(name.text.as_str(), "date" | "timestamp")
        {
            return self.constant(name, args, ast.span);
        }
        let AstNode::Name(written) = &ast.node else {
            if root_name(ast) == Some("tag") || self.check(ast).is_some() {
                let message =
                    format!("`{}` takes the name of a time or date, or a constant, not an expression", function.text);
                let help = self.known_times();
                self.error("wrong-arguments", ast.span, message).help(help);
            }
            return None;
        };
        let typed = self.check(ast)?;
        if let Expr::Time(name) = typed.expr {
            return Some(name);
        }
        let is = match typed.ty {
            Type::Any => "may be anything".to_owned(),
            ty => format!("is {}", ty.name()),
        };
        let message = format!("`{}` takes a time or a date; `{written}` {is}", function.text);
        let help = match (&typed.expr, typed.ty) {
            (Expr::Attribute(_), Type::Any) => {
                format!("declare it: give the attribute `{written}` the line `type: time` or `type: date`")
            }
            (Expr::Counter(_), _) => {
                format!("a counter with `last: time` or `first: time` is a time; {}", self.known_times())
            }
            _ => self.known_times(),
        };
        self.error("type-mismatch", ast.span, message).help(help);
        None
    }

    fn known_times(&self) -> String {
        let known: Vec<&str> = match self.scope {
            Scope::Event => vec!["time"],
            Scope::Entity(own) => self.names.time_names(own).collect(),
        };
        format!("times are {}", listed(&known))
    }
}
