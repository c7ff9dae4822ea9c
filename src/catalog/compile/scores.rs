//! Scores: the file of a model, its inputs, its output, and how often it is called.

use super::compiler::Compiler;
use super::names::{check_label, check_unique};
use super::reported_values::NamesById;
use super::tags::ParsedExpr;
use crate::catalog::compiled::{Condition, Score, ScoreInput, TagDefinition, TagId};
use crate::catalog::diagnostics::Span;
use crate::catalog::raw::{DurationMs, RawScore, RawScoreInputs, RawTag};
use crate::catalog::typecheck::{ClockUse, NumberForm, Type};
use crate::catalog::yaml::Spanned;

/// Once a day: most inputs that move with the clock are counted in days.
const REFRESH_MS: i64 = 86_400_000;

/// The most inputs of a model.
const INPUTS_MAX: usize = 1_024;

/// The name of the score itself in the `because` of a change.
const SCORE_LABEL: &str = "score";

/// The places of a model's keys in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSpans {
    pub tag: TagId,
    pub model: Span,
    /// The list of inputs.
    pub inputs: Span,
    /// The name of each input.
    pub names: Vec<Span>,
    pub output: Span,
}

impl Compiler<'_> {
    /// Compiles a tag with a `score`; also the tag's type in expressions.
    pub(super) fn score_tag(
        &mut self,
        id: TagId,
        raw: &RawTag,
        parsed: &[Option<ParsedExpr<'_>>],
        labels: &NamesById<'_>,
    ) -> Option<(TagDefinition, (Type, NumberForm))> {
        let Spanned { span, value: score } = raw.score.get()?;
        self.margin_needs_bands(raw);
        let bands = raw.bands.value().map(|bands| self.bands(raw, bands));
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
        self.models.push(ModelSpans {
            tag: id,
            model: model.span,
            inputs: raw_inputs.span,
            names: raw_inputs.value.0.iter().map(|input| input.name.span).collect(),
            output: output.span,
        });
        let refresh_ms = score.refresh.value().map_or(REFRESH_MS, |DurationMs(ms)| *ms);
        let ty = if bands.is_some() { Type::String } else { Type::Number };
        let ty = (ty, NumberForm::Other);
        let (model, output) = (model.value.into(), output.value.into());
        Some((TagDefinition::Score(Score { model, digest: 0, inputs, output, refresh_ms, bands }), ty))
    }

    fn inputs(
        &mut self,
        score: &RawScore,
        whole: Span,
        parsed: &[Option<ParsedExpr<'_>>],
        labels: &NamesById<'_>,
    ) -> Option<Vec<ScoreInput>> {
        let RawScoreInputs(raw) =
            self.required(&score.inputs, "inputs", whole, "a score", "what the model is given")?.value;
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

    /// Compiles an input: a number, or true or false. The clock may enter in any way, because a score stands until the
    /// next.
    fn input(&mut self, parsed: &ParsedExpr<'_>, labels: &NamesById<'_>) -> Option<Condition> {
        let mut checker = self.checker(parsed.scope, parsed.text);
        checker.clock = ClockUse::Free;
        let typed = checker.check(&parsed.ast)?;
        let typed = if typed.ty == Type::Bool { typed } else { checker.as_number(typed, "a model")? };
        let condition = labels.condition(typed.expr);
        if condition.reported.iter().any(|reported| &*reported.label == SCORE_LABEL) {
            let message = "`score` is what the model's own number is called in the changes of this tag";
            let help = "give the attribute or counter another name, such as `credit_score`";
            self.report.error("reserved-name", parsed.text.span, message).help(help);
            return None;
        }
        Some(condition)
    }
}
