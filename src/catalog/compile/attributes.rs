//! Attributes, and the events that attributes and counters take: their `where`.

use super::compiler::Compiler;
use crate::catalog::compiled::{Attribute, AttributeType, EventSelector, EventTypeSet, Expr, Source};
use crate::catalog::diagnostics::Span;
use crate::catalog::parse::parse_expression;
use crate::catalog::raw::{EventPath, ExpressionText, RawAttribute, RawAttributeType, RawSelector};
use crate::catalog::typecheck::{ItemUse, Scope};
use crate::catalog::yaml::Spanned;

/// The declared type, if there is one; the time of an event needs no declaration.
pub(super) fn declared_type(raw: &RawAttribute) -> Option<AttributeType> {
    if raw.r#type.value().is_none() && matches!(raw.value.value(), Some(EventPath::Time)) {
        return Some(AttributeType::Time);
    }
    raw.r#type.value().map(|word| match word {
        RawAttributeType::String => AttributeType::String,
        RawAttributeType::Number => AttributeType::Number,
        RawAttributeType::Bool => AttributeType::Bool,
        RawAttributeType::Time => AttributeType::Time,
        RawAttributeType::Date => AttributeType::Date,
    })
}

impl Compiler<'_> {
    pub(super) fn attribute(&mut self, name: &Spanned<String>, raw: &RawAttribute) -> Option<Attribute> {
        let from = self.required(&raw.from, "from", name.span, "an attribute", "which event types tell it");
        let value = self.required(
            &raw.value,
            "value",
            name.span,
            "an attribute",
            "where the value stands: a path such as `properties.plan`",
        );
        let filter = match raw.r#where.get() {
            Some(text) => Some(self.filter(&text.value)?),
            None if raw.r#where.is_written() => return None,
            None => None,
        };
        let from: EventTypeSet = self.interner.event_types(&from?.value);
        let value_type = declared_type(raw);
        let value = value?;
        Some(Attribute {
            name: name.value.as_str().into(),
            entity: self.names.owner(&name.value)?,
            from,
            value: self.attribute_source(&value.value, value.span, value_type)?,
            value_type,
            filter,
        })
    }

    fn attribute_source(&mut self, path: &EventPath, span: Span, value_type: Option<AttributeType>) -> Option<Source> {
        match path {
            EventPath::Property(segments) => Some(Source::Property(self.interner.path(segments))),
            EventPath::Item(_) => {
                self.no_each(span);
                None
            }
            EventPath::EventType if value_type.is_none_or(|value_type| value_type == AttributeType::String) => {
                Some(Source::EventType)
            }
            EventPath::EventType => {
                self.report.error("type-mismatch", span, "an event's type is text").help("write `type: string`");
                None
            }
            EventPath::Time if matches!(value_type, None | Some(AttributeType::Time | AttributeType::Date)) => {
                Some(Source::Time)
            }
            EventPath::Time => {
                self.report
                    .error("type-mismatch", span, "an event's time is a time or a date")
                    .help("write `type: time`, or `type: date` for its local date");
                None
            }
        }
    }

    /// Events by their types and a `where`.
    pub(super) fn selector(&mut self, what: &str, selector: &Spanned<RawSelector>) -> Option<EventSelector> {
        let RawSelector(options) = &selector.value;
        let on = self.required(&options.on, "on", selector.span, what, "which event types it is, or \"*\" for all");
        let filter = match options.r#where.get() {
            Some(text) => Some(self.filter(&text.value)?),
            None if options.r#where.is_written() => return None,
            None => None,
        };
        Some(EventSelector { on: self.interner.event_types(&on?.value), filter })
    }

    /// Reports a path below `item` where there is no element.
    pub(super) fn no_each(&mut self, span: Span) {
        self.report
            .error("unknown-name", span, "there is no `item` here")
            .help("`item` is an element of the array that a counter's `each` names: `each: properties.items`");
    }

    /// Compiles a `where`: a condition over one event.
    pub(super) fn filter(&mut self, text: &ExpressionText) -> Option<Expr> {
        self.filter_of(text, ItemUse::None)
    }

    /// Compiles a `where` over one event, or over one element of it.
    pub(super) fn filter_of(&mut self, text: &ExpressionText, items: ItemUse) -> Option<Expr> {
        let ast = parse_expression(text, self.report)?;
        let mut checker = self.checker(Scope::Event, text);
        checker.items = items;
        checker.condition(&ast, "`where`").map(|typed| typed.expr)
    }
}
