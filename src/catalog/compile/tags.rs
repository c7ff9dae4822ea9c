//! Tags: exactly one of a condition, a value, stages, a score or commands; each is compiled after the tags that it
//! uses.

use super::compiler::Compiler;
use super::entities::positive_duration;
use super::evaluation_order::{Uses, evaluation_order};
use super::names::{check_label, check_unique};
use super::reported_values::NamesById;
use crate::catalog::compiled::{Attribute, Condition, Counter, Stage, Tag, TagDefinition, TagId};
use crate::catalog::diagnostics::{Span, listed};
use crate::catalog::parse::{Ast, parse_expression};
use crate::catalog::raw::{DurationMs, ExpressionText, RawStage, RawTag};
use crate::catalog::typecheck::{NumberForm, Scope, Type};
use crate::catalog::yaml::{Field, Spanned};
use crate::model::EntityKindId;

type TagEntry = (Spanned<String>, Option<RawTag>);

/// A parsed expression of a tag.
pub(super) struct ParsedExpr<'r> {
    pub scope: Scope,
    pub text: &'r ExpressionText,
    pub ast: Ast,
}

/// The parsed expressions of a tag; `None` for one that is missing or has a mistake.
struct ParsedTag<'r> {
    when: Option<ParsedExpr<'r>>,
    until: Option<ParsedExpr<'r>>,
    value: Option<ParsedExpr<'r>>,
    stages: Vec<Option<ParsedExpr<'r>>>,
    /// The inputs of a model.
    inputs: Vec<Option<ParsedExpr<'r>>>,
}

/// All tags in the order of the file, and the order of their evaluation.
pub(super) fn compile(
    compiler: &mut Compiler<'_>,
    entries: &[TagEntry],
    attributes: &[Attribute],
    counters: &[Counter],
) -> (Vec<Tag>, Vec<TagId>) {
    let names: Vec<String> = entries.iter().map(|(name, _)| name.value.clone()).collect();
    let parsed: Vec<ParsedTag<'_>> = (0..)
        .zip(entries)
        .map(|(id, (_, raw))| {
            let scope = Scope::Entity(compiler.names.tag_owner(TagId(id)));
            ParsedTag::parse(raw.as_ref(), scope, compiler)
        })
        .collect();
    let uses: Uses = parsed.iter().map(|tag| tag.uses(compiler)).collect();
    let order = evaluation_order(&uses, &names, compiler.report);
    let labels = NamesById { attributes, counters, tags: &names };
    let mut definitions: Vec<Option<TagDefinition>> = entries.iter().map(|_| None).collect();
    for id in &order {
        let at = usize::from(id.0);
        let (name, Some(raw)) = &entries[at] else { continue };
        let Some((definition, (ty, form))) = compiler.definition(*id, name, raw, &parsed[at], &labels) else {
            continue;
        };
        compiler.names.set_tag_type(*id, ty, form);
        definitions[at] = Some(definition);
    }
    let tags = (0..).zip(entries).zip(definitions).filter_map(|((id, (name, raw)), definition)| {
        let (entity, raw, definition) = (compiler.names.tag_owner(TagId(id))?, raw.as_ref()?, definition?);
        Some(tag(name, entity, raw, definition))
    });
    (tags.collect(), order)
}

fn tag(name: &Spanned<String>, entity: EntityKindId, raw: &RawTag, definition: TagDefinition) -> Tag {
    let text = |field: &Field<String>| field.value().map(|text| text.as_str().into());
    let title = raw.title.value().map_or(&[][..], |title| &title.0);
    Tag {
        name: name.value.as_str().into(),
        entity,
        title: title.iter().map(|(language, text)| (language.as_str().into(), text.as_str().into())).collect(),
        group: text(&raw.group),
        description: text(&raw.description),
        owner: text(&raw.owner),
        place: name.span.start,
        definition,
    }
}

