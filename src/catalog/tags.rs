//! Tags: exactly one of a condition, a value, stages, a score or the word of a command; checked in an order in which each knows
//! what it uses.

use super::check::About;
use super::compile::Compiler;
use super::compiled::{Attribute, Condition, Counter, Stage, Tag, TagId, TagKind};
use super::entities::lasting;
use super::expression_text::ExpressionText;
use super::leaves::Labels;
use super::names::{check_label, check_unique, listed};
use super::order::{Uses, order};
use super::problems::Span;
use super::raw::{RawStage, RawTag, value};
use super::read::{At, Field};
use super::syntax::Syntax;
use super::types::Type;
use crate::model::EntityKindId;

type Entry = (At<String>, Option<RawTag>);

/// An expression of a tag, parsed.
pub struct Parsed<'r> {
    pub about: About,
    pub text: &'r ExpressionText,
    pub syntax: Syntax,
}

/// What a tag's expressions are, parsed; `None` for one that is missing or broken.
struct ParsedTag<'r> {
    when: Option<Parsed<'r>>,
    until: Option<Parsed<'r>>,
    value: Option<Parsed<'r>>,
    stages: Vec<Option<Parsed<'r>>>,
    /// What a model is given.
    inputs: Vec<Option<Parsed<'r>>>,
}

/// All tags in the order of the file, and the order in which they take their turn.
pub fn compile(
    compiler: &mut Compiler<'_>,
    entries: &[Entry],
    attributes: &[Attribute],
    counters: &[Counter],
) -> (Vec<Tag>, Vec<TagId>) {
    let names: Vec<String> = entries.iter().map(|(name, _)| name.value.clone()).collect();
    let parsed: Vec<ParsedTag<'_>> = (0..)
        .zip(entries)
        .map(|(id, (_, raw))| {
            let about = About::Entity(compiler.names.tag_owner(TagId(id)));
            ParsedTag::parse(raw.as_ref(), about, compiler)
        })
        .collect();
    let uses: Uses = parsed.iter().map(|tag| tag.uses(compiler)).collect();
    let order = order(&uses, &names, compiler.report);
    let labels = Labels { attributes, counters, tags: &names };
    let mut kinds: Vec<Option<TagKind>> = entries.iter().map(|_| None).collect();
    for id in &order {
        let at = usize::from(id.0);
        let (name, Some(raw)) = &entries[at] else { continue };
        let Some((kind, mention)) = compiler.tag_kind(*id, name, raw, &parsed[at], &labels) else { continue };
        compiler.names.set_tag_type(*id, mention);
        kinds[at] = Some(kind);
    }
    let tags = (0..).zip(entries).zip(kinds).filter_map(|((id, (name, raw)), kind)| {
        let (entity, raw, kind) = (compiler.names.tag_owner(TagId(id))?, raw.as_ref()?, kind?);
        Some(tag(name, entity, raw, kind))
    });
    (tags.collect(), order)
}

fn tag(name: &At<String>, entity: EntityKindId, raw: &RawTag, kind: TagKind) -> Tag {
    let text = |field: &Field<String>| value(field).map(|text| text.as_str().into());
    let title = value(&raw.title).map_or(&[][..], |title| &title.0);
    Tag {
        name: name.value.as_str().into(),
        entity,
        title: title.iter().map(|(language, text)| (language.as_str().into(), text.as_str().into())).collect(),
        group: text(&raw.group),
        description: text(&raw.description),
        owner: text(&raw.owner),
        kind,
    }
}

