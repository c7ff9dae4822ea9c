//! Requests that act: only those of an operator's program are accepted, not those of a web page in a browser.
//!
//! A browser sends requests for any page that it shows, also to addresses that only this machine can reach. So three
//! things are asked, each of which such a page cannot have: no `Origin`, which a browser adds to every `POST` (the
//! service has no page that sends one); a header that a page can send only after asking the service, which never
//! agrees; and a `Host` that nobody can point at this machine in the public DNS.

use axum::extract::FromRequestParts;
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::server::{JSON, json_page};

/// The header that requests that act need, with any value; `Content-Type: application/json` is as good.
const HEADER: &str = "x-tagstream";
/// Endings of names that do not exist in the public DNS.
const PRIVATE_ENDINGS: [&str; 5] = [".localhost", ".local", ".internal", ".svc", ".home.arpa"];

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
    if let Some(origin) = headers.get(ORIGIN) {
        let origin = String::from_utf8_lossy(origin.as_bytes());
        return Some(format!("the request comes from a web page (Origin: {origin}); this page is for programs"));
    }
    let host = headers.get(HOST).map(|host| String::from_utf8_lossy(host.as_bytes())).unwrap_or_default();
    if !is_private(&host) {
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

/// Whether a host, with or without a port, is an address or a name that the public DNS does not have.
fn is_private(host: &str) -> bool {
    if host.starts_with('[') {
        return true;
    }
    let name = host.split_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
    let is_address = name.parse::<std::net::Ipv4Addr>().is_ok();
    let is_single = !name.is_empty() && !name.contains('.');
    is_address || is_single || PRIVATE_ENDINGS.iter().any(|ending| name.ends_with(ending))
}
