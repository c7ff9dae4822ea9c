//! What a request tells of the web page that it comes from, and whether its host can be a name of the public DNS.

use std::borrow::Cow;

use axum::http::HeaderMap;
#[cfg(feature = "serve")]
use axum::http::header::HOST;
use axum::http::header::ORIGIN;

/// Endings of names that do not exist in the public DNS.
const PRIVATE_ENDINGS: [&str; 5] = [".localhost", ".local", ".internal", ".svc", ".home.arpa"];
/// Browsers say here where a request comes from; no page can set it.
#[cfg(feature = "serve")]
const FETCH_SITE: &str = "sec-fetch-site";

/// The origin of the web page that sends the request. Browsers add it to every request that is not a `GET` or `HEAD`.
pub(crate) fn origin(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    headers.get(ORIGIN).map(|origin| String::from_utf8_lossy(origin.as_bytes()))
}

/// The origin of the web page that sends the request, where it is not a page of this server.
#[cfg(feature = "serve")]
pub(crate) fn foreign_origin(headers: &HeaderMap) -> Option<String> {
    if let Some(origin) = origin(headers) {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let is_own = authority.is_some() && authority == host;
        return (!is_own).then(|| origin.into_owned());
    }
    let site = headers.get(FETCH_SITE).map(|site| String::from_utf8_lossy(site.as_bytes()));
    site.filter(|site| !matches!(site.as_ref(), "same-origin" | "none")).map(Cow::into_owned)
}

/// Whether a host, with or without a port, is an address or a name that the public DNS does not have.
pub(crate) fn is_private_host(host: &str) -> bool {
    if host.starts_with('[') {
        return true;
    }
    let name = host.split_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
    let is_address = name.parse::<std::net::Ipv4Addr>().is_ok();
    let is_single = !name.is_empty() && !name.contains('.');
    is_address || is_single || PRIVATE_ENDINGS.iter().any(|ending| name.ends_with(ending))
}
