//! One entity: its profile, and why a tag is as it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::answer::{json, work};
use super::context::{ApiContext, AsOf};
use super::problem::{ApiError, ProblemDocument};
use super::request::{Parameters, kind};
use crate::catalog::{AttributeId, CounterId, Tag, TagId};
use crate::codec::{explanation_document, value_document};
use crate::engine::{Explanation, Partition, Sink};
use crate::model::{EntityKindId, TagChange, Timestamp, Value};
use crate::serve::access::Caller;
use crate::serve::replica::{EntityNumber, PartitionView, ReplicaView};

/// At most this many instants are looked at for what comes next.
const STEPS_MAX: usize = 5_000;

/// What is known of an entity.
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
    pub attributes: Vec<ProfileAttribute>,
    pub counters: Vec<ProfileCounter>,
    /// The next change of each tag if nothing happens, the earliest first.
    pub next: Vec<ProfileChange>,
}

/// A tag that an entity has.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProfileTag {
    pub tag: String,
    /// true, or the band, the stage or the value.
    #[schema(value_type = Value)]
    pub value: Json,
    /// Since when it has this value.
    pub since: String,
    /// By language; the empty one where the title has none.
    pub title: BTreeMap<String, String>,
    pub group: Option<String>,
    /// Whether changes of the tag wait for approval.
    pub held: bool,
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

/// Finds an entity, or says that it is not known.
fn find<'v>(
    view: &'v ReplicaView,
    kind: EntityKindId,
    key: &str,
) -> Result<(&'v Arc<PartitionView>, EntityNumber), ApiError> {
    let name = &view.compiled.catalog.entity(kind).name;
    view.find(kind, key).ok_or_else(|| ApiError::Unknown(format!("no {name} with this key is known")))
}

/// A partition in which a found entity is the only one.
fn alone(partition: &PartitionView, number: EntityNumber) -> Result<Partition, ApiError> {
    partition.alone(number).ok_or_else(unknown)
}

/// An entity that was found has gone.
fn unknown() -> ApiError {
    ApiError::Unknown("it is not known any more".to_owned())
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

/// The titles of a tag by language.
pub(super) fn titles(tag: &Tag) -> BTreeMap<String, String> {
    tag.title.iter().map(|(language, text)| (language.to_string(), text.to_string())).collect()
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
            tags.push(ProfileTag {
                tag: tag.name.to_string(),
                value: value_document(reading.value.to_value().as_ref()),
                since: reading.since.to_string(),
                title: titles(tag),
                group: tag.group.as_deref().map(str::to_owned),
                held: standing.held_tags().any(|held| *held == *tag.name),
            });
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
            attributes,
            counters,
            next,
        })
    }
}

/// One entity: its tags with value and since when, its attributes and counters, and what comes next.
#[utoipa::path(
    get, path = "/v1/entities/{kind}/{key}", tag = "entities",
    params(
        ("kind" = String, Path, description = "The kind of entity, such as user"),
        ("key" = String, Path, description = "Its key, percent-encoded"),
        ("view" = Option<u64>, Query, description = "A pinned view to answer from"),
    ),
    responses(
        (status = 200, description = "The profile", body = Profile),
        (status = 304, description = "The reader has this answer already (If-None-Match)"),
        (status = 400, description = "A parameter is wrong", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "No such entity, or kind of entity", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "The view is gone", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "The state is being read", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn profile(
    State(context): State<ApiContext>,
    Extension(caller): Extension<Caller>,
    Path((kind_name, key)): Path<(String, String)>,
    mut parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let view = context.view(parameters.view()?)?;
    parameters.end()?;
    context.note(&caller, "profile", &kind_name, &key)?;
    let profile = Profile::of(&view, kind(&view, &kind_name)?, &key)?;
    Ok(json(&headers, &profile))
}

/// Why tags of an entity are as they are.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Explained {
    pub entity: String,
    pub key: String,
    pub as_of: AsOf,
    /// The instant of the entity's partition.
    pub at: Option<String>,
    /// When the entity is forgotten if nothing happens.
    pub forgotten: Option<String>,
    /// As `tagstream explain --format json` prints them, without their history.
    #[schema(value_type = Vec<Object>)]
    pub tags: Vec<Json>,
}

/// Why each tag of an entity is as it is, in the catalog's order.
///
/// # Errors
/// The entity is not known.
pub(in crate::serve) fn explanations(
    view: &ReplicaView,
    kind: EntityKindId,
    key: &str,
) -> Result<Vec<(TagId, Explanation)>, ApiError> {
    let (partition, number) = find(view, kind, key)?;
    let alone = alone(partition, number)?;
    let own = (0..).map(TagId).zip(&view.compiled.catalog.tags).filter(|(_, of)| of.entity == kind);
    Ok(own.filter_map(|(id, _)| Some((id, alone.explain(key, id)?))).collect())
}

impl Explained {
    /// Explains one tag of an entity, or all of them.
    ///
    /// # Errors
    /// The entity or the tag is not known.
    pub fn of(view: &ReplicaView, kind: EntityKindId, key: &str, tag: Option<&str>) -> Result<Self, ApiError> {
        let (partition, number) = find(view, kind, key)?;
        let catalog = &view.compiled.catalog;
        let own = (0..).map(TagId).zip(&catalog.tags).filter(|(_, of)| of.entity == kind);
        let wanted: Vec<(TagId, &Tag)> = own.filter(|(_, of)| tag.is_none_or(|tag| *tag == *of.name)).collect();
        if let (true, Some(tag)) = (wanted.is_empty(), tag) {
            let name = &catalog.entity(kind).name;
            return Err(ApiError::Unknown(format!("no tag `{tag}` is put on {name}")));
        }
        let alone = alone(partition, number)?;
        let mut forgotten = None;
        let mut tags = Vec::new();
        for (id, of) in wanted {
            let Some(explanation) = alone.explain(key, id) else { continue };
            forgotten = explanation.expiry.map(|expiry| expiry.at.to_string());
            tags.push(explanation_document(&of.name, &explanation, None));
        }
        Ok(Explained {
            entity: catalog.entity(kind).name.to_string(),
            key: key.to_owned(),
            as_of: AsOf::of(view),
            at: partition.standing.clock().map(|clock| clock.to_string()),
            forgotten,
            tags,
        })
    }
}

/// Why a tag is as it is: each condition in pieces, how far it is from holding, and from or until when.
#[utoipa::path(
    get, path = "/v1/entities/{kind}/{key}/explain", tag = "entities",
    params(
        ("kind" = String, Path, description = "The kind of entity, such as user"),
        ("key" = String, Path, description = "Its key, percent-encoded"),
        ("tag" = Option<String>, Query, description = "The tag; all tags of the kind without it"),
        ("view" = Option<u64>, Query, description = "A pinned view to answer from"),
    ),
    responses(
        (status = 200, description = "The explanation", body = Explained),
        (status = 304, description = "The reader has this answer already (If-None-Match)"),
        (status = 400, description = "A parameter is wrong", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "No such entity, kind or tag", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "The view is gone", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "The state is being read", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn explain(
    State(context): State<ApiContext>,
    Extension(caller): Extension<Caller>,
    Path((kind_name, key)): Path<(String, String)>,
    mut parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let view = context.view(parameters.view()?)?;
    let tag = parameters.one("tag")?;
    parameters.end()?;
    let kind = kind(&view, &kind_name)?;
    context.note(&caller, "explain", &kind_name, &key)?;
    let explained = work(context.scans(), move || Explained::of(&view, kind, &key, tag.as_deref())).await?;
    Ok(json(&headers, &explained))
}
