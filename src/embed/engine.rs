//! [`Engine`]: a catalog at work on one stream of events.

use std::sync::Arc;

use super::error::{CatalogError, RejectedEvent};
use crate::catalog::{self, Catalog};
use crate::codec::Decoder;
use crate::engine::{CompiledCatalog, Explanation, Partition, PartitionSet, ScoreModels, Sink};
use crate::model::{EntityKindId, Event, TagChange, TagId, Timestamp, Value};

/// A catalog at work: the counters, tags and timers of every entity of one stream of events.
///
/// ```
/// use tagstream::{Decimal, Engine, Number, Timestamp, Value};
///
/// let mut engine = Engine::from_yaml(
///     "
/// version: 1
/// counters:
///   workouts_30d: { count: workout, window: 30d }
///   last_active:  { last: time, on: '*' }
/// tags:
///   active_member: { when: workouts_30d >= 2 }
///   churn_risk:    { when: days_since(last_active) >= 14 }
/// ",
/// )?;
/// let mut changes = Vec::new();
/// let now = Timestamp::parse("2026-03-01T12:00:00Z")?;
/// for day in ["2026-02-27", "2026-03-01"] {
///     let record = format!(r#"{{"user_id":"u-42","type":"workout","timestamp":"{day}T08:00:00Z"}}"#);
///     engine.apply_json(record.as_bytes(), now, |change| changes.push(format!("{} {}", change.tag, change.at)))?;
/// }
/// assert_eq!(changes, ["active_member 2026-03-01T08:00:00.000Z"]);
/// let workouts = Value::Number(Number::Decimal(Decimal::whole(2)));
/// assert_eq!(engine.counters("user", "u-42").unwrap()[0], ("workouts_30d".to_owned(), Some(workouts)));
///
/// // Nothing happens for two weeks: the tag is put on at the exact millisecond.
/// let next = engine.next_change("user", "u-42").unwrap();
/// assert_eq!((next.tag.as_str(), next.at), ("churn_risk", Timestamp::parse("2026-03-15T08:00:00Z")?));
/// engine.advance(Timestamp::parse("2026-03-16T00:00:00Z")?, |change| assert_eq!(change.at, next.at));
/// assert!(engine.tags("user", "u-42").unwrap().iter().any(|tag| tag.name == "churn_risk"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Engine {
    catalog: Arc<CompiledCatalog>,
    partitions: PartitionSet,
    decoder: Decoder,
    /// The record that is applied now; kept, so that decoding allocates nothing once its buffers have grown.
    event: Event,
}

/// A tag that an entity has.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityTag {
    pub name: String,
    /// `true`, or the band's, the stage's or the value itself.
    pub value: Value,
    /// Since when the tag has this value.
    pub since: Timestamp,
}

/// A change that comes if nothing happens.
#[derive(Clone, Debug, PartialEq)]
pub struct UpcomingChange {
    pub tag: String,
    pub at: Timestamp,
    /// `None`: the tag is removed.
    pub value: Option<Value>,
}

/// Hands each change to the caller's closure.
struct ClosureSink<F>(F);

impl<F: FnMut(&TagChange<'_>)> Sink for ClosureSink<F> {
    fn change(&mut self, change: &TagChange<'_>) {
        (self.0)(change);
    }
}

impl Engine {
    /// An engine without entities, under a catalog as `deploy/docs/catalog.md` describes it.
    ///
    /// A tag with a `score` is never on: use [`Engine::with_models`].
    ///
    /// # Errors
    /// The catalog has errors: all of them are told. Warnings alone are not an error.
    pub fn from_yaml(text: &str) -> Result<Self, CatalogError> {
        Engine::with_models(text, |_| ScoreModels::default())
    }

    /// As [`Engine::from_yaml`], with the models that the catalog's `score` tags ask: `models` gets the checked catalog and
    /// gives each tag its [`ScoreModel`](crate::ScoreModel).
    ///
    /// # Errors
    /// As [`Engine::from_yaml`].
    pub fn with_models(text: &str, models: impl FnOnce(&Catalog) -> ScoreModels) -> Result<Self, CatalogError> {
        let loaded = catalog::load(text);
        let catalog = loaded.catalog.ok_or_else(|| CatalogError::new(text, loaded.problems))?;
        let models = models(&catalog);
        let decoder = Decoder::new(&catalog);
        let catalog = CompiledCatalog::with_models(catalog, models);
        Ok(Engine { partitions: PartitionSet::new(&catalog), catalog, decoder, event: Event::default() })
    }

