//! The changes of one entity, newest first.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::Timestamp;
use crate::serve::access::Caller;
use crate::serve::api::answer::{json, read};
use crate::serve::api::context::ApiContext;
use crate::serve::api::problem::{ApiError, NotModified, ProblemDocument, WrongParameter};
use crate::serve::api::request::{Parameters, instant};
use crate::serve::history::{ChangeQuery, HistoryView, StoredChange};

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1_000;

/// The history of an entity.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ChangesAnswer {
    pub entity: String,
    pub key: String,
    /// The instant from which on no change is missing; null: none is missing.
    pub reaches: Option<String>,
    /// As the topic of tag changes has them, the newest first.
    #[schema(value_type = Vec<Object>)]
    pub changes: Vec<StoredChange>,
    /// Whether there are more; then ask again with `cursor`.
    pub more: bool,
    /// Where the next page begins; null: this is the last one.
    pub cursor: Option<String>,
}

/// The tag changes of an entity with their reasons, the newest first.
#[utoipa::path(
    get, path = "/v1/entities/{kind}/{key}/changes", tag = "entities",
    params(
        ("kind" = String, Path, description = "The kind of entity"),
        ("key" = String, Path, description = "The key"),
        ("from" = Option<String>, Query, format = DateTime, description = "Only changes from this instant on"),
        ("to" = Option<String>, Query, format = DateTime, description = "Only changes up to and with this instant"),
        ("tag" = Option<String>, Query, description = "Only changes of this tag"),
        ("cursor" = Option<String>, Query, description = "The `cursor` of the page before"),
        ("limit" = Option<usize>, Query, minimum = 1, maximum = 1000, description = "At most this many; 100 without it, at most 1000"),
    ),
    responses(
        (status = 200, description = "The changes", body = ChangesAnswer),
        NotModified, WrongParameter,
        (status = 404, description = "There is no history", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(in crate::serve::api) async fn changes(
    State(context): State<ApiContext>,
    Extension(caller): Extension<Caller>,
    Path((entity, key)): Path<(String, String)>,
    mut parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    context.note(&caller, "changes", &entity, &key)?;
    let bound = |name: &str, text: Option<String>, otherwise| match text {
        Some(text) => instant(name, &text),
        None => Ok(otherwise),
    };
    let from = bound("from", parameters.one("from")?, Timestamp::MIN)?;
    let to = bound("to", parameters.one("to")?, Timestamp::FOREVER)?;
    let (tag, limit) = (parameters.one("tag")?, parameters.one("limit")?);
    let row = cursor(&mut parameters)?;
    parameters.end()?;
    let limit = match limit.as_deref().map(str::parse::<usize>) {
        None => LIMIT_DEFAULT,
        Some(Ok(limit)) if (1..=LIMIT_MAX).contains(&limit) => limit,
        Some(_) => return Err(ApiError::Wrong(format!("limit is a whole number from 1 to {LIMIT_MAX}"))),
    };
    let answer = read(&context, move |history| {
        let query = ChangeQuery { kind: &entity, key: &key, from, to, tag: tag.as_deref(), row, limit };
        ChangesAnswer::of(history, query)
    });
    Ok(json(&headers, &answer.await?))
}

/// The row at which a page begins; `None`: the first one.
pub(in crate::serve) fn cursor(parameters: &mut Parameters) -> Result<Option<i64>, ApiError> {
    parameters.one("cursor")?.map(|text| text.parse().map_err(|_| ApiError::wrong_cursor())).transpose()
}

impl ChangesAnswer {
    /// The changes that a question asks for.
    ///
    /// # Errors
    /// The history cannot be read, or the answer takes too long.
    pub fn of(history: &HistoryView<'_>, query: ChangeQuery<'_>) -> Result<Self, ApiError> {
        let limit = query.limit;
        let (entity, key) = (query.kind.to_owned(), query.key.to_owned());
        let mut changes = history.changes(&ChangeQuery { limit: limit + 1, ..query })?;
        let next = changes.get(limit).map(|change| change.row.to_string());
        changes.truncate(limit);
        let reaches = history.reaches()?.map(|reaches| reaches.to_string());
        Ok(ChangesAnswer { reaches, changes, more: next.is_some(), cursor: next, entity, key })
    }
}