impl<'r> ParsedTag<'r> {
    fn parse(raw: Option<&'r RawTag>, scope: Scope, compiler: &mut Compiler<'_>) -> Self {
        let mut parse = |field: &'r Field<ExpressionText>| {
            let text = field.value()?;
            parse_expression(text, compiler.report).map(|ast| ParsedExpr { scope, text, ast })
        };
        let Some(raw) = raw else {
            return ParsedTag { when: None, until: None, value: None, stages: Vec::new(), inputs: Vec::new() };
        };
        let stages = raw.stages.value().map_or(&[][..], |stages| stages);
        let inputs = raw.score.value().and_then(|score| score.inputs.value()).map_or(&[][..], |inputs| &inputs.0);
        ParsedTag {
            when: parse(&raw.when),
            until: parse(&raw.until),
            value: parse(&raw.value),
            stages: stages.iter().map(|stage| parse(&stage.value.when)).collect(),
            inputs: inputs.iter().map(|input| parse(&input.value)).collect(),
        }
    }

    /// The tags that the expressions mention, in their order; the checker reports unknown names.
    fn uses(&self, compiler: &Compiler<'_>) -> Vec<(TagId, Span)> {
        let expressions = [&self.when, &self.until, &self.value].into_iter().chain(&self.stages).chain(&self.inputs);
        let mut uses = Vec::new();
        for parsed in expressions.flatten() {
            let mut mentioned = Vec::new();
            parsed.ast.tags(&mut mentioned);
            uses.extend(
                mentioned
                    .into_iter()
                    .filter_map(|(name, span)| compiler.names.tag(name).map(|(id, ..)| (id, parsed.text.locate(span)))),
            );
        }
        uses
    }
}

