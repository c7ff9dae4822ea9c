//! Attributes: the latest known facts, from events.

use super::check::About;
use super::compile::Compiler;
use super::compiled::{Attribute, AttributeType, KindSet, Source};
use super::path::Path;
use super::problems::Span;
use super::raw::{RawAttribute, TypeWord, value};
use super::read::At;

/// The declared type, where there is one; an event's time needs no declaration.
pub fn declared(raw: &RawAttribute) -> Option<AttributeType> {
    if value(&raw.r#type).is_none() && matches!(value(&raw.value), Some(Path::Time)) {
        return Some(AttributeType::Time);
    }
    value(&raw.r#type).map(|word| match word {
        TypeWord::String => AttributeType::String,
        TypeWord::Number => AttributeType::Number,
        TypeWord::Bool => AttributeType::Bool,
        TypeWord::Time => AttributeType::Time,
    })
}

impl Compiler<'_> {
    pub fn attribute(&mut self, name: &At<String>, raw: &RawAttribute) -> Option<Attribute> {
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
        let from: KindSet = self.interner.kinds(&from?.value);
        let kind = declared(raw);
        let value = value?;
        Some(Attribute {
            name: name.value.as_str().into(),
            entity: self.names.owner(&name.value)?,
            from,
            value: self.attribute_source(&value.value, value.span, kind)?,
            kind,
            filter,
        })
    }

    fn attribute_source(&mut self, path: &Path, span: Span, kind: Option<AttributeType>) -> Option<Source> {
        match path {
            Path::Property(segments) => Some(Source::Property(self.interner.path(segments))),
            Path::Kind if kind.is_none_or(|kind| kind == AttributeType::String) => Some(Source::Kind),
            Path::Kind => {
                self.report.error("type-mismatch", span, "an event's type is text").help("write `type: string`");
                None
            }
            Path::Time if kind.is_none_or(|kind| kind == AttributeType::Time) => Some(Source::Time),
            Path::Time => {
                self.report.error("type-mismatch", span, "an event's time is a time").help("write `type: time`");
                None
            }
        }
    }

    /// A `where`: a condition over one event.
    pub fn filter(&mut self, text: &super::expression_text::ExpressionText) -> Option<super::Expr> {
        let syntax = super::cel::parse(text, self.report)?;
        let mut checker = self.checker(About::Event, text);
        checker.condition(&syntax, "`where`").map(|typed| typed.expr)
    }
}
