//! The page on which a token is given, and what comes of it.

use axum::extract::State;
use axum::http::header::{LOCATION, SET_COOKIE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::html;

use super::words::SessionWords;
use crate::serve::access::{Refusal, session_cookie};
use crate::serve::api::{ApiError, Body, Parameters};
use crate::serve::page::frame::{PageContext, PageFrame, PageReader, Place, hidden, local_path};

/// The page on which a reader gives a token. `is_wrong`: one was given that is not known.
pub(super) fn sign_in_page(reader: &PageReader, back: &str, is_wrong: bool) -> Response {
    let say = SessionWords(reader.language);
    let body = html! {
        @if is_wrong { p.problem role="alert" id="token-problem" { (say.unknown()) } }
        p { (say.about()) }
        pre { code { "tagstream token new" } }
        form.fields method="post" action="/sign-in" {
            (hidden("back", local_path(back)))
            label for="token" { (say.token()) }
            input id="token" name="token" type="password" required autocomplete="current-password"
                autocapitalize="none" spellcheck="false" aria-describedby=[is_wrong.then_some("token-problem")];
            div { button.main type="submit" { (say.go()) } }
        }
    };
    let frame = PageFrame { reader, place: Place::Elsewhere, title: &say.title(), view: None, scripts: &[], body };
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], frame.render()).into_response()
}

/// A link on another site leads here: the browser keeps the cookie back for it, but not for the page's own next request.
pub(super) fn once_more(reader: &PageReader) -> Response {
    let say = SessionWords(reader.language);
    let here = local_path(&reader.here);
    let page = html! {
        (maud::DOCTYPE)
        html lang=(reader.language.code()) {
            head {
                meta charset="utf-8";
                meta http-equiv="refresh" content=(format!("0; url={here}"));
                title { (say.opening()) }
            }
            body { p { a href=(here) { (say.go_on()) } } }
        }
    };
    axum::response::Html(page.into_string()).into_response()
}

/// Takes a token into the cookie.
pub(in crate::serve::page) async fn sign_in(
    State(context): State<PageContext>,
    reader: PageReader,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let mut fields = Parameters::of_form(&body);
    let (token, back) = (fields.one("token")?.unwrap_or_default(), fields.one("back")?.unwrap_or_default());
    fields.end()?;
    match context.api.access().sign_in(&headers, token.trim()) {
        Ok(()) => Ok(cookie_and_back(&session_cookie(Some(token.trim()), is_encrypted(&context, &headers)), &back)),
        Err(Refusal::UnknownToken) => Ok(sign_in_page(&reader, &back, true)),
        Err(refusal) => Err(ApiError::Access(refusal)),
    }
}

/// Takes the token out of the cookie.
pub(in crate::serve::page) async fn sign_out(
    State(context): State<PageContext>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    context.api.access().check_origin(&headers).map_err(ApiError::Access)?;
    Ok(cookie_and_back(&session_cookie(None, is_encrypted(&context, &headers)), "/"))
}

fn cookie_and_back(cookie: &str, back: &str) -> Response {
    let headers = [(SET_COOKIE, cookie.to_owned()), (LOCATION, local_path(back).to_owned())];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Whether the browser has an encrypted connection, to here or to what stands before: it says so in its origin.
fn is_encrypted(context: &PageContext, headers: &HeaderMap) -> bool {
    let origin = headers.get(axum::http::header::ORIGIN).and_then(|origin| origin.to_str().ok());
    context.is_encrypted || origin.is_some_and(|origin| origin.starts_with("https://"))
}
