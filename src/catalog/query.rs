//! Expressions that are asked from outside of the catalog: about the entities of one kind, at one instant.

use super::compiled::{Aggregate, Attribute, Catalog, Counter, Expr, Source, Tag, TagDefinition};
use super::diagnostics::{Problem, Report, SourceText};
use super::parse::parse_expression;
use super::raw::ExpressionText;
use super::typecheck::{
    Checker, ClockUse, Interner, ItemUse, Meaning, NameTable, NumberForm, NumberUse, Scope, Type, TypedExpr,
};
use crate::catalog::{AttributeId, CounterId, TagId};
use crate::model::EntityKindId;

/// The longest expression, in bytes.
const TEXT_MAX: usize = 16 << 10;

/// Checks a condition: an expression that is true or false.
///
/// # Errors
/// All that is wrong with it, as `check` reports it; lines and columns are those of the text.
pub fn check_condition(catalog: &Catalog, kind: EntityKindId, text: &str) -> Result<Expr, Vec<Problem>> {
    check(catalog, kind, text, |checker, ast| checker.condition(ast, "an audience")).map(|typed| typed.expr)
}

/// Checks an expression of any type.
///
/// # Errors
/// As [`check_condition`].
pub fn check_expression(catalog: &Catalog, kind: EntityKindId, text: &str) -> Result<(Expr, Type), Vec<Problem>> {
    check(catalog, kind, text, |checker, ast| checker.check(ast)).map(|typed| (typed.expr, typed.ty))
}

fn check(
    catalog: &Catalog,
    kind: EntityKindId,
    text: &str,
    check: impl FnOnce(&mut Checker<'_>, &super::parse::Ast) -> Option<TypedExpr>,
) -> Result<TypedExpr, Vec<Problem>> {
    let source = SourceText::new(text);
    let mut report = Report::default();
    let written = ExpressionText::plain(&source);
    if text.len() > TEXT_MAX {
        let message = format!("an expression has at most {TEXT_MAX} bytes; this has {}", text.len());
        report.error("too-long", written.span, message);
        return Err(report.finish(&source));
    }
    let names = names(catalog);
    let ast = parse_expression(&written, &mut report);
    let typed = ast.and_then(|ast| {
        let mut checker = Checker {
            scope: Scope::Entity(Some(kind)),
            items: ItemUse::None,
            numbers: NumberUse::Exact,
            clock: ClockUse::Free,
            names: &names,
            entities: &catalog.entities,
            interner: &mut Interner::default(),
            text: &written,
            report: &mut report,
        };
        check(&mut checker, &ast)
    });
    match typed.filter(|_| report.errors() == 0) {
        Some(typed) => Ok(typed),
        None => Err(report.finish(&source)),
    }
}

fn names(catalog: &Catalog) -> NameTable {
    let mut names = NameTable::default();
    for (id, attribute) in (0..).map(AttributeId).zip(&catalog.attributes) {
        names.add_value(&attribute.name, Meaning::Attribute(id, attribute_type(attribute)), Some(attribute.entity));
    }
    for (id, counter) in (0..).map(CounterId).zip(&catalog.counters) {
        let meaning = Meaning::Counter(id, counter_type(counter), counter_form(counter));
        names.add_value(&counter.name, meaning, Some(counter.entity));
    }
    for (id, tag) in (0..).map(TagId).zip(&catalog.tags) {
        names.add_tag(&tag.name, id, Some(tag.entity));
        names.set_tag_type(id, tag_type(tag), NumberForm::Other);
    }
    names
}

fn attribute_type(attribute: &Attribute) -> Type {
    match (attribute.value_type, attribute.value) {
        (None, Source::EventType) => Type::String,
        (declared, _) => Type::of_attribute(declared),
    }
}

fn counter_type(counter: &Counter) -> Type {
    match counter.aggregate {
        Aggregate::Last(Source::Time) | Aggregate::First(Source::Time) => Type::Time,
        Aggregate::Last(Source::EventType) | Aggregate::First(Source::EventType) | Aggregate::Top { .. } => {
            Type::String
        }
        Aggregate::Last(Source::Property(_)) | Aggregate::First(Source::Property(_)) => Type::Any,
        _ => Type::Number,
    }
}

/// Which numbers a counter gives.
fn counter_form(counter: &Counter) -> NumberForm {
    match counter.aggregate {
        Aggregate::Sum(_) | Aggregate::Min(_) | Aggregate::Max(_) => NumberForm::Decimal,
        Aggregate::Avg(_) | Aggregate::Last(_) | Aggregate::First(_) | Aggregate::Top { .. } => NumberForm::Other,
        Aggregate::Count | Aggregate::Distinct { .. } | Aggregate::ActiveDays => NumberForm::Whole,
    }
}

/// The type of a value without bands is known at its evaluation, and so is which numbers it gives.
fn tag_type(tag: &Tag) -> Type {
    match &tag.definition {
        TagDefinition::Rule { .. } => Type::Bool,
        TagDefinition::Stages(_) => Type::String,
        definition if definition.bands().is_some() => Type::String,
        TagDefinition::Score(_) => Type::Number,
        TagDefinition::Value { .. } | TagDefinition::Manual { .. } => Type::Any,
    }
}
