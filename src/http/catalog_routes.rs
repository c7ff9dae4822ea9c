//! The pages about the catalog: its status, reload, and approval of held changes.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value as Json, json};

use super::reload::{Reload, Reloaded};
use super::server::{JSON, page};
use crate::kafka::CatalogRollout;

/// What the pages act on.
#[derive(Clone)]
pub struct Controls {
    pub rollout: Arc<CatalogRollout>,
    pub reload: Reload,
}

pub(crate) fn router(controls: Controls) -> Router {
    Router::new()
        .route("/v1/catalog", get(status))
        .route("/v1/catalog/reload", post(reload))
        .route("/v1/catalog/approve", post(approve))
        .with_state(controls)
}

async fn status(State(controls): State<Controls>) -> Response {
    let status = controls.rollout.status();
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
    // Reading and compiling a catalog takes time, for which other requests do not wait.
    let reload = Arc::clone(&controls.reload);
    match tokio::task::spawn_blocking(move || reload()).await {
        Ok(Ok(done)) => {
            let code = match done {
                Reloaded::Unchanged { .. } => StatusCode::OK,
                Reloaded::Proposed { .. } => StatusCode::ACCEPTED,
            };
            answer(code, &json!({ "result": done.to_string() }))
        }
        Ok(Err(error)) => {
            answer(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "error": error.summary(), "problems": error.problems() }))
        }
        Err(error) => answer(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": error.to_string() })),
    }
}

/// `?tag=name` approves one tag; without it, all.
async fn approve(State(controls): State<Controls>, RawQuery(query): RawQuery) -> Response {
    let tag = query.as_deref().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("tag=")));
    let approved = controls.rollout.approve(tag);
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
