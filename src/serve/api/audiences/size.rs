//! Audiences: their size with a sample, divided by values, and laid over each other.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;

use crate::catalog::TagId;
use crate::codec::value_document;
use crate::model::{EntityKindId, Timestamp};
use crate::serve::access::Caller;
use crate::serve::api::answer::{TagsOf, at, json};
use crate::serve::api::context::{ApiContext, AsOf};
use crate::serve::api::problem::{
    ApiError, BodyTooLarge, NoSuchKind, NotModified, ProblemDocument, StateBeingRead, ViewGone, WrongExpression,
    WrongExpressions, WrongParameterOrBody,
};
use crate::serve::api::request::{Body, Parameters, instant, kind};
use crate::serve::audience::{Audience, Breakdown, CellValue, Dimension, DimensionError, PastError, Selection, ViewAt};
use crate::serve::replica::ReplicaView;

/// Keys in a sample.
const SAMPLE_DEFAULT: usize = 10;
const SAMPLE_MAX: usize = 100;

/// How many keys are given, of as many as are asked for.
pub(in crate::serve::api) fn sample_size(asked: Option<usize>) -> usize {
    asked.unwrap_or(SAMPLE_DEFAULT).min(SAMPLE_MAX)
}

/// Audiences that are laid over each other.
const OVERLAP_MAX: usize = 5;

/// Who is asked for.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AudienceQuestion {
    /// An expression of the catalog's language over tags (`tag.x`), attributes, counters and the clock; all entities without
    /// it.
    #[serde(rename = "where")]
    pub condition: Option<String>,
    /// The kind of entity; `user` without it.
    pub entity: Option<String>,
    /// A pinned view to answer from.
    pub view: Option<u64>,
    /// A past instant, such as `2026-03-01T00:00:00Z`: then tags are as they were, from the history, and only expressions
    /// over tags are answered.
    #[schema(format = DateTime)]
    pub as_of: Option<String>,
    /// How many keys to give; 10 without it, at most 100.
    pub sample: Option<usize>,
    /// Whether the view is kept for a minute, so that other questions can be answered from it.
    #[serde(default)]
    pub pin: bool,
}

/// A counter that has not seen its whole window: its value is that of what was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Incomplete {
    pub counter: String,
    /// When it has; null for never.
    pub complete_at: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AudienceAnswer {
    pub entity: String,
    pub as_of: AsOf,
    pub size: u64,
    /// All entities of the kind.
    pub of: u64,
    /// Some of the keys.
    pub sample: Vec<String>,
    pub incomplete: Vec<Incomplete>,
}

/// A question that was read: its view, kind, and audience.
#[derive(Clone)]
pub(in crate::serve) struct Asked {
    pub view: Arc<ReplicaView>,
    pub kind: EntityKindId,
    pub entity: String,
    pub audience: Audience,
}

/// The past instant of a question.
pub(super) fn as_of(text: Option<&str>) -> Result<Option<Timestamp>, ApiError> {
    text.map(|text| instant("as_of", text)).transpose()
}

impl Asked {
    pub(in crate::serve) fn read(
        context: &ApiContext,
        condition: Option<&str>,
        entity: Option<&str>,
        view: Option<u64>,
    ) -> Result<Self, ApiError> {
        let (view, entity) = (context.view(view)?, entity.unwrap_or("user").to_owned());
        let kind = kind(&view, &entity)?;
        let audience = audience(&view, kind, "where", condition)?;
        Ok(Asked { view, kind, entity, audience })
    }

    /// Another audience of the same view and kind: a part of the question with a name.
    pub(in crate::serve) fn beside(&self, name: &str, condition: &str) -> Result<Self, ApiError> {
        let audience = audience(&self.view, self.kind, name, Some(condition))?;
        Ok(Asked { audience, ..self.clone() })
    }

    /// By what it may be divided.
    pub(in crate::serve) fn dimension(&self, by: &str) -> Result<Dimension, ApiError> {
        Dimension::parse(&self.view.compiled, self.kind, by).map_err(refused)
    }

    /// The tags that are read: those of the audience, and others.
    pub(in crate::serve) fn tags(&self, others: impl IntoIterator<Item = TagId>) -> TagsOf {
        TagsOf { kind: self.kind, tags: self.audience.tags().iter().copied().chain(others).collect() }
    }
}

fn audience(view: &ReplicaView, kind: EntityKindId, name: &str, text: Option<&str>) -> Result<Audience, ApiError> {
    match text {
        None => Ok(Audience::everyone(&view.compiled, kind)),
        Some(text) => Audience::parse(&view.compiled, kind, text)
            .map_err(|problems| ApiError::Expression(name.to_owned(), problems)),
    }
}

pub(in crate::serve::api) fn incomplete(counters: Vec<(String, Timestamp)>) -> Vec<Incomplete> {
    let document = |(counter, until): (String, Timestamp)| {
        let complete_at = (until <= Timestamp::MAX).then(|| until.to_string());
        Incomplete { counter, complete_at }
    };
    counters.into_iter().map(document).collect()
}