impl<'r> ParsedTag<'r> {
    fn parse(raw: Option<&'r RawTag>, about: About, compiler: &mut Compiler<'_>) -> Self {
        let mut parse = |field: &'r Field<ExpressionText>| {
            let text = value(field)?;
            super::cel::parse(text, compiler.report).map(|syntax| Parsed { about, text, syntax })
        };
        let Some(raw) = raw else {
            return ParsedTag { when: None, until: None, value: None, stages: Vec::new(), inputs: Vec::new() };
        };
        let stages = value(&raw.stages).map_or(&[][..], |stages| stages);
        let inputs = value(&raw.score).and_then(|score| value(&score.inputs)).map_or(&[][..], |inputs| &inputs.0);
        ParsedTag {
            when: parse(&raw.when),
            until: parse(&raw.until),
            value: parse(&raw.value),
            stages: stages.iter().map(|stage| parse(&stage.value.when)).collect(),
            inputs: inputs.iter().map(|input| parse(&input.value)).collect(),
        }
    }

    /// The tags that are mentioned, in the order of mention; unknown names are reported by the checker.
    fn uses(&self, compiler: &Compiler<'_>) -> Vec<(TagId, Span)> {
        let expressions = [&self.when, &self.until, &self.value].into_iter().chain(&self.stages).chain(&self.inputs);
        let mut uses = Vec::new();
        for parsed in expressions.flatten() {
            let mut mentioned = Vec::new();
            parsed.syntax.tags(&mut mentioned);
            uses.extend(
                mentioned
                    .into_iter()
                    .filter_map(|(name, span)| compiler.names.tag(name).map(|(id, _)| (id, parsed.text.locate(span)))),
            );
        }
        uses
    }
}

