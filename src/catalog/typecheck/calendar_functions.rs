//! Dates in expressions: the functions that move at local midnights, constants, and the parts of an event's time.

use super::check::{Checker, Scope};
use super::types::{Type, TypedExpr};
use crate::catalog::compiled::{CalendarFunction, Expr, TimeName, WallClockPart};
use crate::catalog::diagnostics::Span;
use crate::catalog::parse::{Ast, AstNode, FunctionName};
use crate::model::{Date, Timestamp};

impl Checker<'_> {
    /// A call of one of these functions; `None` where it is another function.
    pub(crate) fn calendar_call(&mut self, name: &FunctionName, args: &[Ast], span: Span) -> Option<Option<TypedExpr>> {
        let text = name.text.as_str();
        if let Some(function) = CalendarFunction::ALL.into_iter().find(|function| function.name() == text) {
            return Some(self.calendar_function(function, name, args, span));
        }
        if let Some(part) = WallClockPart::ALL.into_iter().find(|part| part.name() == text) {
            return Some(self.wall_clock(part, name, args, span));
        }
        if !matches!(text, "date" | "timestamp") {
            return None;
        }
        let ty = if text == "date" { Type::Date } else { Type::Time };
        let constant = self.constant(name, args, span);
        Some(constant.map(|constant| TypedExpr::clock_free(Expr::Time(constant), ty, span)))
    }

    fn calendar_function(
        &mut self,
        function: CalendarFunction,
        name: &FunctionName,
        args: &[Ast],
        span: Span,
    ) -> Option<TypedExpr> {
        if self.scope == Scope::Event {
            let message = format!("`{}` moves with the clock, and this expression looks at one event", name.text);
            self.error("clock", span, message)
                .help("use it in a tag's condition, over an attribute or a `last: time` counter");
            return None;
        }
        let [of] = self.arguments::<1>(name, args, span)?;
        let of = self.time_name(name, of)?;
        Some(TypedExpr::clock_free(Expr::Calendar(function, of), Type::Number, span))
    }

    fn wall_clock(&mut self, part: WallClockPart, name: &FunctionName, args: &[Ast], span: Span) -> Option<TypedExpr> {
        if self.scope != Scope::Event {
            let message = format!("`{}` looks at the time of an event", name.text);
            self.error("unknown-function", name.span, message)
                .help(format!("use it in a `where`: `{}(time) == 1`, and the counter here", name.text));
            return None;
        }
        let [of] = self.arguments::<1>(name, args, span)?;
        if of.node != AstNode::Name("time".to_owned()) {
            if of.node != AstNode::Invalid {
                self.error("wrong-arguments", of.span, format!("`{}` takes the event's `time` only", name.text))
                    .help(format!("write `{}(time)`", name.text));
            }
            return None;
        }
        Some(TypedExpr::clock_free(Expr::WallClock(part), Type::Number, span))
    }

    /// `date("…")` or `timestamp("…")`.
    pub(super) fn constant(&mut self, name: &FunctionName, args: &[Ast], span: Span) -> Option<TimeName> {
        let [text] = self.arguments::<1>(name, args, span)?;
        let is_date = name.text == "date";
        let form = if is_date { "`date(\"2026-11-27\")`" } else { "`timestamp(\"2026-11-27T08:00:00Z\")`" };
        let AstNode::Text(written) = &text.node else {
            if text.node != AstNode::Invalid {
                let message = format!("`{}` takes a text that is fixed", name.text);
                self.error("wrong-arguments", text.span, message).help(format!("write it as {form}"));
            }
            return None;
        };
        let (date, time) = (Date::parse(written), Timestamp::parse(written).ok().filter(|at| at.has_calendar_year()));
        let (constant, help) = match (is_date, date, time) {
            (true, Some(date), _) => (Some(TimeName::Date(date)), String::new()),
            (false, _, Some(at)) => (Some(TimeName::Instant(at)), String::new()),
            (true, None, Some(_)) => (None, format!("a time is written `timestamp(\"{written}\")`")),
            (false, Some(_), None) => (None, format!("a date is written `date(\"{written}\")`")),
            _ => (None, format!("write it as {form}")),
        };
        if constant.is_none() {
            let message = match is_date {
                true => format!("`{written}` is no date of the years 1 to 9999"),
                false => format!("`{written}` is no RFC 3339 time with an offset, of the years 1 to 9999"),
            };
            self.error("bad-value", text.span, message).help(help);
        }
        constant
    }
}
