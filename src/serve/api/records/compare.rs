//! An audience at two instants: who was in, who came, who went.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::Timestamp;
use crate::serve::access::Caller;
use crate::serve::api::answer::{catch_up, json, read};
use crate::serve::api::audiences::size::{Asked, sample_size};
use crate::serve::api::context::{ApiContext, AsOf};
use crate::serve::api::problem::{
    ApiError, BodyTooLarge, HistoryBeingRead, NotModified, ProblemDocument, WrongExpression,
};
use crate::serve::api::request::{Body, Parameters, instant};
use crate::serve::audience::{PastView, Selection, ViewAt};
use crate::serve::history::HistoryView;

/// Who is compared with themselves.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompareQuestion {
    /// An expression over tags.
    #[serde(rename = "where")]
    pub condition: Option<String>,
    /// The kind of entity; `user` without it.
    pub entity: Option<String>,
    /// How many keys to give of each part; 10 without it, at most 100.
    pub sample: Option<usize>,
}

/// A part of an audience.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ComparedPart {
    pub size: u64,
    /// Some of the keys.
    pub sample: Vec<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CompareAnswer {
    pub entity: String,
    /// The state from which the past was computed.
    pub as_of: AsOf,
    pub from: String,
    pub to: String,
    /// The size at `from`, and at `to`.
    pub before: u64,
    pub after: u64,
    /// In at both instants.
    pub stayed: ComparedPart,
    /// In at `to` alone.
    pub came: ComparedPart,
    /// In at `from` alone.
    pub went: ComparedPart,
}

impl ComparedPart {
    fn of(selection: &Selection, sample: usize) -> Self {
        ComparedPart { size: selection.size(), sample: selection.sample(sample) }
    }
}

/// Who is in an audience at an instant; without one, now.
fn select(asked: &Asked, at: Option<Timestamp>, history: &HistoryView<'_>) -> Result<Selection, ApiError> {
    let view = match at {
        None => ViewAt::Now(Arc::clone(&asked.view)),
        Some(at) => ViewAt::Past(PastView::of(&asked.view, asked.kind, asked.audience.tags(), at, history)?),
    };
    Ok(view.select(&asked.audience)?)
}

/// An audience at two instants: who was in, who came, who went.
#[utoipa::path(
    post, path = "/v1/audiences/compare", tag = "audiences", request_body = CompareQuestion,
    params(
        ("from" = String, Query, format = DateTime, description = "The earlier instant"),
        ("to" = Option<String>, Query, format = DateTime, description = "The later instant; now without it"),
    ),
    responses(
        (status = 200, description = "The three parts", body = CompareAnswer),
        NotModified,
        (status = 400, description = "An instant or the body is wrong, or the history does not reach back", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "No such kind of entity, or no history", body = ProblemDocument, content_type = "application/problem+json"),
        BodyTooLarge, WrongExpression, HistoryBeingRead,
    )
)]
pub(in crate::serve::api) async fn compare(
    State(context): State<ApiContext>,
    Extension(caller): Extension<Caller>,
    mut parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let from =
        parameters.one("from")?.ok_or_else(|| ApiError::Wrong("from is missing: the earlier instant".to_owned()))?;
    let from = instant("from", &from)?;
    let to = parameters.one("to")?.map(|to| instant("to", &to)).transpose()?;
    parameters.end()?;
    let question: CompareQuestion = body.json()?;
    let asked = Asked::read(&context, question.condition.as_deref(), question.entity.as_deref(), None)?;
    let sample = sample_size(question.sample);
    if sample > 0 {
        context.note_members(&caller, &asked.entity, question.condition.as_deref())?;
    }
    // The history has to have what the view has.
    catch_up(&context).await?;
    let answer = read(&context, move |history| CompareAnswer::of(&asked, (from, to), sample, history));
    Ok(json(&headers, &answer.await?))
}

impl CompareAnswer {
    /// Of an audience at two instants; without the later one, now.
    ///
    /// # Errors
    /// The audience has no past, or the history does not reach back to an instant.
    pub(in crate::serve) fn of(
        asked: &Asked,
        (from, to): (Timestamp, Option<Timestamp>),
        sample: usize,
        history: &HistoryView<'_>,
    ) -> Result<Self, ApiError> {
        let (before, after) = (select(asked, Some(from), history)?, select(asked, to, history)?);
        let now = asked.view.clock().map(|clock| clock.to_string()).unwrap_or_default();
        Ok(CompareAnswer {
            entity: asked.entity.clone(),
            as_of: AsOf::of(&asked.view),
            from: from.to_string(),
            to: to.map_or(now, |to| to.to_string()),
            before: before.size(),
            after: after.size(),
            stayed: ComparedPart::of(&before.and(&after), sample),
            came: ComparedPart::of(&after.without(&before), sample),
            went: ComparedPart::of(&before.without(&after), sample),
        })
    }
}