impl Compiler<'_> {
    /// Compiles a tag's definition; also the tag's type in expressions.
    fn definition(
        &mut self,
        id: TagId,
        name: &Spanned<String>,
        raw: &RawTag,
        parsed: &ParsedTag<'_>,
        labels: &NamesById<'_>,
    ) -> Option<(TagDefinition, (Type, NumberForm))> {
        let key = self.definition_key(name, raw);
        self.check_misplaced_keys(raw, key);
        match key? {
            "when" => self.rule_tag(raw, parsed, labels),
            "value" => self.value_tag(raw, parsed, labels),
            "stages" => self.stages_tag(raw, parsed, labels),
            "score" => self.score_tag(id, raw, &parsed.inputs, labels),
            "manual" => self.manual_tag(raw),
            _ => None,
        }
    }

    /// The key that defines a tag; `None` when it has none or several of the five, which is reported.
    fn definition_key(&mut self, name: &Spanned<String>, raw: &RawTag) -> Option<&'static str> {
        let keys = [
            ("when", raw.when.key()),
            ("value", raw.value.key()),
            ("stages", raw.stages.key()),
            ("score", raw.score.key()),
            ("manual", raw.manual.key()),
        ];
        let mut written: Vec<(&'static str, Span)> =
            keys.into_iter().filter_map(|(key, at)| at.map(|at| (key, at))).collect();
        written.sort_by_key(|(_, at)| at.start);
        match written.as_slice() {
            [] => {
                self.report
                    .error("no-verdict", name.span, format!("the tag `{}` has no definition", name.value))
                    .help("give it exactly one of `when`, `value`, `stages`, `score` or `manual`");
                None
            }
            [(key, _)] => Some(key),
            [(first, first_at), (second, second_at), ..] => {
                let message = format!("a tag has one definition; this has `{first}` and `{second}`");
                self.report
                    .error("two-verdicts", *second_at, message)
                    .help("make two tags of it")
                    .related(*first_at, "the first one");
                None
            }
        }
    }

    /// Reports keys that belong to a tag with another definition.
    fn check_misplaced_keys(&mut self, raw: &RawTag, definition: Option<&str>) {
        let Some(definition) = definition else { return };
        let keys = [
            ("until", raw.until.key(), &["when"][..]),
            ("for", raw.r#for.key(), &["when"]),
            ("keep_for", raw.keep_for.key(), &["when"]),
            ("bands", raw.bands.key(), &["value", "score"]),
            ("margin", raw.margin.key(), &["value", "score"]),
            ("valid_for", raw.valid_for.key(), &["manual"]),
        ];
        for (key, span, owners) in keys {
            if let Some(span) = span
                && !owners.contains(&definition)
            {
                self.report
                    .error("unneeded-key", span, format!("`{key}` has no meaning beside `{definition}`"))
                    .help(format!("`{key}` goes with {}", listed(owners)));
            }
        }
    }

    fn condition(&mut self, parsed: Option<&ParsedExpr<'_>>, whose: &str, labels: &NamesById<'_>) -> Option<Condition> {
        let parsed = parsed?;
        let typed = self.checker(parsed.scope, parsed.text).condition(&parsed.ast, whose)?;
        Some(labels.condition(typed.expr))
    }

    fn rule_tag(
        &mut self,
        raw: &RawTag,
        parsed: &ParsedTag<'_>,
        labels: &NamesById<'_>,
    ) -> Option<(TagDefinition, (Type, NumberForm))> {
        let when = self.condition(parsed.when.as_ref(), "`when`", labels);
        let until = self.condition(parsed.until.as_ref(), "`until`", labels);
        if raw.until.is_written() && until.is_none() {
            return None;
        }
        let ms = |field: &Field<DurationMs>| field.value().map_or(0, |duration| duration.0);
        let rule = TagDefinition::Rule { when: when?, until, for_ms: ms(&raw.r#for), keep_for_ms: ms(&raw.keep_for) };
        Some((rule, (Type::Bool, NumberForm::Other)))
    }

    /// Compiles a manual tag. Commands may set any value, so its type is [`Type::Any`].
    fn manual_tag(&mut self, raw: &RawTag) -> Option<(TagDefinition, (Type, NumberForm))> {
        let within = &raw.manual.get()?.value.0.valid_for;
        if let (Some(first), Some(second)) = (within.key(), raw.valid_for.key()) {
            self.report
                .error("duplicate-key", second, "`valid_for` is given twice")
                .help("keep one of them")
                .related(first, "the other one");
            return None;
        }
        let field = if within.is_written() { within } else { &raw.valid_for };
        let valid_for_ms = positive_duration(field, "valid_for", self.report);
        if field.is_written() && valid_for_ms.is_none() {
            return None;
        }
        Some((TagDefinition::Manual { valid_for_ms }, (Type::Any, NumberForm::Other)))
    }

    fn value_tag(
        &mut self,
        raw: &RawTag,
        parsed: &ParsedTag<'_>,
        labels: &NamesById<'_>,
    ) -> Option<(TagDefinition, (Type, NumberForm))> {
        let bands = raw.bands.value().map(|bands| self.bands(raw, bands));
        self.margin_needs_bands(raw);
        let parsed = parsed.value.as_ref()?;
        let mut checker = self.checker(parsed.scope, parsed.text);
        if raw.bands.is_written() {
            let typed = checker.number(&parsed.ast, "`bands`")?;
            let definition = TagDefinition::Value { value: labels.condition(typed.expr), bands: Some(bands??) };
            return Some((definition, (Type::String, NumberForm::Other)));
        }
        let typed = checker.check(&parsed.ast)?;
        if !typed.is_clock_free() {
            let message = "this value moves with the clock and would change at every millisecond";
            checker.error("clock", typed.span, message).help("give the tag `bands`, or compare: `days_since(x) >= 14`");
            return None;
        }
        if typed.ty == Type::Number {
            let place = parsed.text.span;
            self.report
                .warning("value-without-bands", place, "every different number will be a change of this tag")
                .help("give it `bands`, unless the numbers are few");
        }
        let ty = (typed.ty, typed.form);
        Some((TagDefinition::Value { value: labels.condition(typed.expr), bands: None }, ty))
    }

    fn stages_tag(
        &mut self,
        raw: &RawTag,
        parsed: &ParsedTag<'_>,
        labels: &NamesById<'_>,
    ) -> Option<(TagDefinition, (Type, NumberForm))> {
        let raw_stages = raw.stages.get()?;
        if raw_stages.value.is_empty() {
            self.report
                .error("bad-stages", raw_stages.span, "`stages` is empty")
                .help("a stage looks like `{ name: new, when: days_since(first_seen) < 30 }`");
            return None;
        }
        let before = self.report.errors();
        let names: Vec<Spanned<String>> = raw_stages
            .value
            .iter()
            .filter_map(|stage| self.required(&stage.value.name, "name", stage.span, "a stage", "what the tag is then"))
            .collect();
        names.iter().for_each(|name| check_label("a stage", name, self.report));
        check_unique("stages", names.iter(), self.report);
        let last = raw_stages.value.len() - 1;
        let mut stages = Vec::with_capacity(last + 1);
        for (at, (stage, parsed)) in raw_stages.value.iter().zip(&parsed.stages).enumerate() {
            stages.push(self.stage(stage, parsed.as_ref(), at == last, labels));
        }
        let stages: Option<Vec<Stage>> = stages.into_iter().collect();
        if self.report.errors() > before {
            return None;
        }
        Some((TagDefinition::Stages(stages?), (Type::String, NumberForm::Other)))
    }

    fn stage(
        &mut self,
        stage: &Spanned<RawStage>,
        parsed: Option<&ParsedExpr<'_>>,
        is_last: bool,
        labels: &NamesById<'_>,
    ) -> Option<Stage> {
        let name = stage.value.name.value()?.as_str().into();
        if stage.value.when.is_written() {
            let when = self.condition(parsed, "`when`", labels)?;
            return Some(Stage { name, when: Some(when) });
        }
        if !is_last {
            self.report
                .error("bad-stages", stage.span, "only the last stage can do without `when`")
                .help("no stage after this one would ever be reached: move it to the end, or give it a `when`");
            return None;
        }
        Some(Stage { name, when: None })
    }
}
