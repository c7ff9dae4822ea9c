//! Language and colours: what a reader switches to is remembered for a year.

use axum::extract::State;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::serve::api::{ApiError, Body, Parameters};
use crate::serve::page::frame::{COLOURS_COOKIE, ColourScheme, LANGUAGE_COOKIE, PageContext, local_path};
use crate::serve::page::words::Language;

const REMEMBERED_S: u32 = 365 * 86_400;

/// Remembers what is switched to, and leads back.
pub(in crate::serve::page) async fn switch(
    State(context): State<PageContext>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    context.api.access().check_origin(&headers).map_err(ApiError::Access)?;
    let mut fields = Parameters::of_form(&body);
    let (language, colours, back) = (fields.one("language")?, fields.one("colours")?, fields.one("back")?);
    fields.end()?;
    let known = |name: &str, text: String| ApiError::Wrong(format!("{name}={text} is not one that the page has"));
    let mut cookies = Vec::new();
    if let Some(text) = language {
        let language = Language::of_tag(&text).ok_or_else(|| known("language", text))?;
        cookies.push(remembered(LANGUAGE_COOKIE, language.code()));
    }
    if let Some(text) = colours {
        let colours = ColourScheme::parse(&text).ok_or_else(|| known("colours", text))?;
        cookies.push(remembered(COLOURS_COOKIE, colours.name()));
    }
    let back = local_path(back.as_deref().unwrap_or("/")).to_owned();
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, back)]).into_response();
    for cookie in cookies.iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok()) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

fn remembered(name: &str, value: &str) -> String {
    format!("{name}={value}; Path=/; Max-Age={REMEMBERED_S}; HttpOnly; SameSite=Lax")
}
