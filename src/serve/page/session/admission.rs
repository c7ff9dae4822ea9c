//! Who may see a page.

use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::ACCEPT;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::sign_in::{once_more, sign_in_page};
use crate::serve::access::{Refusal, Scope};
use crate::serve::api::ApiError;
use crate::serve::page::frame::{PageContext, PageReader, no_page, problem_page};

/// Notes in which language and colours the reader wants the answer, and makes a page of what goes wrong.
pub(in crate::serve::page) async fn note_reader(
    State(context): State<PageContext>,
    mut request: Request,
    next: Next,
) -> Response {
    let mut reader = PageReader::of(&context.api, &request);
    // The frame of a problem shows what the reader may do, where it is known who reads.
    reader.caller = context.api.access().recognize(request.headers()).ok();
    request.extensions_mut().insert(reader.clone());
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<ApiError>() {
        Some(error) => problem_page(&reader, &error, response),
        None => response,
    }
}

/// Admits a request to a page, or asks for a token.
pub(in crate::serve::page) async fn admit(
    State(context): State<PageContext>,
    mut reader: PageReader,
    mut request: Request,
    next: Next,
) -> Response {
    match context.api.access().identify(request.method(), request.headers()) {
        Ok(caller) => {
            reader.caller = Some(caller);
            request.extensions_mut().insert(reader);
            next.run(request).await
        }
        Err(Refusal::NoToken) if comes_from_elsewhere(&request) => once_more(&reader),
        Err(Refusal::NoToken) => sign_in_page(&reader, &reader.here, false),
        Err(Refusal::UnknownToken) => sign_in_page(&reader, &reader.here, true),
        Err(refusal) => ApiError::Access(refusal).into_response(),
    }
}

/// Makes a page of a path that does not exist, where a browser asks for it. What the API answers stays as it is.
pub(in crate::serve::page) async fn for_browsers(
    State(context): State<PageContext>,
    request: Request,
    next: Next,
) -> Response {
    let accepted = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !accepted.contains("text/html") || request.uri().path().starts_with("/v1/") {
        return next.run(request).await;
    }
    let mut reader = PageReader::of(&context.api, &request);
    reader.caller = context.api.access().recognize(request.headers()).ok();
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<ApiError>() {
        Some(ApiError::Access(Refusal::NoToken)) => sign_in_page(&reader, "/", false),
        Some(ApiError::Access(Refusal::UnknownToken)) => sign_in_page(&reader, "/", true),
        Some(ApiError::Unknown(_)) => no_page(&reader, &path),
        Some(error) => problem_page(&reader, &error, response),
        None => response,
    }
}

/// Whether somebody follows a link of another site, for which browsers keep a strict cookie back.
fn comes_from_elsewhere(request: &Request) -> bool {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let is_link = *request.method() == Method::GET && header("sec-fetch-mode") == Some("navigate");
    is_link && matches!(header("sec-fetch-site"), Some("cross-site" | "same-site"))
}

/// Lets those pass whose token has a scope.
pub(in crate::serve::page) async fn needs(
    State(scope): State<Scope>,
    reader: PageReader,
    request: Request,
    next: Next,
) -> Response {
    if reader.may(scope) {
        return next.run(request).await;
    }
    let name = reader.caller.map(|caller| caller.name.to_string()).unwrap_or_default();
    ApiError::Access(Refusal::MissingScope { name, scope }).into_response()
}
