//! An expression that was checked, and who it selects from a view.

use std::sync::Arc;

use super::bounds::Bounds;
use super::selection::{Member, Selection};
use crate::catalog::{CounterId, Expr, Problem, TagDefinition, TagId, Type, check_condition, check_expression};
use crate::engine::{CompiledCatalog, ReadableExpr, StateReader};
use crate::model::{EntityKindId, Timestamp, Value};
use crate::serve::replica::{PartitionView, ReplicaView};

/// A condition over entities of one kind.
#[derive(Clone, Debug)]
pub struct Audience {
    pub kind: EntityKindId,
    condition: ReadableExpr,
}

impl Audience {
    /// Reads a condition.
    ///
    /// # Errors
    /// All that is wrong with it; lines and columns are those of the text.
    pub fn parse(compiled: &CompiledCatalog, kind: EntityKindId, text: &str) -> Result<Self, Vec<Problem>> {
        let expr = check_condition(&compiled.catalog, kind, text)?;
        Ok(Audience { kind, condition: ReadableExpr::new(compiled.of(kind), expr) })
    }

    /// All entities of a kind.
    pub fn everyone(compiled: &CompiledCatalog, kind: EntityKindId) -> Self {
        Audience { kind, condition: ReadableExpr::new(compiled.of(kind), Expr::Literal(Value::Bool(true))) }
    }

    /// Those for which it holds. The view has to be of the catalog with which the expression was read.
    pub fn select(&self, view: &ReplicaView) -> Selection {
        let parts = view.of(self.kind).map(|partition| {
            let Bounds { mut least, most } = Bounds::of(&self.condition.expr, partition);
            let open = most - &least;
            let mut reader = partition.reader();
            let holds = |number: &u32| {
                let Some((state, _)) = partition.state(*number) else { return false };
                reader.open(state);
                reader.holds(&partition.standing, &self.condition)
            };
            // The numbers come in their order.
            let found: Vec<u32> = open
                .iter()
                .filter({
                    let mut holds = holds;
                    move |number| holds(number)
                })
                .collect();
            least.extend(found);
            (Arc::clone(partition), least)
        });
        Selection { parts: parts.collect(), is_past: false }
    }

    pub(super) fn condition(&self) -> &Expr {
        &self.condition.expr
    }

    /// The tags that it reads.
    pub fn tags(&self) -> &[TagId] {
        self.condition.tags()
    }

    /// Whether it holds for one entity.
    pub fn holds_for(&self, view: &ReplicaView, key: &str) -> bool {
        let Some((partition, number)) = view.find(self.kind, key) else { return false };
        let Some((state, _)) = partition.state(number) else { return false };
        let mut reader = partition.reader();
        reader.open(state);
        reader.holds(&partition.standing, &self.condition)
    }

    /// The counters that it reads and that have not seen their whole window in some partition; with the instant from which
    /// they have, `FOREVER`: never.
    pub fn incomplete_counters(&self, view: &ReplicaView) -> Vec<(String, Timestamp)> {
        incomplete(&self.condition, self.kind, view)
    }
}

fn incomplete(of: &ReadableExpr, kind: EntityKindId, view: &ReplicaView) -> Vec<(String, Timestamp)> {
    let mut counters: Vec<CounterId> = of.counters().to_vec();
    counters.sort_unstable();
    counters.dedup();
    let until = |counter: CounterId| view.of(kind).filter_map(|part| part.standing.incomplete_until(counter)).max();
    let name = |counter: CounterId| view.compiled.catalog.counters[usize::from(counter.0)].name.to_string();
    counters.into_iter().filter_map(|counter| Some((name(counter), until(counter)?))).collect()
}

/// An expression whose value is shown for each member.
#[derive(Clone, Debug)]
pub struct Column {
    /// As it was asked.
    pub text: String,
    pub value_type: Type,
    pub(super) expr: ReadableExpr,
}

impl Column {
    /// Reads an expression.
    ///
    /// # Errors
    /// As [`Audience::parse`].
    pub fn parse(compiled: &CompiledCatalog, kind: EntityKindId, text: &str) -> Result<Self, Vec<Problem>> {
        let (expr, value_type) = check_expression(&compiled.catalog, kind, text)?;
        Ok(Column { text: text.trim().to_owned(), value_type, expr: ReadableExpr::new(compiled.of(kind), expr) })
    }

    /// The values of columns for one member, read one after another. As of a past instant, only columns that are a tag with
    /// labels have a value.
    pub fn values(columns: &[Column], member: &Member<'_>, reader: &mut StateReader) -> Vec<Option<Value>> {
        if member.is_past {
            return columns.iter().map(|column| column.past_value(member)).collect();
        }
        reader.open(member.state);
        columns.iter().map(|column| column.value(&member.partition.standing, reader)).collect()
    }

    /// Whether it has a past: it is a rule, or a tag with bands or stages.
    pub fn has_past(&self, compiled: &CompiledCatalog) -> bool {
        self.tag().is_some_and(|tag| {
            let definition = &compiled.catalog.tags[usize::from(tag.0)].definition;
            matches!(definition, TagDefinition::Rule { .. }) || !definition.labels().is_empty()
        })
    }

    fn past_value(&self, member: &Member<'_>) -> Option<Value> {
        let (tag, partition) = (self.tag()?, member.partition);
        let definition = &partition.program().tag(tag).definition;
        if matches!(definition, TagDefinition::Rule { .. }) {
            return Some(Value::Bool(partition.with_tag(tag).contains(member.number)));
        }
        let mut labels = (0..).zip(definition.labels());
        let is_in = |place: u16| partition.with_label(tag, place).is_some_and(|these| these.contains(member.number));
        labels.find(|(place, _)| is_in(*place)).map(|(_, label)| Value::String((*label).into()))
    }

    /// The value for the state that the reader has open.
    pub(super) fn value(&self, standing: &crate::engine::PartitionStanding, reader: &mut StateReader) -> Option<Value> {
        reader.eval(standing, &self.expr).to_value()
    }

    /// The tag, where the expression is a tag and nothing else.
    pub fn tag(&self) -> Option<TagId> {
        match self.expr.expr {
            Expr::Tag(id) => Some(id),
            _ => None,
        }
    }

    /// As [`Audience::incomplete_counters`].
    pub fn incomplete_counters(&self, kind: EntityKindId, view: &ReplicaView) -> Vec<(String, Timestamp)> {
        incomplete(&self.expr, kind, view)
    }

    /// A reader for the members of a partition.
    pub fn reader(partition: &PartitionView) -> StateReader {
        partition.reader()
    }
}
