//! What is known of an entity.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::past_profile;
use super::{alone, find, titles, unknown};
use crate::catalog::{AttributeId, CounterId, Tag, TagId};
use crate::codec::value_document;
use crate::engine::{Partition, Sink};
use crate::model::{EntityKindId, TagChange, Timestamp, Value};
use crate::serve::access::Caller;
use crate::serve::api::answer::json;
use crate::serve::api::context::{ApiContext, AsOf};
use crate::serve::api::problem::{ApiError, HistoryBeingRead, NotModified, ProblemDocument, ViewGone};
use crate::serve::api::request::{Parameters, instant, kind};
use crate::serve::replica::ReplicaView;

/// At most this many instants are looked at for what comes next.
const STEPS_MAX: usize = 5_000;

/// What is known of an entity. Of a past instant only its tags are known, and `not_known` names what is absent for that.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Profile {
    pub entity: String,
    pub key: String,
    pub as_of: AsOf,
    /// The instant of the entity's partition, as of which everything here is.
    pub clock: Option<String>,
    /// The time of the earliest event; null where there were only commands.
    pub first_seen: Option<String>,
    pub last_seen: Option<String>,
    /// The tags that it has, in the catalog's order.
    pub tags: Vec<ProfileTag>,
    /// Attributes that have a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Vec<ProfileAttribute>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counters: Option<Vec<ProfileCounter>>,
    /// The next change of each tag if nothing happens, the earliest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Vec<ProfileChange>>,
    /// What is absent, or null, since it is not known of a past instant.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub not_known: &'static [&'static str],
}

/// A tag that an entity has.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProfileTag {
    pub tag: String,
    /// true, or the band, the stage or the value.
    #[schema(value_type = Value)]
    pub value: Json,
    /// Since when it has this value; null where that is before the history, in an answer as of a past instant.
    pub since: Option<String>,
    /// By language; the empty one where the title has none.
    pub title: BTreeMap<String, String>,
    pub group: Option<String>,
    /// Whether changes of the tag wait for approval.
    pub held: bool,
}