/// The size of an audience, and some of its members.
#[utoipa::path(
    post, path = "/v1/audiences", tag = "audiences", request_body = AudienceQuestion,
    responses(
        (status = 200, description = "The size and a sample", body = AudienceAnswer),
        NotModified,
        (status = 400, description = "The body is wrong", body = ProblemDocument, content_type = "application/problem+json"),
        NoSuchKind, ViewGone, BodyTooLarge, WrongExpression, StateBeingRead,
    )
)]
pub(in crate::serve::api) async fn size(
    State(context): State<ApiContext>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    parameters.end()?;
    let question: AudienceQuestion = body.json()?;
    let asked = Asked::read(&context, question.condition.as_deref(), question.entity.as_deref(), question.view)?;
    if question.pin {
        context.pin(&asked.view);
    }
    let (sample, instant) = (sample_size(question.sample), as_of(question.as_of.as_deref())?);
    if sample > 0 {
        context.note_members(&caller, &asked.entity, question.condition.as_deref())?;
    }
    let answer = at(&context, Arc::clone(&asked.view), instant, asked.tags([]), move |view| {
        Ok(AudienceAnswer::of(&asked, view, instant, sample)?)
    });
    Ok(json(&headers, &answer.await?))
}

impl AudienceAnswer {
    /// Of an audience in its view, or in that as it was at an instant.
    ///
    /// # Errors
    /// The audience has no past.
    pub(in crate::serve) fn of(
        asked: &Asked,
        view: &ViewAt,
        instant: Option<Timestamp>,
        sample: usize,
    ) -> Result<Self, PastError> {
        let selection = view.select(&asked.audience)?;
        Ok(AudienceAnswer {
            as_of: AsOf::at(&asked.view, instant),
            size: selection.size(),
            of: view.entities(asked.kind),
            sample: selection.sample(sample),
            incomplete: incomplete(asked.audience.incomplete_counters(&asked.view)),
            entity: asked.entity.clone(),
        })
    }
}

/// One combination of values, and how many of the audience have it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BreakdownRow {
    /// For each `by`: `{"value": …}` (null: none), `{"from": …, "below": …}` for a band, or `{"other": true}`.
    #[schema(value_type = Vec<Object>)]
    pub values: Vec<Json>,
    pub size: u64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BreakdownAnswer {
    pub entity: String,
    pub as_of: AsOf,
    /// The size of the audience; the rows add up to it.
    pub size: u64,
    pub by: Vec<String>,
    pub rows: Vec<BreakdownRow>,
}

fn cell_document(value: &CellValue) -> Json {
    match value {
        CellValue::Absent => serde_json::json!({ "value": null }),
        CellValue::Value(value) => serde_json::json!({ "value": value_document(Some(value)) }),
        CellValue::Band { from, below } => serde_json::json!({ "from": from, "below": below }),
        CellValue::Other => serde_json::json!({ "other": true }),
    }
}

fn refused(error: DimensionError) -> ApiError {
    match error {
        DimensionError::Expression(problems) => ApiError::Expression("by".to_owned(), problems),
        error => ApiError::Wrong(error.to_string()),
    }
}

/// An audience divided by the values of one or two expressions: tags, attributes, counters. Every member is in one row.
#[utoipa::path(
    post, path = "/v1/audiences/breakdown", tag = "audiences", request_body = AudienceQuestion,
    params(
        ("by" = Vec<String>, Query, min_items = 1, max_items = 2, example = json!(["tag.lifecycle"]), description = "One or two expressions, each a parameter; bounds behind a number make bands of it: spend_180d:100,1000"),
    ),
    responses(
        (status = 200, description = "The sizes", body = BreakdownAnswer),
        NotModified, WrongParameterOrBody, NoSuchKind, ViewGone, BodyTooLarge, WrongExpressions, StateBeingRead,
    )
)]
pub(in crate::serve::api) async fn breakdown(
    State(context): State<ApiContext>,
    mut parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let by = parameters.all("by");
    parameters.end()?;
    if by.is_empty() || by.len() > 2 {
        return Err(ApiError::Wrong(
            "say by what: one or two times ?by=, as in ?by=tag.lifecycle&by=gender".to_owned(),
        ));
    }
    let question: AudienceQuestion = body.json()?;
    let asked = Asked::read(&context, question.condition.as_deref(), question.entity.as_deref(), question.view)?;
    let dimensions: Result<Vec<Dimension>, ApiError> = by.iter().map(|by| asked.dimension(by)).collect();
    let (dimensions, instant) = (dimensions?, as_of(question.as_of.as_deref())?);
    let tags = asked.tags(dimensions.iter().filter_map(Dimension::tag));
    let answer = at(&context, Arc::clone(&asked.view), instant, tags, move |view| {
        BreakdownAnswer::of(&asked, view, instant, &dimensions)
    });
    Ok(json(&headers, &answer.await?))
}