    /// The checked catalog.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog.catalog
    }

    /// Applies one record: a JSON object as the catalog's `input` describes it, UTF-8, without a line end.
    ///
    /// Timers that are due at or before the event's time fire first, each at its own instant; then the event is counted and
    /// its entities are evaluated. `on_change` gets every change in the order in which it becomes true. `now` is the wall
    /// clock: an event whose time is more than the catalog's `max_future` after it is rejected.
    ///
    /// # Errors
    /// The record is not an event; nothing has changed.
    pub fn apply_json(
        &mut self,
        record: &[u8],
        now: Timestamp,
        on_change: impl FnMut(&TagChange<'_>),
    ) -> Result<(), RejectedEvent> {
        let decoded = self.decoder.decode(record, now, &mut self.event);
        decoded.map_err(|reason| RejectedEvent { reason, detail: self.decoder.detail().map(str::to_owned) })?;
        self.partitions.apply(&self.event, &mut ClosureSink(on_change));
        Ok(())
    }

    /// A decoder of this catalog's records, for a program that decodes on other threads than the one that applies: its events
    /// go into [`Engine::apply`].
    pub fn decoder(&self) -> Decoder {
        Decoder::new(self.catalog())
    }

    /// Applies an event that a [`Engine::decoder`] has read, as [`Engine::apply_json`] does.
    pub fn apply(&mut self, event: &Event, on_change: impl FnMut(&TagChange<'_>)) {
        self.partitions.apply(event, &mut ClosureSink(on_change));
    }

    /// Lets time pass up to an instant: timers that are due at or before it fire. An instant that is not after the clock does
    /// nothing; before the first event it sets the clock.
    pub fn advance(&mut self, to: Timestamp, on_change: impl FnMut(&TagChange<'_>)) {
        self.partitions.advance(to, &mut ClosureSink(on_change));
    }

    /// The greatest time of the events so far, or the instant that [`Engine::advance`] reached; `None` before the first.
    pub fn clock(&self) -> Option<Timestamp> {
        self.partitions.clock()
    }

    /// The tags that an entity has at the clock, in the catalog's order.
    ///
    /// `entity` is the name of an entity kind (`user`). Here and below `None`: the catalog has no such entity kind, or no
    /// event of the key has been seen, or the entity was erased or forgotten.
    pub fn tags(&mut self, entity: &str, key: &str) -> Option<Vec<EntityTag>> {
        let kind = self.entity_kind(entity)?;
        self.partitions.partition_mut(kind).current_tags(key, |tags| {
            let owned = tags.iter().filter_map(|tag| {
                let value = tag.value.to_value()?;
                Some(EntityTag { name: tag.tag.to_owned(), value, since: tag.since })
            });
            owned.collect()
        })
    }

    /// Every counter of an entity with its value at the clock, in the catalog's order; `None` as a value where it is absent.
    pub fn counters(&self, entity: &str, key: &str) -> Option<Vec<(String, Option<Value>)>> {
        self.partition(entity)?.counters(key)
    }

    /// Why a tag of an entity is as it is: its conditions piece by piece, and when each of them differs if nothing happens.
    ///
    /// `None` also where the entity kind has no such tag.
    pub fn explain(&self, entity: &str, key: &str, tag: &str) -> Option<Explanation> {
        let kind = self.entity_kind(entity)?;
        let (_, id) = self.tags_of(kind).find(|(name, _)| *name == tag)?;
        self.partitions.partition(kind).explain(key, id)
    }

    /// The entity's next change if nothing happens, the end of a silent entity (`forget_after`) included; `None` also where
    /// no change comes.
    pub fn next_change(&self, entity: &str, key: &str) -> Option<UpcomingChange> {
        let kind = self.entity_kind(entity)?;
        let partition = self.partitions.partition(kind);
        let changes = self.tags_of(kind).filter_map(|(tag, id)| next_of(partition, key, tag, id));
        changes.min_by_key(|change| change.at)
    }

    fn entity_kind(&self, name: &str) -> Option<EntityKindId> {
        let kinds = (0..).map(EntityKindId).zip(&self.catalog().entities);
        kinds.into_iter().find(|(_, kind)| *kind.name == *name).map(|(id, _)| id)
    }

    fn partition(&self, entity: &str) -> Option<&Partition> {
        Some(self.partitions.partition(self.entity_kind(entity)?))
    }

    fn tags_of(&self, kind: EntityKindId) -> impl Iterator<Item = (&str, TagId)> {
        let tags = self.catalog().tags.iter().zip((0..).map(TagId));
        tags.filter(move |(tag, _)| tag.entity == kind).map(|(tag, id)| (&*tag.name, id))
    }
}

/// The next change of one tag. An entity that is forgotten loses what it has then.
fn next_of(partition: &Partition, key: &str, tag: &str, id: TagId) -> Option<UpcomingChange> {
    let Explanation { value, next, expiry, .. } = partition.explain(key, id)?;
    let tag = tag.to_owned();
    match (next, expiry) {
        (Some(next), _) => Some(UpcomingChange { tag, at: next.at, value: next.value }),
        (None, Some(expiry)) if value.is_some() => Some(UpcomingChange { tag, at: expiry.at, value: None }),
        _ => None,
    }
}
