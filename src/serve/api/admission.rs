//! Who may ask: every request but probes is admitted by its token's scope, before anything else is looked at.

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, OpenApi};

use super::context::ApiContext;
use super::problem::{ApiError, refusal};
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

/// The name of the token in the description.
const TOKEN: &str = "token";
/// A browser has no other way to send one.
const ABOUT_TOKEN: &str = "A line of `tagstream token new`. The page at /sign-in takes one into the cookie \
    `tagstream_token`, which is as good as the header; /sign-out takes it away.";
/// What an operation that needs a token may answer.
const REFUSALS: [(&str, &str); 3] = [
    ("401", "No token, or one that is not known, where tokens are asked for"),
    ("403", "The token does not have the scope, or a web page of another origin asks"),
    ("429", "Too many requests of this token"),
];

/// Describes who may ask what.
pub(super) fn describe(description: &mut OpenApi) {
    let mut token = Http::new(HttpAuthScheme::Bearer);
    token.description = Some(ABOUT_TOKEN.to_owned());
    let components = description.components.get_or_insert_with(Components::new);
    components.add_security_scheme(TOKEN, SecurityScheme::Http(token));
    for (path, item) in &mut description.paths.paths {
        let PathItem { get, put, post, delete, .. } = item;
        let methods = [(Method::GET, get), (Method::PUT, put), (Method::POST, post), (Method::DELETE, delete)];
        for (method, operation) in methods {
            if let Some(operation) = operation {
                describe_operation(operation, demand(&method, path));
            }
        }
    }
}

fn describe_operation(operation: &mut Operation, demand: Demand) {
    let scope = match demand {
        Demand::Nothing => return,
        Demand::Known => None,
        Demand::Scope(scope) => Some(scope.name()),
    };
    operation.security = Some(vec![SecurityRequirement::new(TOKEN, scope)]);
    for (status, about) in REFUSALS {
        operation.responses.responses.insert(status.to_owned(), refusal(about).into());
    }
}
