//! Warnings about what is legal but rarely meant.
//!
//! Each warning is for a simple case that can be decided from the expression alone; harder cases are left out.

use super::value_range::{ValueRange, simple_comparison};
use crate::catalog::compiled::{
    Bands, Catalog, Comparison, Condition, Counter, Expr, Motion, Stage, TagDefinition, TimeName,
};
use crate::catalog::diagnostics::{Report, Span};
use crate::catalog::raw::{ExpressionText, RawCatalog, RawTag, named_entries};
use crate::catalog::yaml::Field;
use crate::model::Value;

/// Adds the warnings for a catalog without errors.
pub(crate) fn lint(raw: &RawCatalog, catalog: &Catalog, report: &mut Report) {
    unused(raw, catalog, report);
    unused_entities(raw, catalog, report);
    let counters = &catalog.counters;
    for ((_, raw), tag) in named_entries(&raw.tags).iter().zip(&catalog.tags) {
        let Some(raw) = raw else { continue };
        let entity = &catalog.entity(tag.entity).name;
        match &tag.definition {
            TagDefinition::Rule { when, until, for_ms, .. } => {
                constant(&raw.when, when, entity, counters, report);
                // `until: "false"` is how one says that a tag stays for good.
                if let Some(until) = until.as_ref().filter(|until| until.expr != Expr::Literal(Value::Bool(false))) {
                    constant(&raw.until, until, entity, counters, report);
                    overlap(raw, when, until, counters, report);
                }
                if *for_ms > 0 && holds_an_instant(&when.expr) {
                    let place = raw.r#for.key().unwrap_or_default();
                    report
                        .warning("never-on", place, "`when` holds for one millisecond at a time: this tag is never on")
                        .help("ask for a range: `x >= 7 && x < 8`, or remove `for`");
                }
            }
            TagDefinition::Value { value, bands: Some(bands) } => {
                unreachable_bands(raw, value, bands, counters, report)
            }
            TagDefinition::Value { .. } | TagDefinition::Manual { .. } | TagDefinition::Score(_) => {}
            TagDefinition::Stages(stages) => hidden_stages(raw, stages, entity, counters, report),
        }
    }
}

/// Warns of attributes and counters that no tag uses.
fn unused(raw: &RawCatalog, catalog: &Catalog, report: &mut Report) {
    let mut mentioned =
        Mentioned { attributes: vec![false; catalog.attributes.len()], counters: vec![false; catalog.counters.len()] };
    for tag in &catalog.tags {
        let reported = tag.definition.conditions().into_iter().flat_map(|condition| &condition.reported);
        reported.for_each(|reported| mentioned.add(&reported.expr));
    }
    let owners = catalog.attributes.iter().map(|attribute| attribute.entity);
    let owners = owners.chain(catalog.counters.iter().map(|counter| counter.entity));
    let attributes = named_entries(&raw.attributes).iter().map(|(name, _)| ("attribute", name));
    let counters = named_entries(&raw.counters).iter().map(|(name, _)| ("counter", name));
    let is_mentioned = mentioned.attributes.iter().chain(&mentioned.counters);
    for (((what, name), owner), is_mentioned) in attributes.chain(counters).zip(owners).zip(is_mentioned) {
        if !is_mentioned {
            let entity = &catalog.entity(owner).name;
            report
                .warning("unused", name.span, format!("no tag uses the {what} `{}`", name.value))
                .help(format!("it takes memory for every {entity}: remove it, or use it"));
        }
    }
}

/// Warns of kinds of entity that no tag is put on, except the user.
fn unused_entities(raw: &RawCatalog, catalog: &Catalog, report: &mut Report) {
    for (name, _) in named_entries(&raw.entities) {
        let is_tagged = catalog.tags.iter().any(|tag| *catalog.entity(tag.entity).name == *name.value);
        if !is_tagged && *catalog.entity(catalog.user()).name != *name.value {
            report
                .warning("unused", name.span, format!("no tag is put on the entity `{}`", name.value))
                .help(format!("give a tag the line `entity: {}`, or remove it", name.value));
        }
    }
}

struct Mentioned {
    attributes: Vec<bool>,
    counters: Vec<bool>,
}

impl Mentioned {
    /// Marks the attribute or counter of a reported value.
    fn add(&mut self, reported: &Expr) {
        match reported {
            Expr::Attribute(id) => self.attributes[usize::from(id.0)] = true,
            Expr::Counter(id) => self.counters[usize::from(id.0)] = true,
            Expr::Time(of) | Expr::Since { of, .. } | Expr::Until { of, .. } | Expr::Calendar(_, of) => match of {
                TimeName::Attribute(id) => self.attributes[usize::from(id.0)] = true,
                TimeName::Counter(id) => self.counters[usize::from(id.0)] = true,
                _ => {}
            },
            _ => {}
        }
    }
}

/// The value of a condition that is always the same, in simple cases.
fn always(expr: &Expr, counters: &[Counter]) -> Option<bool> {
    if let Expr::Literal(Value::Bool(b)) = expr {
        return Some(*b);
    }
    let (of, op, bound) = simple_comparison(expr)?;
    let verdict = ValueRange::of(of, counters)?.verdict(op, bound)?;
    // A comparison with an absent value is false, so only a number that is never absent makes it always true.
    (!verdict || matches!(of, Expr::Counter(_) | Expr::Share(_))).then_some(verdict)
}