impl ProfileTag {
    /// A tag with a value that it has, or had.
    pub(super) fn of(tag: &Tag, value: Json, since: Option<Timestamp>) -> Self {
        ProfileTag {
            tag: tag.name.to_string(),
            value,
            since: since.map(|since| since.to_string()),
            title: titles(tag),
            group: tag.group.as_deref().map(str::to_owned),
            held: false,
        }
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProfileAttribute {
    pub name: String,
    #[schema(value_type = Value)]
    pub value: Json,
    /// The time of the event that set it.
    pub time: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProfileCounter {
    pub name: String,
    /// null where it is absent.
    #[schema(value_type = Value)]
    pub value: Json,
    /// Whether it has seen its whole window.
    pub complete: bool,
    /// When it has, if it has not yet; null also for never.
    pub complete_at: Option<String>,
}

/// A change that comes if nothing happens.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProfileChange {
    pub tag: String,
    pub at: String,
    /// null where the tag is removed.
    #[schema(value_type = Value)]
    pub value: Json,
}

/// Takes the first change of each tag.
#[derive(Default)]
struct FirstChanges(Vec<(String, Timestamp, Option<Value>)>);

impl Sink for FirstChanges {
    fn change(&mut self, change: &TagChange<'_>) {
        if self.0.iter().all(|(tag, ..)| tag != change.tag) {
            self.0.push((change.tag.to_owned(), change.at, change.value.to_value()));
        }
    }
}

/// What comes next: the time of a copy of the entity passes.
fn next_changes(alone: &mut Partition, tags: usize) -> Vec<ProfileChange> {
    let mut first = FirstChanges::default();
    for _ in 0..STEPS_MAX {
        let due = alone.next_due();
        if due > Timestamp::MAX || first.0.len() >= tags || alone.entities() == 0 {
            break;
        }
        alone.advance(due, &mut first);
    }
    let document = |(tag, at, value): (String, Timestamp, Option<Value>)| ProfileChange {
        tag,
        at: at.to_string(),
        value: value_document(value.as_ref()),
    };
    first.0.into_iter().map(document).collect()
}

impl Profile {
    /// The profile of an entity.
    ///
    /// # Errors
    /// It is not known.
    pub fn of(view: &ReplicaView, kind: EntityKindId, key: &str) -> Result<Self, ApiError> {
        let (partition, number) = find(view, kind, key)?;
        let (state, _) = partition.state(number).ok_or_else(unknown)?;
        let mut alone = alone(partition, number)?;
        let (catalog, standing) = (&view.compiled.catalog, &partition.standing);
        let mut reader = partition.reader();
        reader.open(state);
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let own_tags: Vec<(TagId, &Tag)> =
            (0..).map(TagId).zip(&catalog.tags).filter(|(_, tag)| tag.entity == kind).collect();
        let mut tags = Vec::new();
        for (id, tag) in &own_tags {
            let Some(reading) = reader.tag(*id) else { continue };
            let held = standing.held_tags().any(|held| *held == *tag.name);
            let value = value_document(reading.value.to_value().as_ref());
            tags.push(ProfileTag { held, ..ProfileTag::of(tag, value, Some(reading.since)) });
        }
        let mut attributes = Vec::new();
        for (id, attribute) in (0..).map(AttributeId).zip(&catalog.attributes).filter(|(_, a)| a.entity == kind) {
            let reading = reader.attribute(id);
            let Some(value) = reading.value.to_value() else { continue };
            let (name, time) = (attribute.name.to_string(), reading.time.to_string());
            attributes.push(ProfileAttribute { name, value: value_document(Some(&value)), time });
        }
        let ids = (0..).map(CounterId).zip(&catalog.counters).filter(|(_, counter)| counter.entity == kind);
        let counter = |((id, _), (name, value)): ((CounterId, _), (String, Option<Value>))| {
            let until = standing.incomplete_until(id);
            let complete_at = time(until.filter(|until| *until <= Timestamp::MAX));
            ProfileCounter { name, value: value_document(value.as_ref()), complete: until.is_none(), complete_at }
        };
        let counters = ids.zip(alone.counters(key).unwrap_or_default()).map(counter).collect();
        let next = next_changes(&mut alone, own_tags.len());
        Ok(Profile {
            entity: catalog.entity(kind).name.to_string(),
            key: key.to_owned(),
            as_of: AsOf::of(view),
            clock: time(standing.clock()),
            first_seen: time(reader.first_seen()),
            last_seen: time(reader.last_seen()),
            tags,
            attributes: Some(attributes),
            counters: Some(counters),
            next: Some(next),
            not_known: &[],
        })
    }
}

/// One entity: its tags with value and since when, its attributes and counters, and what comes next; with as_of its tags as
/// they were.
#[utoipa::path(
    get, path = "/v1/entities/{kind}/{key}", tag = "entities",
    params(
        ("kind" = String, Path, description = "The kind of entity, such as user"),
        ("key" = String, Path, description = "Its key, percent-encoded"),
        ("view" = Option<u64>, Query, description = "A pinned view to answer from"),
        ("as_of" = Option<String>, Query, format = DateTime, description = "A past instant: the tags as they were then"),
    ),
    responses(
        (status = 200, description = "The profile", body = Profile),
        NotModified,
        (status = 400, description = "A parameter is wrong, or the history does not reach back", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "No such entity, or kind of entity; no history", body = ProblemDocument, content_type = "application/problem+json"),
        ViewGone, HistoryBeingRead,
    )
)]
pub(in crate::serve::api) async fn profile(
    State(context): State<ApiContext>,
    Extension(caller): Extension<Caller>,
    Path((kind_name, key)): Path<(String, String)>,
    mut parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let view = context.view(parameters.view()?)?;
    let as_of = parameters.one("as_of")?.map(|as_of| instant("as_of", &as_of)).transpose()?;
    parameters.end()?;
    context.note(&caller, "profile", &kind_name, &key)?;
    let kind = kind(&view, &kind_name)?;
    let profile = match as_of {
        None => Profile::of(&view, kind, &key)?,
        Some(instant) => past_profile(&context, view, kind, key, instant).await?,
    };
    Ok(json(&headers, &profile))
}
