//! The tags of the catalog with their sizes, and what becomes of them if nothing happens.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value as Json, json as object};
use utoipa::ToSchema;

use super::answer::{json, work};
use super::context::{ApiContext, AsOf};
use super::entities::titles;
use super::problem::{ApiError, NotModified, ProblemDocument, StateBeingRead, ViewGone, WrongParameter};
use super::request::{Parameters, kind};
use crate::catalog::{Catalog, Condition, Tag, TagDefinition, TagId};
use crate::codec::value_document;
use crate::engine::TagImpact;
use crate::model::Value;
use crate::serve::audience::Forecast;
use crate::serve::replica::{HeldImpacts, ReplicaView};

/// A tag of the catalog.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TagDocument {
    pub tag: String,
    pub entity: String,
    /// Its place in the tree of tags: names with slashes between them.
    pub group: Option<String>,
    /// By language; the empty one where the title has none.
    pub title: BTreeMap<String, String>,
    pub description: Option<String>,
    pub owner: Option<String>,
    /// `when`, `value`, `stages`, `score` or `manual`.
    pub form: String,
    /// The expressions of the definition, as the catalog could write them.
    #[schema(value_type = Object)]
    pub definition: Json,
    /// The number of entities that have it, with whatever value.
    pub size: u64,
    /// By band or stage, in their order.
    pub labels: Vec<LabelSize>,
    /// Whether changes of the tag wait for approval.
    pub held: bool,
    /// What these changes would be; null where nothing waits, or it was not counted.
    pub impact: Option<HeldImpact>,
}

/// How many entities the changes of a tag concern that wait for approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeldImpact {
    /// Entities that had it when it was counted.
    pub had: u64,
    /// Of these, those that would lose it or get another value.
    pub differ: u64,
    /// Entities that would get it.
    pub added: u64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LabelSize {
    pub name: String,
    pub size: u64,
}

/// All tags, in the catalog's order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TagList {
    pub as_of: AsOf,
    /// The number of entities of each kind.
    pub entities: BTreeMap<String, u64>,
    pub tags: Vec<TagDocument>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TagAnswer {
    pub as_of: AsOf,
    /// All entities of the kind.
    pub of: u64,
    #[serde(flatten)]
    pub tag: TagDocument,
}

impl TagDocument {
    pub fn of(view: &ReplicaView, id: TagId, tag: &Tag) -> Self {
        let catalog = &view.compiled.catalog;
        let size = |label: Option<u16>| -> u64 {
            let partitions = view.of(tag.entity);
            let sizes = partitions.map(|partition| match label {
                None => partition.with_tag(id).len(),
                Some(label) => partition.with_label(id, label).map_or(0, |these| these.len()),
            });
            sizes.sum()
        };
        let labels = (0..).zip(tag.definition.labels());
        let labels = labels.map(|(place, name)| LabelSize { name: name.to_owned(), size: size(Some(place)) });
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let held = |partition: &std::sync::Arc<crate::serve::replica::PartitionView>| {
            partition.standing.held_tags().any(|held| *held == *tag.name)
        };
        let is_held = view.of(tag.entity).any(held);
        let impact = if is_held { HeldImpacts::sum(view.of(tag.entity), &tag.name) } else { None };
        TagDocument {
            tag: tag.name.to_string(),
            entity: catalog.entity(tag.entity).name.to_string(),
            group: text(&tag.group),
            title: titles(tag),
            description: text(&tag.description),
            owner: text(&tag.owner),
            form: form(&tag.definition).to_owned(),
            definition: definition(catalog, &tag.definition),
            size: size(None),
            labels: labels.collect(),
            held: is_held,
            impact: impact.map(|TagImpact { had, differ, added, .. }| HeldImpact { had, differ, added }),
        }
    }
}

fn form(definition: &TagDefinition) -> &'static str {
    match definition {
        TagDefinition::Rule { .. } => "when",
        TagDefinition::Value { .. } => "value",
        TagDefinition::Stages(_) => "stages",
        TagDefinition::Score(_) => "score",
        TagDefinition::Manual { .. } => "manual",
    }
}

