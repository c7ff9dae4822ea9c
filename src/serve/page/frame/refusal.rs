//! A page for what goes wrong: the text of the problem, in the frame of all pages.

use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use maud::html;

use super::layout::{NavPlace, PageFrame};
use super::reader::PageReader;
use super::words::FrameWords;
use crate::serve::access::Refusal;
use crate::serve::api::{ApiError, ProblemDocument};

/// The page of a problem. Its headers are kept: a reader that comes too often is told when to come back.
pub(in crate::serve::page) fn problem_page(reader: &PageReader, error: &ApiError, original: Response) -> Response {
    let document = error.document();
    let mut response = page(reader, &document, title(FrameWords(reader.language), error));
    for name in [RETRY_AFTER, WWW_AUTHENTICATE] {
        if let Some(value) = original.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

/// A page that does not exist.
pub(in crate::serve::page) fn no_page(reader: &PageReader, path: &str) -> Response {
    let say = FrameWords(reader.language);
    let error = ApiError::Unknown(say.no_page(path));
    page(reader, &error.document(), say.not_found())
}

fn page(reader: &PageReader, document: &ProblemDocument, title: String) -> Response {
    let say = FrameWords(reader.language);
    let status = StatusCode::from_u16(document.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let message = |problem: &serde_json::Value, name: &str| problem[name].as_str().map(str::to_owned);
    let body = html! {
        div.problem role="alert" {
            // What went wrong is the API's text, in English.
            p lang="en" { (document.detail) }
            @if !document.problems.is_empty() {
                ul lang="en" {
                    @for problem in &document.problems {
                        li {
                            (message(problem, "message").unwrap_or_default())
                            @if let Some(help) = message(problem, "help") { " — " (help) }
                        }
                    }
                }
            }
            p.quiet { (say.error_status(document.status)) }
        }
        p { a href="/" { (say.error_back()) } }
    };
    let frame = PageFrame { reader, place: NavPlace::Elsewhere, title: &title, view: None, scripts: &[], body };
    (status, frame.render()).into_response()
}

fn title(say: FrameWords, error: &ApiError) -> String {
    match error {
        ApiError::NotReady(_) => say.not_ready(),
        ApiError::Wrong(_) => say.wrong_question(),
        ApiError::Expression(..) => say.wrong_expression(),
        ApiError::Catalog(..) => say.wrong_catalog(),
        ApiError::Unknown(_) => say.not_found(),
        ApiError::Access(Refusal::NoToken | Refusal::UnknownToken) => say.token_needed(),
        ApiError::Access(Refusal::TooMany { .. }) => say.too_many(),
        ApiError::Access(_) => say.not_allowed(),
        ApiError::Method => say.wrong_method(),
        ApiError::ViewGone => say.view_gone(),
        ApiError::TooLarge(_) => say.too_large(),
        ApiError::Service(_) => say.no_service(),
        ApiError::Failed(_) => say.failed(),
    }
}