impl Compiler<'_> {
    /// What a tag is, and the type of a mention of it.
    fn tag_kind(
        &mut self,
        id: TagId,
        name: &At<String>,
        raw: &RawTag,
        parsed: &ParsedTag<'_>,
        labels: &Labels<'_>,
    ) -> Option<(TagKind, Type)> {
        let kind = self.one_kind(name, raw);
        self.misplaced(raw, kind);
        match kind? {
            "when" => self.rule(raw, parsed, labels),
            "value" => self.statistic(raw, parsed, labels),
            "stages" => self.classification(raw, parsed, labels),
            "score" => self.score(id, raw, &parsed.inputs, labels),
            "manual" => self.manual(raw),
            _ => None,
        }
    }

    /// Which of the five kinds a tag is; `None` when it is none or several.
    fn one_kind(&mut self, name: &At<String>, raw: &RawTag) -> Option<&'static str> {
        let kinds = [
            ("when", raw.when.key()),
            ("value", raw.value.key()),
            ("stages", raw.stages.key()),
            ("score", raw.score.key()),
            ("manual", raw.manual.key()),
        ];
        let mut written: Vec<(&'static str, Span)> =
            kinds.into_iter().filter_map(|(kind, key)| key.map(|key| (kind, key))).collect();
        written.sort_by_key(|(_, key)| key.start);
        match written.as_slice() {
            [] => {
                self.report
                    .error("no-verdict", name.span, format!("the tag `{}` says nothing", name.value))
                    .help("give it exactly one of `when`, `value`, `stages`, `score` or `manual`");
                None
            }
            [(kind, _)] => Some(kind),
            [(first, first_at), (second, second_at), ..] => {
                let message = format!("a tag has one kind of verdict; this has `{first}` and `{second}`");
                self.report
                    .error("two-verdicts", *second_at, message)
                    .help("make two tags of it")
                    .related(*first_at, "the first one");
                None
            }
        }
    }

    /// Reports keys that belong to another kind of tag.
    fn misplaced(&mut self, raw: &RawTag, kind: Option<&str>) {
        let Some(kind) = kind else { return };
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
                && !owners.contains(&kind)
            {
                self.report
                    .error("unneeded-key", span, format!("`{key}` has no meaning beside `{kind}`"))
                    .help(format!("`{key}` goes with {}", listed(owners)));
            }
        }
    }

    fn condition(&mut self, parsed: Option<&Parsed<'_>>, whose: &str, labels: &Labels<'_>) -> Option<Condition> {
        let parsed = parsed?;
        let typed = self.checker(parsed.about, parsed.text).condition(&parsed.syntax, whose)?;
        Some(labels.condition(typed.expr))
    }

    fn rule(&mut self, raw: &RawTag, parsed: &ParsedTag<'_>, labels: &Labels<'_>) -> Option<(TagKind, Type)> {
        let when = self.condition(parsed.when.as_ref(), "`when`", labels);
        let until = self.condition(parsed.until.as_ref(), "`until`", labels);
        if raw.until.is_written() && until.is_none() {
            return None;
        }
        let ms = |field| value(field).map_or(0, |duration: &super::duration::Duration| duration.0);
        let rule = TagKind::Rule { when: when?, until, for_ms: ms(&raw.r#for), keep_for_ms: ms(&raw.keep_for) };
        Some((rule, Type::Bool))
    }

    /// Anything may be set, so a mention of it is of no certain type.
    fn manual(&mut self, raw: &RawTag) -> Option<(TagKind, Type)> {
        let within = &raw.manual.get()?.value.0.valid_for;
        if let (Some(first), Some(second)) = (within.key(), raw.valid_for.key()) {
            self.report
                .error("duplicate-key", second, "`valid_for` is given twice")
                .help("keep one of them")
                .related(first, "the other one");
            return None;
        }
        let field = if within.is_written() { within } else { &raw.valid_for };
        let valid_for_ms = lasting(field, "valid_for", self.report);
        if field.is_written() && valid_for_ms.is_none() {
            return None;
        }
        Some((TagKind::Manual { valid_for_ms }, Type::Any))
    }

    fn statistic(&mut self, raw: &RawTag, parsed: &ParsedTag<'_>, labels: &Labels<'_>) -> Option<(TagKind, Type)> {
        let bands = value(&raw.bands).map(|bands| self.bands(raw, bands));
        self.margin_needs_bands(raw);
        let parsed = parsed.value.as_ref()?;
        let mut checker = self.checker(parsed.about, parsed.text);
        if raw.bands.is_written() {
            let typed = checker.number(&parsed.syntax, "`bands`")?;
            let kind = TagKind::Value { value: labels.condition(typed.expr), bands: Some(bands??) };
            return Some((kind, Type::String));
        }
        let typed = checker.check(&parsed.syntax)?;
        if !typed.is_still() {
            let message = "this value moves with the clock and would change at every millisecond";
            checker.error("clock", typed.span, message).help("give the tag `bands`, or compare: `days_since(x) >= 14`");
            return None;
        }
        if typed.kind == Type::Number {
            let place = parsed.text.span;
            self.report
                .warning("value-without-bands", place, "every different number will be a change of this tag")
                .help("give it `bands`, unless the numbers are few");
        }
        let kind = typed.kind;
        Some((TagKind::Value { value: labels.condition(typed.expr), bands: None }, kind))
    }

    fn classification(&mut self, raw: &RawTag, parsed: &ParsedTag<'_>, labels: &Labels<'_>) -> Option<(TagKind, Type)> {
        let raw_stages = raw.stages.get()?;
        if raw_stages.value.is_empty() {
            self.report
                .error("bad-stages", raw_stages.span, "`stages` is empty")
                .help("a stage looks like `{ name: new, when: days_since(first_seen) < 30 }`");
            return None;
        }
        let before = self.report.errors();
        let names: Vec<At<String>> = raw_stages
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
        Some((TagKind::Stages(stages?), Type::String))
    }

    fn stage(
        &mut self,
        stage: &At<RawStage>,
        parsed: Option<&Parsed<'_>>,
        is_last: bool,
        labels: &Labels<'_>,
    ) -> Option<Stage> {
        let name = value(&stage.value.name)?.as_str().into();
        if stage.value.when.is_written() {
            let when = self.condition(parsed, "`when`", labels)?;
            return Some(Stage { name, when: Some(when) });
        }
        if !is_last {
            self.report
                .error("bad-stages", stage.span, "only the last stage can do without `when`")
                .help("no stage behind this one would ever be reached: move it to the end, or give it a `when`");
            return None;
        }
        Some(Stage { name, when: None })
    }
}
