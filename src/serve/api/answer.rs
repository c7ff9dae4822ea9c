//! Answers: JSON with an ETag; work that takes long, and what reads the history, beside the threads that answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::Semaphore;
use xxhash_rust::xxh3::xxh3_64;

use super::context::ApiContext;
use super::problem::ApiError;
use crate::catalog::TagId;
use crate::model::{EntityKindId, Timestamp};
use crate::serve::audience::{PastView, ViewAt};
use crate::serve::history::{History, HistoryView};
use crate::serve::replica::ReplicaView;

/// An answer from the history that takes longer is given up.
const READ_MAX: Duration = Duration::from_secs(20);
/// How long an answer waits for the history to have what the state has.
const CATCH_UP_MAX: Duration = Duration::from_secs(5);

/// A document, or 304 where the reader has it already.
pub(super) fn json(headers: &HeaderMap, document: &impl Serialize) -> Response {
    let Ok(body) = serde_json::to_string(document) else {
        return ApiError::Failed("the answer cannot be written as JSON".to_owned()).into_response();
    };
    let tag = format!("\"{:016x}\"", xxh3_64(body.as_bytes()));
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let is_known = known.flat_map(|value| value.split(',')).any(|one| one.trim().trim_start_matches("W/") == tag);
    // Every answer is personal data: no cache on the way may keep it.
    let headers = [(ETAG, tag), (CACHE_CONTROL, "private, no-cache".to_owned())];
    if is_known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(CONTENT_TYPE, "application/json")], body + "\n").into_response()
}

/// Does work on a thread of its own, as soon as there is room.
pub(in crate::serve) async fn work<T: Send + 'static>(
    room: Arc<Semaphore>,
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let failed = |error: &dyn std::fmt::Display| ApiError::Failed(error.to_string());
    let permit = room.acquire_owned().await.map_err(|error| failed(&error))?;
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(permit);
        done
    });
    done.await.map_err(|error| failed(&error))?
}

/// The history, if there is one.
pub(super) fn history(context: &ApiContext) -> Result<&History, ApiError> {
    let off = "there is no history: set serve.directory to a folder in which tag changes are kept";
    context.history().ok_or_else(|| ApiError::Unknown(off.to_owned()))
}

/// Reads the history beside the threads that answer.
pub(in crate::serve) async fn read<T: Send + 'static>(
    context: &ApiContext,
    answer: impl FnOnce(&HistoryView<'_>) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let reader = history(context)?.reader.clone();
    work(context.scans(), move || {
        reader.read(Instant::now() + READ_MAX, |view| Ok(answer(view))).map_err(ApiError::from)?
    })
    .await
}

/// Waits until the history has every change that a view has which was shown before the call.
pub(in crate::serve) async fn catch_up(context: &ApiContext) -> Result<(), ApiError> {
    if history(context)?.catch_up(CATCH_UP_MAX).await {
        return Ok(());
    }
    let trouble = history(context)?.status().trouble;
    Err(ApiError::NotReady(vec![trouble.unwrap_or_else(|| "the history is still reading the tag changes".to_owned())]))
}

/// The tags of one kind of entity that an answer reads.
pub(in crate::serve) struct TagsOf {
    pub kind: EntityKindId,
    pub tags: Vec<TagId>,
}

/// Answers from a view or, where a past instant is asked for, from the view as it was then.
pub(in crate::serve) async fn at<T: Send + 'static>(
    context: &ApiContext,
    view: Arc<ReplicaView>,
    instant: Option<Timestamp>,
    of: TagsOf,
    answer: impl FnOnce(&ViewAt) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let Some(instant) = instant else {
        return work(context.scans(), move || answer(&ViewAt::Now(view))).await;
    };
    // The history has to have what the view has.
    catch_up(context).await?;
    let past = move |history: &HistoryView<'_>| {
        answer(&ViewAt::Past(PastView::of(&view, of.kind, &of.tags, instant, history)?))
    };
    read(context, past).await
}
