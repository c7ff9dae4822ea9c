//! Why a question is refused, as a problem document (RFC 9457).

mod responses;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use crate::catalog::{self, Problem};
use crate::serve::access::Refusal;
use crate::serve::audience::PastError;
use crate::serve::history::HistoryError;

pub(super) use responses::{
    BodyTooLarge, HistoryBeingRead, NoSuchKind, NotModified, StateBeingRead, ViewGone, WrongExpression,
    WrongExpressions, WrongParameter, WrongParameterOrBody, refusal,
};

const PROBLEM_JSON: &str = "application/problem+json";

/// Why a question is refused.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProblemDocument {
    /// What went wrong: `about:blank`, or `/problems/` and a word that stays the same.
    #[serde(rename = "type")]
    pub problem_type: String,
    pub title: String,
    pub status: u16,
    /// What is wrong here, and what to do.
    pub detail: String,
    /// Of an expression or a catalog: each problem with its place and how to mend it, as `check --format json` has it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub problems: Vec<Json>,
}

/// A question that is not answered.
#[derive(Clone, Debug)]
pub enum ApiError {
    /// The state has not been read yet; one line for each thing that is waited for.
    NotReady(Vec<String>),
    /// A parameter or a body is wrong.
    Wrong(String),
    /// An expression of the question is wrong: its name in the question, and its problems.
    Expression(String, Vec<Problem>),
    /// A catalog is wrong.
    Catalog(Vec<Json>, String),
    /// What is asked for does not exist.
    Unknown(String),
    /// The caller may not ask this.
    Access(Refusal),
    /// The page takes other methods.
    Method,
    /// The view is not kept any more.
    ViewGone,
    TooLarge(String),
    /// The service was asked to do it, and cannot be reached.
    Service(String),
    /// Something was there to do, and failed.
    Failed(String),
}

impl From<HistoryError> for ApiError {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::OutOfReach { .. } | HistoryError::TooLong => ApiError::Wrong(error.to_string()),
            error => ApiError::Failed(error.to_string()),
        }
    }
}

impl From<PastError> for ApiError {
    fn from(error: PastError) -> Self {
        match error {
            PastError::History(error) => error.into(),
            error => ApiError::Wrong(error.to_string()),
        }
    }
}

impl ApiError {
    /// Of a parameter that is no cursor.
    pub(in crate::serve::api) fn wrong_cursor() -> Self {
        ApiError::Wrong("cursor: it is not one that an answer has given".to_owned())
    }

    /// As the reader gets it.
    pub fn document(&self) -> ProblemDocument {
        let (status, word, title, detail, problems) = match self {
            ApiError::NotReady(lines) => {
                (StatusCode::SERVICE_UNAVAILABLE, "not-ready", "The state is being read", lines.join("; "), Vec::new())
            }
            ApiError::Wrong(detail) => {
                (StatusCode::BAD_REQUEST, "bad-request", "The question is wrong", detail.clone(), Vec::new())
            }
            ApiError::Expression(name, problems) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "expression",
                "An expression has errors",
                format!("{name}: {}", problems.first().map(|problem| problem.message.as_str()).unwrap_or_default()),
                problems.iter().map(catalog::as_json).collect(),
            ),
            ApiError::Catalog(problems, detail) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "catalog",
                "The catalog has errors",
                detail.clone(),
                problems.clone(),
            ),
            ApiError::Unknown(detail) => (StatusCode::NOT_FOUND, "unknown", "Not found", detail.clone(), Vec::new()),
            ApiError::Access(refusal) => {
                let (status, title) = access_status(refusal);
                (status, "access", title, refusal.to_string(), Vec::new())
            }
            ApiError::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method",
                "Another method",
                "this page takes another method; /v1/openapi.json lists all of them".to_owned(),
                Vec::new(),
            ),
            ApiError::ViewGone => (
                StatusCode::GONE,
                "view-gone",
                "The view is gone",
                "the view is not kept any more; ask again without it, or from the first page".to_owned(),
                Vec::new(),
            ),
            ApiError::TooLarge(detail) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", detail.clone(), Vec::new())
            }
            ApiError::Service(detail) => {
                (StatusCode::BAD_GATEWAY, "service", "The service does not answer", detail.clone(), Vec::new())
            }
            ApiError::Failed(detail) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "failed", "It failed", detail.clone(), Vec::new())
            }
        };
        let (problem_type, title) = (format!("/problems/{word}"), title.to_owned());
        ProblemDocument { problem_type, title, status: status.as_u16(), detail, problems }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let document = self.document();
        let status = StatusCode::from_u16(document.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&document).unwrap_or_default();
        let mut response = (status, [(CONTENT_TYPE, PROBLEM_JSON)], body + "\n").into_response();
        match &self {
            ApiError::Access(Refusal::TooMany { retry_after }) => {
                let seconds = retry_after.as_secs() + 1;
                response.headers_mut().insert(RETRY_AFTER, seconds.into());
            }
            ApiError::Access(Refusal::NoToken | Refusal::UnknownToken) => {
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        // Whoever passes the answer on may say it in another way.
        response.extensions_mut().insert(self);
        response
    }
}

fn access_status(refusal: &Refusal) -> (StatusCode, &'static str) {
    match refusal {
        Refusal::NoToken | Refusal::UnknownToken => (StatusCode::UNAUTHORIZED, "A token is needed"),
        Refusal::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
        Refusal::MissingScope { .. } | Refusal::ForeignOrigin(_) | Refusal::ForeignHost(_) => {
            (StatusCode::FORBIDDEN, "Not allowed")
        }
    }
}
