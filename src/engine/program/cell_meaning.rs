//! What the cells of an entity mean, as texts that stay the same while other parts of a catalog change.
//!
//! Ids are written as the names that they stand for. The texts are compared over restarts and versions: where the text
//! for an unchanged meaning changes, the state is lost.

use std::fmt::Write;

use super::plan::SeriesPlan;
use super::schema::{TagForm, TagStates};
use crate::catalog::{
    Arithmetic, AsciiCase, Attribute, AttributeType, CalendarUnit, Catalog, Comparison, EventSelector, EventTypeSet,
    Expr, Intake, NumberSource, Score, Source, TagDefinition, TextTest, TimeName, WeekStart, number_word,
};
use crate::engine::aggregate::{Grid, SeriesType};
use crate::model::{PathId, Value};

/// Writes texts with the names of one catalog.
#[derive(Clone, Copy, Debug)]
pub(super) struct MeaningWriter<'a>(pub &'a Catalog);

impl MeaningWriter<'_> {
    /// The meaning of an attribute, without its name.
    pub(super) fn attribute(self, attribute: &Attribute) -> String {
        let kind = match attribute.value_type {
            None => "any",
            Some(AttributeType::String) => "string",
            Some(AttributeType::Number) => "number",
            Some(AttributeType::Bool) => "bool",
            Some(AttributeType::Time) => "time",
            Some(AttributeType::Date) => &format!("date {}", self.zone()),
        };
        let (from, value) = (self.event_types(&attribute.from), self.source(attribute.value));
        format!("{from} {value} {kind}{}", self.filter(attribute.filter.as_ref()))
    }

    /// The meaning of a series, without its reach.
    pub(super) fn series(self, plan: &SeriesPlan) -> String {
        let kind = match plan.series_type {
            SeriesType::Counts => "counts".to_owned(),
            SeriesType::Sums(of) => format!("sums {}", self.number(of)),
            SeriesType::Least(of) => format!("least {}", self.number(of)),
            SeriesType::Greatest(of) => format!("greatest {}", self.number(of)),
            SeriesType::Days => "days".to_owned(),
            SeriesType::Distinct { of, limit } => format!("distinct {} {limit}", self.source(of)),
            SeriesType::Latest(of) => format!("latest {}", self.source(of)),
            SeriesType::Earliest(of) => format!("earliest {}", self.source(of)),
            SeriesType::Top { of, limit } => format!("top {} {limit}", self.source(of)),
        };
        let (on, grid) = (self.event_types(&plan.on), self.grid(plan.frame.grid));
        let on = match plan.each {
            Some(array) => format!("{on} each {:?}", self.0.arrays[array.index()]),
            None => on,
        };
        format!("{on} {kind} {grid}{}{}", self.filter(plan.filter.as_ref()), self.intake(&plan.intake))
    }

    /// How events become counted; nothing where each counts by itself.
    fn intake(self, intake: &Intake) -> String {
        let mut text = match intake {
            Intake::All => String::new(),
            Intake::Since(_) => " since".to_owned(),
            Intake::Sessions { gap_ms } => format!(" sessions {gap_ms}ms"),
            Intake::Sequence { within_ms, .. } => format!(" sequence {within_ms}ms"),
        };
        for EventSelector { on, filter } in intake.selectors() {
            let _ = write!(text, " {}{}", self.event_types(on), self.filter(filter.as_ref()));
        }
        text
    }

    /// The time zone, for what differs in another one.
    fn zone(&self) -> &str {
        self.0.timezone.iana_name().unwrap_or("UTC")
    }

    fn grid(self, grid: Grid) -> String {
        match grid {
            Grid::Fixed(length_ms) => format!("{length_ms}ms"),
            Grid::Local(unit) => {
                let unit = match unit {
                    CalendarUnit::Day => "day",
                    CalendarUnit::Week(WeekStart::Monday) => "week",
                    CalendarUnit::Week(WeekStart::Sunday) => "week from sunday",
                    CalendarUnit::Week(WeekStart::Saturday) => "week from saturday",
                    CalendarUnit::Month => "month",
                    CalendarUnit::Year => "year",
                };
                format!("{unit} {}", self.zone())
            }
            Grid::Whole => "whole".to_owned(),
        }
    }

    /// Event types by name, in the order of their names.
    fn event_types(self, event_types: &EventTypeSet) -> String {
        let EventTypeSet::Of(event_types) = event_types else {
            return "*".to_owned();
        };
        let mut names: Vec<&str> = event_types
            .iter()
            .filter_map(|event_type| self.0.event_types.get(event_type.index().checked_sub(1)?))
            .map(|name| &**name)
            .collect();
        names.sort_unstable();
        format!("{names:?}")
    }

    fn path(self, path: PathId) -> String {
        format!("{:?}", self.0.paths[path.index()])
    }

    fn item(self, path: PathId) -> String {
        format!("item {:?}", self.0.item_paths[path.index()])
    }

    fn number(self, source: NumberSource) -> String {
        match source {
            NumberSource::Property(path) => self.path(path),
            NumberSource::Item(path) => self.item(path),
            NumberSource::Formula(id) => {
                let mut text = String::new();
                self.expr(&self.0.formulas[usize::from(id.0)], &mut text);
                text
            }
        }
    }

    fn source(self, source: Source) -> String {
        match source {
            Source::Property(path) => self.path(path),
            Source::Item(path) => self.item(path),
            Source::Time => "time".to_owned(),
            Source::EventType => "type".to_owned(),
        }
    }

    fn filter(self, filter: Option<&Expr>) -> String {
        let mut text = String::new();
        if let Some(expr) = filter {
            text.push_str(" where ");
            self.expr(expr, &mut text);
        }
        text
    }

    /// An expression of a `where`: its operands in order, each in parentheses.
    fn expr(self, expr: &Expr, out: &mut String) {
        let (name, parts): (&str, Vec<&Expr>) = match expr {
            Expr::Literal(value) => return literal(value, out),
            Expr::Property(path) => return out.push_str(&self.path(*path)),
            Expr::Item(path) => return out.push_str(&self.item(*path)),
            Expr::EventType => return out.push_str("type"),
            Expr::Time(TimeName::Event) => return out.push_str("time"),
            Expr::Time(name @ TimeName::Instant(_)) => return out.push_str(&name.builtin()),
            // The instant at which a date begins is another in another zone.
            Expr::Time(name @ TimeName::Date(_)) => {
                let _ = write!(out, "({} {})", name.builtin(), self.zone());
                return;
            }
            Expr::WallClock(part) => {
                let _ = write!(out, "({} {})", part.name(), self.zone());
                return;
            }
            Expr::Between { unit, from, to } if (from, to) != (&TimeName::Event, &TimeName::Event) => {
                let names = [from, to].map(|name| name.builtin());
                let _ = write!(out, "({} {} {} {})", unit.name(), names[0], names[1], self.zone());
                return;
            }
            Expr::Contains(x, of) => {
                out.push_str("(contains ");
                self.expr(x, out);
                // Writing to a string does not fail.
                let _ = write!(out, " {})", self.source(*of));
                return;
            }
            Expr::Negate(x) => ("negate", vec![x]),
            Expr::Abs(x) => ("abs", vec![x]),
            Expr::Not(x) => ("not", vec![x]),
            Expr::ToDouble(x) => return self.expr(x, out),
            Expr::Has(x) => ("has", vec![x]),
            Expr::Arithmetic(operator, sides) => (arithmetic(*operator), sides.iter().collect()),
            Expr::Compare { op, sides, .. } => (comparison(*op), sides.iter().collect()),
            Expr::And(sides) => ("and", sides.iter().collect()),
            Expr::Or(sides) => ("or", sides.iter().collect()),
            Expr::Conditional(parts) => ("if", parts.iter().collect()),
            Expr::In(x, list) => ("in", std::iter::once(&**x).chain(list).collect()),
            Expr::Text(test, sides) => (text_test(*test), sides.iter().collect()),
            Expr::Case(AsciiCase::Lower, x) => ("lowerAscii", vec![x]),
            Expr::Case(AsciiCase::Upper, x) => ("upperAscii", vec![x]),
            Expr::Size(x) => ("size", vec![x]),
            Expr::Matches(x, pattern) => {
                out.push_str("(matches ");
                self.expr(x, out);
                let _ = write!(out, " {:?})", pattern.source());
                return;
            }
            // A `where` mentions neither an entity's values nor the clock.
            Expr::Attribute(_)
            | Expr::Counter(_)
            | Expr::Tag(_)
            | Expr::Time(_)
            | Expr::Since { .. }
            | Expr::Until { .. }
            | Expr::Share(_)
            | Expr::Between { .. }
            | Expr::Calendar(..) => ("none", Vec::new()),
        };
        let _ = write!(out, "({name}");
        for part in parts {
            out.push(' ');
            self.expr(part, out);
        }
        out.push(')');
    }
}

