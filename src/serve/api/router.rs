//! All routes of the API, and their description in OpenAPI.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderMap;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Description;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::admission::{admit, describe};
use super::answer::json;
use super::audiences::{members, size};
use super::context::ApiContext;
use super::problem::ApiError;
use super::records::{changes, commands, compare, figures, live};
use super::request::BODY_BYTES_MAX;
use super::{catalog, entities, probes, tags};

/// The head of the description.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "tagstream",
        description = "Who has which tag, since when, why, and what comes next. Every answer says as of when (as_of).",
        license(name = "MIT")
    ),
    tags(
        (name = "entities", description = "One entity"),
        (name = "audiences", description = "Entities for which an expression holds"),
        (name = "tags", description = "The tags and their sizes"),
        (name = "catalog", description = "The catalog"),
        (name = "operation", description = "Probes and metrics"),
    )
)]
struct ApiHead;

fn routes() -> OpenApiRouter<ApiContext> {
    OpenApiRouter::with_openapi(ApiHead::openapi())
        .routes(routes!(probes::livez))
        .routes(routes!(probes::readyz))
        .routes(routes!(probes::metrics))
        .routes(routes!(entities::profile, commands::erase))
        .routes(routes!(entities::explain))
        .routes(routes!(changes::changes))
        .routes(routes!(commands::set_tag, commands::remove_tag))
        .routes(routes!(size::size))
        .routes(routes!(size::breakdown))
        .routes(routes!(size::overlap))
        .routes(routes!(compare::compare))
        .routes(routes!(members::members))
        .routes(routes!(tags::list))
        .routes(routes!(tags::one))
        .routes(routes!(figures::figures))
        .routes(routes!(live::live))
        .routes(routes!(tags::forecast))
        .routes(routes!(catalog::status))
        .routes(routes!(catalog::check))
        .routes(routes!(catalog::preview))
        .routes(routes!(catalog::reload))
        .routes(routes!(catalog::approve))
}

/// The description of all routes.
pub fn description() -> Description {
    described().1
}

fn described() -> (Router<ApiContext>, Description) {
    let (router, mut description) = routes().split_for_parts();
    describe(&mut description);
    (router, description)
}

/// All routes, with the description at `/v1/openapi.json`.
pub fn router(context: ApiContext) -> Router {
    let (router, description) = described();
    let described = move |headers: HeaderMap| async move { json(&headers, &description) };
    router
        .route("/v1/openapi.json", get(described))
        .fallback(|| async {
            ApiError::Unknown("there is no such page; /v1/openapi.json lists all of them".to_owned())
        })
        .method_not_allowed_fallback(|| async { ApiError::Method })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(context.clone(), admit))
        .with_state(context)
}
