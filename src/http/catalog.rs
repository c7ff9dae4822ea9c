//! The pages about the catalog: what runs, reading it anew, approving what waits.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value as Json, json};

use super::server::{JSON, page};
use crate::kafka::CatalogRollout;

/// Reads the catalog anew.
pub type Reload = Arc<dyn Fn() -> Result<Reread, Refused> + Send + Sync>;

/// What came of it, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reread {
    /// It computes what the one that runs does.
    Unchanged(String),
    /// Its effects are being looked at.
    Proposed(String),
}

/// Why the one that runs goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub error: String,
    /// Of the file, as `check --format json` has them.
    pub problems: Vec<Json>,
}

/// What the pages can do.
#[derive(Clone)]
pub struct Controls {
    pub breaker: Arc<CatalogRollout>,
    pub reload: Reload,
}

pub fn router(controls: Controls) -> Router {
    Router::new()
        .route("/v1/catalog", get(status))
        .route("/v1/catalog/reload", post(reload))
        .route("/v1/catalog/approve", post(approve))
        .with_state(controls)
}

async fn status(State(controls): State<Controls>) -> Response {
    let status = controls.breaker.status();
    let held = status.held.iter().map(|(tag, impact)| {
        json!({
            "tag": tag,
            "entities": impact.entities,
            "had": impact.had,
            "would_differ": impact.differ,
            "would_be_added": impact.added,
        })
    });
    answer(
        StatusCode::OK,
        &json!({
            "catalog": status.fingerprint,
            "surveying": status.pending,
            "held": held.collect::<Vec<_>>(),
        }),
    )
}

async fn reload(State(controls): State<Controls>) -> Response {
    // Reading a file and compiling a catalog takes a moment, which nobody else has to wait for.
    let reload = Arc::clone(&controls.reload);
    match tokio::task::spawn_blocking(move || reload()).await {
        Ok(Ok(Reread::Unchanged(text))) => answer(StatusCode::OK, &json!({ "result": text })),
        Ok(Ok(Reread::Proposed(text))) => answer(StatusCode::ACCEPTED, &json!({ "result": text })),
        Ok(Err(Refused { error, problems })) => {
            answer(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "error": error, "problems": problems }))
        }
        Err(error) => answer(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": error.to_string() })),
    }
}

/// `?tag=name` for one, nothing for all.
async fn approve(State(controls): State<Controls>, RawQuery(query): RawQuery) -> Response {
    let tag = query.as_deref().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("tag=")));
    let approved = controls.breaker.approve(tag);
    match tag {
        Some(tag) if approved.is_empty() => {
            answer(StatusCode::NOT_FOUND, &json!({ "error": format!("no change of a tag `{tag}` waits for approval") }))
        }
        _ => answer(StatusCode::OK, &json!({ "approved": approved })),
    }
}

fn answer(status: StatusCode, body: &Json) -> Response {
    page(status, JSON, format!("{body:#}\n"))
}