/// The form of a tag's states, with the names of its bands or stages.
pub(super) fn tag_states(definition: &TagDefinition) -> TagStates {
    let (form, names) = match definition {
        TagDefinition::Manual { .. } => (TagForm::Manual, Vec::new()),
        TagDefinition::Score(Score { bands: None, .. }) => (TagForm::Score, Vec::new()),
        TagDefinition::Score(Score { bands: Some(bands), .. }) => (TagForm::ScoreBands, bands.names.clone()),
        TagDefinition::Rule { .. } => (TagForm::Rule, Vec::new()),
        TagDefinition::Value { bands: None, .. } => (TagForm::Value, Vec::new()),
        TagDefinition::Value { bands: Some(bands), .. } => (TagForm::Bands, bands.names.clone()),
        TagDefinition::Stages(stages) => (TagForm::Stages, stages.iter().map(|stage| stage.name.clone()).collect()),
    };
    TagStates { form, names }
}

fn literal(value: &Value, out: &mut String) {
    let _ = match value {
        Value::Bool(b) => write!(out, "{b}"),
        Value::Number(number) => write!(out, "{}", number_word(*number)),
        Value::String(text) => write!(out, "{text:?}"),
        Value::Time(at) => write!(out, "{at}"),
        Value::Date(date) => write!(out, "{date}"),
    };
}

fn arithmetic(operator: Arithmetic) -> &'static str {
    match operator {
        Arithmetic::Add => "+",
        Arithmetic::Subtract => "-",
        Arithmetic::Multiply | Arithmetic::Scale => "*",
        Arithmetic::Divide => "/",
        Arithmetic::Remainder => "%",
        Arithmetic::Min => "min",
        Arithmetic::Max => "max",
    }
}

fn comparison(op: Comparison) -> &'static str {
    match op {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

fn text_test(test: TextTest) -> &'static str {
    match test {
        TextTest::StartsWith => "startsWith",
        TextTest::EndsWith => "endsWith",
        TextTest::Contains => "containsText",
    }
}
