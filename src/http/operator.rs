//! Requests that act: only those of an operator's program are accepted, not those of a web page in a browser.
//!
//! A browser sends requests for any page that it shows, also to addresses that only this machine can reach. So three
//! things are asked, each of which such a page cannot have: no `Origin`, which a browser adds to every `POST` (the
//! service has no page that sends one); a header that a page can send only after asking the service, which never
//! agrees; and a `Host` that nobody can point at this machine in the public DNS.

use axum::extract::FromRequestParts;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::origin::{is_private_host, origin};
use super::server::{JSON, json_page};

/// The header that requests that act need, with any value; `Content-Type: application/json` is as good.
const HEADER: &str = "x-tagstream";

/// Shows that a request is an operator's; refuses others with 403.
pub(crate) struct Operator;

impl<S: Sync> FromRequestParts<S> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        match refusal(&parts.headers) {
            None => Ok(Operator),
            Some(error) => Err(json_page(StatusCode::FORBIDDEN, &json!({ "error": error }))),
        }
    }
}

/// Why a request is refused.
fn refusal(headers: &HeaderMap) -> Option<String> {
    if let Some(origin) = origin(headers) {
        return Some(format!("the request comes from a web page (Origin: {origin}); this page is for programs"));
    }
    let host = headers.get(HOST).map(|host| String::from_utf8_lossy(host.as_bytes())).unwrap_or_default();
    if !is_private_host(&host) {
        return Some(format!(
            "the host `{host}` may be a name of the public DNS; use an address, a name without a dot, or one that ends \
             in .svc, .local, .internal or .localhost"
        ));
    }
    let is_json = |value: &str| value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(JSON));
    let has_json = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(is_json);
    let is_marked = headers.contains_key(HEADER) || has_json;
    (!is_marked).then(|| "a header is missing: X-Tagstream: 1".to_owned())
}
