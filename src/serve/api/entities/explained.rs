//! Why a tag of an entity is as it is.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::{alone, find};
use crate::catalog::{Tag, TagId};
use crate::codec::explanation_document;
use crate::engine::Explanation;
use crate::model::EntityKindId;
use crate::serve::access::Caller;
use crate::serve::api::answer::{json, work};
use crate::serve::api::context::{ApiContext, AsOf};
use crate::serve::api::problem::{ApiError, NotModified, ProblemDocument, StateBeingRead, ViewGone, WrongParameter};
use crate::serve::api::request::{Parameters, kind};
use crate::serve::replica::ReplicaView;

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
        NotModified, WrongParameter,
        (status = 404, description = "No such entity, kind or tag", body = ProblemDocument, content_type = "application/problem+json"),
        ViewGone, StateBeingRead,
    )
)]
pub(in crate::serve::api) async fn explain(
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
