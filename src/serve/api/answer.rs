//! Answers: JSON with an ETag, and work that takes long beside the threads that answer.

use std::sync::Arc;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::Semaphore;
use xxhash_rust::xxh3::xxh3_64;

use super::problem::ApiError;

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
pub(super) async fn work<T: Send + 'static>(
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