fn definition(catalog: &Catalog, definition: &TagDefinition) -> Json {
    let text = |condition: &Condition| catalog.format_expr(&condition.expr);
    let bands = definition.bands().map(|bands| {
        let bands = bands.names.iter().enumerate().map(|(place, name)| (name, bands.bounds.get(place)));
        bands
            .map(|(name, below)| {
                let below = below.map(|below| Value::Number(*below));
                object!({ "name": name, "below": value_document(below.as_ref()) })
            })
            .collect::<Vec<_>>()
    });
    match definition {
        TagDefinition::Rule { when, until, for_ms, keep_for_ms } => object!({
            "when": text(when),
            "until": until.as_ref().map(text),
            "for_ms": for_ms,
            "keep_for_ms": keep_for_ms,
        }),
        TagDefinition::Value { value, .. } => object!({ "value": text(value), "bands": bands }),
        TagDefinition::Stages(stages) => {
            let stage =
                |stage: &crate::catalog::Stage| object!({ "name": stage.name, "when": stage.when.as_ref().map(text) });
            object!({ "stages": stages.iter().map(stage).collect::<Vec<_>>() })
        }
        TagDefinition::Score(score) => {
            let inputs = score.inputs.iter().map(|input| object!({ "name": input.name, "value": text(&input.value) }));
            object!({ "inputs": inputs.collect::<Vec<_>>(), "bands": bands })
        }
        TagDefinition::Manual { valid_for_ms } => object!({ "valid_for_ms": valid_for_ms }),
    }
}

pub(in crate::serve) fn tag<'v>(view: &'v ReplicaView, name: &str) -> Result<(TagId, &'v Tag), ApiError> {
    let tags = (0..).map(TagId).zip(&view.compiled.catalog.tags);
    let mut found = tags.into_iter().filter(|(_, tag)| *tag.name == *name);
    found.next().ok_or_else(|| {
        let names = view.compiled.catalog.tags.iter().map(|tag| &*tag.name);
        let nearest = crate::catalog::did_you_mean(name, names).unwrap_or_default();
        ApiError::Unknown(format!("there is no tag `{name}`; {nearest}").trim_end_matches("; ").to_owned())
    })
}

/// The tags with their definitions and sizes.
#[utoipa::path(
    get, path = "/v1/tags", tag = "tags",
    params(("view" = Option<u64>, Query, description = "A pinned view to answer from")),
    responses(
        (status = 200, description = "All tags, in the catalog's order", body = TagList),
        NotModified, WrongParameter, ViewGone, StateBeingRead,
    )
)]
pub(super) async fn list(
    State(context): State<ApiContext>,
    mut parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let view = context.view(parameters.view()?)?;
    parameters.end()?;
    Ok(json(&headers, &TagList::of(&view)))
}

impl TagList {
    /// The tags of a view.
    pub fn of(view: &ReplicaView) -> Self {
        let catalog = &view.compiled.catalog;
        let tags = (0..).map(TagId).zip(&catalog.tags).map(|(id, tag)| TagDocument::of(view, id, tag)).collect();
        let kinds = (0..).map(crate::model::EntityKindId).zip(&catalog.entities);
        let size = |kind| view.of(kind).map(|partition| partition.entities()).sum();
        let entities = kinds.map(|(kind, entity)| (entity.name.to_string(), size(kind))).collect();
        TagList { as_of: AsOf::of(view), entities, tags }
    }
}

/// One tag with its definition and size.
#[utoipa::path(
    get, path = "/v1/tags/{tag}", tag = "tags",
    params(
        ("tag" = String, Path, description = "The tag"),
        ("view" = Option<u64>, Query, description = "A pinned view to answer from"),
    ),
    responses(
        (status = 200, description = "The tag", body = TagAnswer),
        NotModified, WrongParameter,
        (status = 404, description = "No such tag", body = ProblemDocument, content_type = "application/problem+json"),
        ViewGone, StateBeingRead,
    )
)]
pub(super) async fn one(
    State(context): State<ApiContext>,
    Path(name): Path<String>,
    mut parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let view = context.view(parameters.view()?)?;
    parameters.end()?;
    let (id, found) = tag(&view, &name)?;
    let of = view.of(found.entity).map(|partition| partition.entities()).sum();
    Ok(json(&headers, &TagAnswer { as_of: AsOf::of(&view), of, tag: TagDocument::of(&view, id, found) }))
}