fn constant(
    field: &Field<ExpressionText>,
    condition: &Condition,
    entity: &str,
    counters: &[Counter],
    report: &mut Report,
) {
    let (Some(verdict), Some(text)) = (always(&condition.expr, counters), field.value()) else { return };
    let message = if verdict { "this always holds" } else { "this never holds" };
    let help = match simple_comparison(&condition.expr).and_then(|(of, ..)| ValueRange::of(of, counters)) {
        Some(range) => format!("the number {range}"),
        None => format!("write a condition that depends on the {entity}"),
    };
    report.warning("constant-condition", text.span, message).help(help);
}

/// Warns when `until` and `when` compare the same number, and both hold for some of its values.
fn overlap(raw: &RawTag, when: &Condition, until: &Condition, counters: &[Counter], report: &mut Report) {
    let (Some((a, when_op, when_bound)), Some((b, until_op, until_bound))) =
        (simple_comparison(&when.expr), simple_comparison(&until.expr))
    else {
        return;
    };
    let is_whole = ValueRange::of(a, counters).is_some_and(|range| range.is_whole);
    let (Some(x), Some(y)) = (interval(when_op, when_bound, is_whole), interval(until_op, until_bound, is_whole))
    else {
        return;
    };
    let (from, to) = (x.0.max(y.0), x.1.min(y.1));
    if a != b || from >= to {
        return;
    }
    let place = raw.until.value().map_or(Span::default(), |text| text.span);
    let related = raw.when.value().map_or(Span::default(), |text| text.span);
    report
        .warning("until-overlaps", place, "`until` holds for some values for which `when` holds as well")
        .help("a tag stays on while `when` holds; for hysteresis the bounds lie apart: `when: x >= 10`, `until: x < 8`")
        .related(related, "`when`");
}

/// The range of values for which a comparison holds: from the first (included) to the second (excluded).
fn interval(op: Comparison, bound: f64, is_whole: bool) -> Option<(f64, f64)> {
    let behind = if is_whole { bound.floor() + 1.0 } else { bound.next_up() };
    let from = if is_whole { bound.ceil() } else { bound };
    match op {
        Comparison::Less => Some((f64::NEG_INFINITY, from)),
        Comparison::LessOrEqual => Some((f64::NEG_INFINITY, behind)),
        Comparison::Greater => Some((behind, f64::INFINITY)),
        Comparison::GreaterOrEqual => Some((from, f64::INFINITY)),
        Comparison::Equal => Some((from, behind)),
        Comparison::NotEqual => None,
    }
}

fn holds_an_instant(expr: &Expr) -> bool {
    match expr {
        Expr::Compare { op: Comparison::Equal, motion, .. } => *motion == Motion::Clock,
        Expr::And(sides) => sides.iter().any(holds_an_instant),
        Expr::Or(sides) => sides.iter().all(holds_an_instant),
        _ => false,
    }
}

/// Warns of bands that the number never lies in.
fn unreachable_bands(raw: &RawTag, over: &Condition, bands: &Bands, counters: &[Counter], report: &mut Report) {
    let (Some(range), Some(raw_bands)) = (ValueRange::of(&over.expr, counters), raw.bands.value()) else { return };
    let bounds = bands.bounds.iter().map(|bound| bound.to_f64());
    let from = std::iter::once(f64::NEG_INFINITY).chain(bounds.clone());
    let to = bounds.chain([f64::INFINITY]);
    for ((band, from), to) in raw_bands.iter().zip(from).zip(to) {
        if range.meets(from, to) {
            continue;
        }
        let name = band.value.name.value().map_or("", String::as_str);
        report
            .warning("unreachable-band", band.span, format!("no value lies in the band `{name}`"))
            .help(format!("the number {range}"));
    }
}

/// Warns of stages after a stage that always holds.
fn hidden_stages(raw: &RawTag, stages: &[Stage], entity: &str, counters: &[Counter], report: &mut Report) {
    let Some(raw_stages) = raw.stages.value() else { return };
    let verdict = |stage: &Stage| stage.when.as_ref().and_then(|when| always(&when.expr, counters));
    for (stage, raw_stage) in stages.iter().zip(raw_stages) {
        if verdict(stage) == Some(false) {
            let place = raw_stage.value.when.value().map_or(raw_stage.span, |text| text.span);
            report
                .warning("constant-condition", place, "this never holds")
                .help(format!("no {entity} is ever in the stage `{}`", stage.name));
        }
    }
    let Some(open) = stages.iter().position(|stage| verdict(stage) == Some(true)) else { return };
    if let Some(hidden) = raw_stages.get(open + 1) {
        let place = raw_stages[open].value.when.value().map_or(raw_stages[open].span, |text| text.span);
        report
            .warning("unreachable-stage", hidden.span, format!("no {entity} is ever in this stage"))
            .help("move the stage that always holds to the end")
            .related(place, "this always holds");
    }
}
