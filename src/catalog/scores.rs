//! Scores: a model's file, the expressions that it is given, which of its outputs counts, and how often.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::check::ClockUse;
use super::compile::Compiler;
use super::compiled::{Catalog, Condition, Score, ScoreInput, TagId, TagKind};
use super::duration::Duration;
use super::expression_text::ExpressionText;
use super::leaves::Labels;
use super::names::{check_label, check_unique};
use super::problems::Span;
use super::raw::{RawScore, RawTag, value};
use super::read::{At, Field, Read, Reader};
use super::tags::Parsed;
use super::tree::{Node, Yaml};
use super::types::Type;

/// Once a day: what moves with the clock moves slowly against the lives of users.
const REFRESH_MS: i64 = 86_400_000;

/// More numbers than any model that is scored between two events has use for.
const INPUTS_MAX: usize = 1_024;

/// What the score itself is called in a change's `because`.
const SCORE_LABEL: &str = "score";

/// Where the file speaks of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelPlaces {
    pub tag: TagId,
    pub model: Span,
    /// All inputs.
    pub inputs: Span,
    /// The name of each.
    pub names: Vec<Span>,
    pub output: Span,
}

/// What a model is given: names and expressions, in order.
#[derive(Clone, Debug)]
pub struct InputList(pub Vec<RawInput>);

/// One input of a model, `name: expression`.
#[derive(Clone, Debug)]
pub struct RawInput {
    pub name: At<String>,
    pub value: Field<ExpressionText>,
}

impl Read for InputList {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Yaml::List(items) = &node.value else {
            let message = format!("expected a list of inputs, found {}", node.value.described());
            let help = "the order counts: write each behind a dash, `- recency: days_since(last_active)`";
            reader.report.error("wrong-type", node.span, message).help(help);
            return None;
        };
        let read: Vec<RawInput> = items.iter().filter_map(|item| read_input(item, reader)).collect();
        (read.len() == items.len()).then_some(InputList(read))
    }
}

fn read_input(node: &Node, reader: &mut Reader<'_>) -> Option<RawInput> {
    let is_cut = matches!(&node.value, Yaml::Text(text) if text.contains(')'));
    let help = if is_cut {
        "in brackets YAML ends a value at a comma: put the expression in quotes, `top: \"max(a, b)\"`"
    } else {
        "an input is a name and an expression: `recency: days_since(last_active)`"
    };
    if !matches!(node.value, Yaml::Map(_)) {
        let message = format!("expected an input, found {}", node.value.described());
        reader.report.error("wrong-type", node.span, message).help(help);
        return None;
    }
    let members = reader.members(node, "an input")?;
    let [member] = &members[..] else {
        let message = format!("an input has one name; this has {}", members.len());
        reader.report.error("wrong-type", node.span, message).help(help);
        return None;
    };
    let mut value = Field::default();
    value.take(member, reader);
    Some(RawInput { name: At { span: member.key, value: member.name.to_owned() }, value })
}

impl JsonSchema for InputList {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Inputs".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let expression = ExpressionText::json_schema(generator);
        schemars::json_schema!({
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": expression,
                "minProperties": 1,
                "maxProperties": 1,
            },
        })
    }
}

impl Compiler<'_> {
    /// A tag with a `score`, and the type of a mention of it.
    pub fn score(
        &mut self,
        id: TagId,
        raw: &RawTag,
        parsed: &[Option<Parsed<'_>>],
        labels: &Labels<'_>,
    ) -> Option<(TagKind, Type)> {
        let At { span, value: score } = raw.score.get()?;
        self.margin_needs_bands(raw);
        let bands = value(&raw.bands).map(|bands| self.bands(raw, bands));
        let model = self.required(&score.model, "model", *span, "a score", "in which file the model is");
        let output = self.required(&score.output, "output", *span, "a score", "which of the model's outputs it is");
        let inputs = self.inputs(score, *span, parsed, labels);
        if !raw.bands.is_written() {
            self.report
                .warning("value-without-bands", *span, "every different score will be a change of this tag")
                .help("give it `bands`");
        }
        let bands = match bands {
            Some(bands) => Some(bands?),
            None if raw.bands.is_written() => return None,
            None => None,
        };
        let (model, output, inputs) = (model?, output?, inputs?);
        let raw_inputs = score.inputs.get()?;
        self.models.push(ModelPlaces {
            tag: id,
            model: model.span,
            inputs: raw_inputs.span,
            names: raw_inputs.value.0.iter().map(|input| input.name.span).collect(),
            output: output.span,
        });
        let refresh_ms = value(&score.refresh).map_or(REFRESH_MS, |Duration(ms)| *ms);
        let kind = if bands.is_some() { Type::String } else { Type::Number };
        let (model, output) = (model.value.into(), output.value.into());
        Some((TagKind::Score(Score { model, digest: 0, inputs, output, refresh_ms, bands }), kind))
    }

    fn inputs(
        &mut self,
        score: &RawScore,
        whole: Span,
        parsed: &[Option<Parsed<'_>>],
        labels: &Labels<'_>,
    ) -> Option<Vec<ScoreInput>> {
        let InputList(raw) = self.required(&score.inputs, "inputs", whole, "a score", "what the model is given")?.value;
        let before = self.report.errors();
        if raw.is_empty() || raw.len() > INPUTS_MAX {
            let place = score.inputs.get().map_or(whole, |inputs| inputs.span);
            let message = format!("a model is given 1 to {INPUTS_MAX} numbers; this gives {}", raw.len());
            self.report.error("bad-inputs", place, message).help("an input looks like `- visits: visits_30d`");
        }
        raw.iter().for_each(|input| check_label("an input", &input.name, self.report));
        check_unique("inputs", raw.iter().map(|input| &input.name), self.report);
        let mut inputs = Vec::with_capacity(raw.len());
        for (input, parsed) in raw.iter().zip(parsed) {
            let value = parsed.as_ref().and_then(|parsed| self.input(parsed, labels));
            inputs.extend(value.map(|value| ScoreInput { name: input.name.value.as_str().into(), value }));
        }
        (inputs.len() == raw.len() && self.report.errors() == before).then_some(inputs)
    }

    /// A number, or true or false; the clock may enter as it likes, since the score stands until it is made anew.
    fn input(&mut self, parsed: &Parsed<'_>, labels: &Labels<'_>) -> Option<Condition> {
        let mut checker = self.checker(parsed.about, parsed.text);
        checker.clock = ClockUse::Free;
        let typed = checker.check(&parsed.syntax)?;
        let typed = if typed.kind == Type::Bool { typed } else { checker.as_number(typed, "a model")? };
        let condition = labels.condition(typed.expr);
        if condition.leaves.iter().any(|leaf| &*leaf.label == SCORE_LABEL) {
            let message = "`score` is what the model's own number is called in the changes of this tag";
            let help = "give the attribute or counter another name, such as `credit_score`";
            self.report.error("reserved-name", parsed.text.span, message).help(help);
            return None;
        }
        Some(condition)
    }
}

impl Catalog {
    /// Takes note of what stands in the file of a tag's model: another model is another meaning.
    pub fn know_model(&mut self, tag: TagId, digest: u64) {
        if let TagKind::Score(score) = &mut self.tags[usize::from(tag.0)].kind {
            score.digest = digest;
        }
        self.fingerprint = super::fingerprint::of(self);
    }
}