/// Who enters and leaves on one local day.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ForecastDay {
    pub date: String,
    pub enter: u64,
    pub leave: u64,
}

/// What becomes of a tag, or of one of its bands or stages.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ForecastRow {
    pub tag: String,
    /// The band or stage.
    pub label: Option<String>,
    pub now: u64,
    pub then: u64,
    pub days: Vec<ForecastDay>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ForecastAnswer {
    pub entity: String,
    pub as_of: AsOf,
    /// Null before the first event.
    pub from: Option<String>,
    pub to: Option<String>,
    pub rows: Vec<ForecastRow>,
}

impl ForecastAnswer {
    pub fn of(view: &ReplicaView, entity: String, only: Option<&str>, horizon_ms: i64) -> Result<Self, ApiError> {
        let kind = kind(view, &entity)?;
        let forecast = Forecast::of(view, kind, only, horizon_ms);
        let mut rows = Vec::new();
        let own = (0..).map(TagId).zip(&view.compiled.catalog.tags).filter(|(_, tag)| tag.entity == kind);
        for (id, tag) in own.filter(|(_, tag)| only.is_none_or(|only| *only == *tag.name)) {
            let document = TagDocument::of(view, id, tag);
            let parts: Vec<(Option<String>, u64)> = match document.labels.is_empty() {
                true => vec![(None, document.size)],
                false => document.labels.into_iter().map(|label| (Some(label.name), label.size)).collect(),
            };
            for (label, now) in parts {
                let of = (tag.name.to_string(), label);
                let day = |day: &crate::serve::audience::DayForecast| {
                    let moves = day.tags.get(&of).copied().unwrap_or_default();
                    ForecastDay { date: day.date.clone(), enter: moves.entered, leave: moves.left }
                };
                let days: Vec<ForecastDay> = forecast.days.iter().map(day).collect();
                let (enter, leave): (u64, u64) =
                    days.iter().fold((0, 0), |(enter, leave), day| (enter + day.enter, leave + day.leave));
                let then = (now + enter).saturating_sub(leave);
                rows.push(ForecastRow { tag: of.0, label: of.1, now, then, days });
            }
        }
        let time = |at: Option<crate::model::Timestamp>| at.map(|at| at.to_string());
        let (from, to) = (time(forecast.from), time(forecast.to));
        Ok(ForecastAnswer { entity, as_of: AsOf::of(view), from, to, rows })
    }
}

/// Who enters and leaves each day if nothing happens: as `tagstream forecast` says it of recorded events.
#[utoipa::path(
    get, path = "/v1/forecast", tag = "tags",
    params(
        ("tag" = Option<String>, Query, description = "The tag; all tags of the kind without it"),
        ("entity" = Option<String>, Query, description = "The kind of entity, where no tag is given; user without it"),
        ("horizon" = Option<String>, Query, pattern = r"^[0-9]+(ms|s|m|h|d|w)$", description = "How far to look ahead: 30d without it, at most 400d"),
        ("view" = Option<u64>, Query, description = "A pinned view to answer from"),
    ),
    responses(
        (status = 200, description = "The forecast", body = ForecastAnswer),
        NotModified, WrongParameter,
        (status = 404, description = "No such tag, or kind of entity", body = ProblemDocument, content_type = "application/problem+json"),
        ViewGone, StateBeingRead,
    )
)]
pub(super) async fn forecast(
    State(context): State<ApiContext>,
    mut parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let view = context.view(parameters.view()?)?;
    let (wanted, entity) = (parameters.one("tag")?, parameters.one("entity")?);
    let horizon_ms = parameters.duration_ms("horizon", "30d", "400d")?;
    parameters.end()?;
    let entity = match &wanted {
        Some(name) => view.compiled.catalog.entity(tag(&view, name)?.1.entity).name.to_string(),
        None => entity.unwrap_or_else(|| "user".to_owned()),
    };
    let answer = work(context.scans(), move || ForecastAnswer::of(&view, entity, wanted.as_deref(), horizon_ms));
    Ok(json(&headers, &answer.await?))
}
