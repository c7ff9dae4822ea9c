//! Who may ask: every request but probes is admitted by its token's scope, before anything else is looked at.

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::context::ApiContext;
use super::problem::ApiError;
use crate::serve::access::Scope;

/// What a page asks of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Demand {
    Nothing,
    /// Any token.
    Known,
    Scope(Scope),
}

/// What a path asks of the caller. A path that is not known asks for any token.
fn demand(method: &Method, path: &str) -> Demand {
    let is_look = matches!(*method, Method::GET | Method::HEAD);
    let begins = |prefix: &str| path == prefix || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'));
    match path {
        "/livez" | "/readyz" | "/metrics" => Demand::Nothing,
        _ if begins("/v1/entities") => Demand::Scope(if is_look { Scope::Profile } else { Scope::Write }),
        _ if ["/v1/audiences", "/v1/tags", "/v1/forecast", "/v1/changes"].into_iter().any(begins) => {
            Demand::Scope(Scope::Audience)
        }
        _ if begins("/v1/catalog") => Demand::Scope(Scope::Catalog),
        _ => Demand::Known,
    }
}

/// Admits a request, and notes whose it is, or refuses it.
pub(super) async fn admit(State(context): State<ApiContext>, mut request: Request, next: Next) -> Response {
    let (method, headers) = (request.method(), request.headers());
    let caller = match demand(method, request.uri().path()) {
        Demand::Nothing => return next.run(request).await,
        Demand::Known => context.access().identify(method, headers),
        Demand::Scope(scope) => context.access().admit(method, headers, scope),
    };
    match caller {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refusal) => ApiError::Access(refusal).into_response(),
    }
}
