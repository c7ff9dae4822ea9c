//! `days_since(x)`, `days_until(x)`, `days_between(a, b)` and the same for the other units.

use super::check::{About, Checker, ClockUse};
use super::clock::Slope;
use super::expr::{Expr, TimeName};
use super::mentions::root;
use super::names::listed;
use super::problems::Span;
use super::syntax::{Form, Name, Syntax};
use super::types::{Type, Typed};
use crate::model::Unit;

const UNITS: [Unit; 4] = [Unit::Days, Unit::Hours, Unit::Minutes, Unit::Seconds];

/// The function of a name such as `days_since`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockCall {
    Since,
    Until,
    Between,
}

/// The unit and the function of a name, where it is one of the clock functions.
pub fn clock_call(name: &str) -> Option<(Unit, ClockCall)> {
    let (unit, call) = name.split_once('_')?;
    let unit = UNITS.into_iter().find(|known| known.name() == unit)?;
    let call = match call {
        "since" => ClockCall::Since,
        "until" => ClockCall::Until,
        "between" => ClockCall::Between,
        _ => return None,
    };
    Some((unit, call))
}

impl Checker<'_> {
    pub fn clock_function(
        &mut self,
        name: &Name,
        unit: Unit,
        call: ClockCall,
        args: &[Syntax],
        span: Span,
    ) -> Option<Typed> {
        if self.about == About::Event && call != ClockCall::Between {
            let message = format!("`{}` moves with the clock, and a `where` looks at one event", name.text);
            self.error("clock", span, message)
                .help("use it in a tag's condition, over an attribute or a `last: time` counter");
            return None;
        }
        // A day has so many of the unit: what the call grows by in a day.
        let per_day = Unit::Days.ms() as f64 / unit.ms() as f64;
        let (expr, slope) = match call {
            ClockCall::Since => {
                let [of] = self.arguments::<1>(name, args, span)?;
                (Expr::Since { unit, of: self.time_name(name, of)? }, Slope::PerDay(per_day))
            }
            ClockCall::Until => {
                let [of] = self.arguments::<1>(name, args, span)?;
                (Expr::Until { unit, of: self.time_name(name, of)? }, Slope::PerDay(-per_day))
            }
            ClockCall::Between => {
                let [from, to] = self.arguments::<2>(name, args, span)?;
                let (from, to) = (self.time_name(name, from), self.time_name(name, to));
                (Expr::Between { unit, from: from?, to: to? }, Slope::Still)
            }
        };
        let slope = if self.clock == ClockUse::Free { Slope::Still } else { slope };
        Some(Typed { expr, kind: Type::Number, slope, constant: None, span })
    }

    /// The argument of a clock function: a name whose type is time.
    fn time_name(&mut self, function: &Name, syntax: &Syntax) -> Option<TimeName> {
        let Form::Name(written) = &syntax.form else {
            if root(syntax) == Some("tag") || self.check(syntax).is_some() {
                let message = format!("`{}` takes the name of a time, not an expression", function.text);
                let help = self.known_times();
                self.error("wrong-arguments", syntax.span, message).help(help);
            }
            return None;
        };
        let typed = self.check(syntax)?;
        if let Expr::Time(name) = typed.expr {
            return Some(name);
        }
        let is = match typed.kind {
            Type::Any => "may be anything".to_owned(),
            kind => format!("is {}", kind.name()),
        };
        let message = format!("`{}` takes a time; `{written}` {is}", function.text);
        let help = match (&typed.expr, typed.kind) {
            (Expr::Attribute(_), Type::Any) => {
                format!("declare it: give the attribute `{written}` the line `type: time`")
            }
            (Expr::Counter(_), _) => {
                format!("a counter with `last: time` or `first: time` is a time; {}", self.known_times())
            }
            _ => self.known_times(),
        };
        self.error("type-mismatch", syntax.span, message).help(help);
        None
    }

    fn known_times(&self) -> String {
        let known: Vec<&str> = match self.about {
            About::Event => vec!["time"],
            About::Entity(own) => self.names.time_names(own).collect(),
        };
        format!("times are {}", listed(&known))
    }
}
