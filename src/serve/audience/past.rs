//! Audiences at a past instant: bitmaps as they were, made from those of now and the history.
//!
//! Only tags have a history, so only expressions that bitmaps answer alone have a past. An entity is known from its first
//! event, or while it has a tag that was asked for; those that were erased or forgotten since are in no past, since nothing
//! of them is kept.

use std::collections::HashMap;
use std::sync::Arc;

use super::bounds::Bounds;
use super::question::Audience;
use super::selection::Selection;
use crate::catalog::{TagDefinition, TagId};
use crate::model::{EntityKindId, Timestamp};
use crate::serve::history::{HistoryError, HistoryView};
use crate::serve::replica::{EntityNumber, PartitionView, PastTag, ReplicaView};

/// What may be asked of the past.
pub(super) const NOT_OF_TAGS: &str = "only tags have a history: as of a past instant, an expression may combine tags with a \
    condition, compare bands and stages with texts, and ask has(tag.x) of any tag; columns and breakdowns may be such tags; \
    attributes, counters, times and numbers have no past";

/// Why there is no answer as of a past instant.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error("{NOT_OF_TAGS}")]
    NotOfTags,
    #[error("{asked} is later than the instant of the state, {clock}")]
    Future { asked: Timestamp, clock: Timestamp },
}

/// A view as of its own instant, or with some tags as of an earlier one.
#[derive(Clone, Debug)]
pub enum ViewAt {
    Now(Arc<ReplicaView>),
    Past(PastView),
}

impl ViewAt {
    /// The entities that an audience selects.
    ///
    /// # Errors
    /// As [`PastView::select`].
    pub fn select(&self, audience: &Audience) -> Result<Selection, PastError> {
        match self {
            ViewAt::Now(view) => Ok(audience.select(view)),
            ViewAt::Past(past) => past.select(audience),
        }
    }

    /// The number of all entities of a kind that are known then.
    pub fn entities(&self, kind: EntityKindId) -> u64 {
        let view = match self {
            ViewAt::Now(view) => view,
            ViewAt::Past(PastView(view)) => view,
        };
        view.of(kind).map(|partition| partition.entities()).sum()
    }
}

/// The tags of entities of one kind as they were at an instant.
#[derive(Clone, Debug)]
pub struct PastView(ReplicaView);

impl PastView {
    /// Some tags of a kind of entity, as they were. The history has to have every change that the view has.
    ///
    /// # Errors
    /// The instant is in the future, or the history does not reach it.
    pub fn of(
        view: &ReplicaView,
        kind: EntityKindId,
        tags: &[TagId],
        instant: Timestamp,
        history: &HistoryView<'_>,
    ) -> Result<Self, PastError> {
        let clock = view.clock().unwrap_or(Timestamp::MIN);
        if instant > clock {
            return Err(PastError::Future { asked: instant, clock });
        }
        history.check_reach(instant)?;
        let name = &view.compiled.catalog.entity(kind).name;
        let mut undone: HashMap<usize, Vec<(TagId, EntityNumber, PastTag)>> = HashMap::new();
        for tag in tags {
            let definition = &view.compiled.catalog.tags[usize::from(tag.0)];
            history.undo((name, &definition.name), instant, |key, value| {
                if let Some((place, number)) = find(view, kind, key) {
                    let past = past_tag(&definition.definition, value);
                    undone.entry(place).or_default().push((*tag, number, past));
                }
            })?;
        }
        let partitions = view.partitions.iter().enumerate().map(|(place, partition)| {
            if partition.program().kind != kind {
                return Arc::clone(partition);
            }
            let known = known_at(partition, instant);
            let changes = undone.remove(&place).unwrap_or_default();
            Arc::new(partition.with_past(known, tags, changes))
        });
        Ok(PastView(ReplicaView { partitions: partitions.collect(), ..view.clone() }))
    }

    /// Those for whom the audience's condition held; its tags have to be among those that the view was made for.
    ///
    /// # Errors
    /// The condition reads something else than tags.
    pub fn select(&self, audience: &Audience) -> Result<Selection, PastError> {
        let part = |partition: &Arc<PartitionView>| {
            let Bounds { least, most } = Bounds::of(audience.condition(), partition);
            if least == most { Ok((Arc::clone(partition), least)) } else { Err(PastError::NotOfTags) }
        };
        Ok(Selection { parts: self.0.of(audience.kind).map(part).collect::<Result<_, _>>()?, is_past: true })
    }
}

/// The place of an entity's partition in a view, and its number there.
fn find(view: &ReplicaView, kind: EntityKindId, key: &str) -> Option<(usize, EntityNumber)> {
    let places = view.partitions.iter().enumerate();
    let mut places = places.filter(|(_, partition)| partition.program().kind == kind);
    places.find_map(|(place, partition)| Some((place, partition.find(key)?)))
}

fn known_at(partition: &PartitionView, instant: Timestamp) -> roaring::RoaringBitmap {
    let mut reader = partition.reader();
    let numbers = partition.states().filter_map(|(number, state, _)| {
        reader.open(state);
        reader.first_seen().is_some_and(|first| first <= instant).then_some(number)
    });
    numbers.collect()
}

/// A value of the history in the words of the present definition.
fn past_tag(definition: &TagDefinition, json: &str) -> PastTag {
    if json == "null" {
        return PastTag::Off;
    }
    let text: Option<String> = serde_json::from_str(json).ok();
    let label = text.and_then(|text| definition.labels().iter().position(|label| **label == *text));
    PastTag::On(label.map(|label| label as u16))
}