impl BreakdownAnswer {
    /// Of an audience, divided.
    ///
    /// # Errors
    /// A value has no past, or cannot be divided by the bounds.
    pub(in crate::serve) fn of(
        asked: &Asked,
        view: &ViewAt,
        instant: Option<Timestamp>,
        dimensions: &[Dimension],
    ) -> Result<Self, ApiError> {
        let selection = view.select(&asked.audience)?;
        let cells = Breakdown::of(&selection, dimensions).map_err(refused)?.cells;
        let rows = cells
            .iter()
            .map(|cell| BreakdownRow { values: cell.values.iter().map(cell_document).collect(), size: cell.size });
        Ok(BreakdownAnswer {
            entity: asked.entity.clone(),
            as_of: AsOf::at(&asked.view, instant),
            size: selection.size(),
            by: dimensions.iter().map(|dimension| dimension.text().to_owned()).collect(),
            rows: rows.collect(),
        })
    }
}

/// Audiences that are laid over each other.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OverlapQuestion {
    /// Two to five expressions.
    #[schema(min_items = 2, max_items = 5, example = json!(["tag.active", "!tag.churn_risk"]))]
    pub audiences: Vec<String>,
    pub entity: Option<String>,
    pub view: Option<u64>,
    /// A past instant, such as `2026-03-01T00:00:00Z`: then tags are as they were, from the history, and only expressions
    /// over tags are answered.
    #[schema(format = DateTime)]
    pub as_of: Option<String>,
}

/// Some of the audiences.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OverlapRow {
    /// Their places in the question, from 0.
    pub audiences: Vec<usize>,
    /// Those who are in all of these, whether or not they are in others.
    pub size: u64,
    /// Those who are in all of these and in no other one.
    pub exactly: u64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OverlapAnswer {
    pub entity: String,
    pub as_of: AsOf,
    /// Every combination of the audiences.
    pub rows: Vec<OverlapRow>,
}

/// Every combination of some selections.
fn overlaps(selections: &[Selection]) -> Vec<OverlapRow> {
    let row = |chosen: usize| {
        let (inside, outside): (Vec<usize>, Vec<usize>) = (0..selections.len()).partition(|at| chosen >> at & 1 == 1);
        let first = selections[inside[0]].clone();
        let all = inside[1..].iter().fold(first, |all, at| all.and(&selections[*at]));
        let exactly = outside.iter().fold(all.clone(), |all, at| all.without(&selections[*at]));
        OverlapRow { audiences: inside, size: all.size(), exactly: exactly.size() }
    };
    (1..1 << selections.len()).map(row).collect()
}

/// How two to five audiences lie over each other: the size of every intersection.
#[utoipa::path(
    post, path = "/v1/audiences/overlap", tag = "audiences", request_body = OverlapQuestion,
    responses(
        (status = 200, description = "The sizes of all intersections", body = OverlapAnswer),
        NotModified,
        (status = 400, description = "The body is wrong", body = ProblemDocument, content_type = "application/problem+json"),
        NoSuchKind, ViewGone, BodyTooLarge, WrongExpressions, StateBeingRead,
    )
)]
pub(in crate::serve::api) async fn overlap(
    State(context): State<ApiContext>,
    parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    parameters.end()?;
    let question: OverlapQuestion = body.json()?;
    if !(2..=OVERLAP_MAX).contains(&question.audiences.len()) {
        return Err(ApiError::Wrong(format!("audiences: give from 2 to {OVERLAP_MAX} expressions")));
    }
    let everyone = Asked::read(&context, None, question.entity.as_deref(), question.view)?;
    let places = question.audiences.iter().enumerate();
    let audiences: Result<Vec<Audience>, ApiError> =
        places.map(|(place, text)| Ok(everyone.beside(&format!("audiences[{place}]"), text)?.audience)).collect();
    let (audiences, instant) = (audiences?, as_of(question.as_of.as_deref())?);
    let tags = everyone.tags(audiences.iter().flat_map(|audience| audience.tags().iter().copied()));
    let answer = at(&context, Arc::clone(&everyone.view), instant, tags, move |view| {
        Ok(OverlapAnswer::of(&everyone, view, instant, &audiences)?)
    });
    Ok(json(&headers, &answer.await?))
}

impl OverlapAnswer {
    /// Of audiences in the view of a question.
    ///
    /// # Errors
    /// One of them has no past.
    pub(in crate::serve) fn of(
        asked: &Asked,
        view: &ViewAt,
        instant: Option<Timestamp>,
        audiences: &[Audience],
    ) -> Result<Self, PastError> {
        let selections = audiences.iter().map(|audience| view.select(audience)).collect::<Result<Vec<_>, _>>()?;
        let as_of = AsOf::at(&asked.view, instant);
        Ok(OverlapAnswer { entity: asked.entity.clone(), as_of, rows: overlaps(&selections) })
    }
}
