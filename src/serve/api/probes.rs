//! Probes and metrics.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::context::ApiContext;
use crate::serve::history::History;
use crate::telemetry::TEXT_FORMAT;

const PLAIN: &str = "text/plain; charset=utf-8";

/// Whether the process answers.
#[utoipa::path(get, path = "/livez", tag = "operation", responses((status = 200, description = "It does", body = String)))]
pub(super) async fn livez() -> Response {
    ([(CONTENT_TYPE, PLAIN)], "ok\n").into_response()
}

/// Whether the state has been read, so that questions are answered.
#[utoipa::path(
    get, path = "/readyz", tag = "operation",
    responses(
        (status = 200, description = "It has", body = String),
        (status = 503, description = "One line for each thing that is waited for", body = String),
    )
)]
pub(super) async fn readyz(State(context): State<ApiContext>) -> Response {
    let lines = context.replica().not_ready();
    if lines.is_empty() {
        return ([(CONTENT_TYPE, PLAIN)], "ok\n").into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, [(CONTENT_TYPE, PLAIN)], lines.join("\n") + "\n").into_response()
}

/// The metrics in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "operation", responses((status = 200, description = "All metrics", body = String)))]
pub(super) async fn metrics(State(context): State<ApiContext>) -> Response {
    let (metrics, status) = (context.metrics(), context.replica().status_now());
    metrics.ready.set(f64::from(u8::from(context.replica().not_ready().is_empty())));
    metrics.other_catalog.set(f64::from(u8::from(status.other_catalog.is_some())));
    metrics.transactions.raise_to(status.transactions);
    metrics.restarts.raise_to(status.restarts);
    if let Some(history) = context.history().map(History::status) {
        metrics.history_live.set(f64::from(u8::from(history.is_live && history.trouble.is_none())));
        metrics.history_changes.raise_to(history.last_row.unsigned_abs());
    }
    metrics.lag.clear();
    for (partition, progress) in &status.partitions {
        metrics.lag.set(&[&partition.label()], progress.lag() as f64);
    }
    metrics.entities.clear();
    metrics.state_bytes.clear();
    for partition in context.replica().view().iter().flat_map(|view| &view.partitions) {
        metrics.entities.set(&[&partition.name.label()], partition.entities() as f64);
        metrics.state_bytes.set(&[&partition.name.label()], partition.bytes() as f64);
    }
    ([(CONTENT_TYPE, TEXT_FORMAT)], metrics.text()).into_response()
}
