//! All routes of the page, by what they ask of the reader. Everything else is the API's.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

use super::assets::asset;
use super::frame::{PageContext, secure};
use super::session::{admit, for_browsers, needs, note_reader, sign_in, sign_out, switch};
use super::{audience, catalog, entity, live, overview, tag};
use crate::serve::access::Scope;
use crate::serve::api::{self, ApiError, BODY_BYTES_MAX};

type Routes = Router<PageContext>;

/// For everyone whose token is known.
fn open_pages() -> Routes {
    Router::new().route("/", get(overview::show))
}

/// What counts and lists entities.
fn audience_pages() -> Routes {
    Router::new()
        .route("/tags/{tag}", get(tag::show))
        .route("/tags/{tag}/forecast", get(tag::forecast))
        .route("/audience", get(audience::show))
        .route("/audience/answer", get(audience::answer))
        .route("/audience/{file}", get(audience::download))
        .route("/live", get(live::show))
        .route("/live/changes", get(live::stream))
}

/// What is known of one entity.
fn profile_pages() -> Routes {
    Router::new().route("/entities", get(entity::find)).route("/entities/{kind}/{key}", get(entity::show))
}

/// What changes one entity.
fn write_pages() -> Routes {
    Router::new()
        .route("/entities/tag", post(entity::set_tag))
        .route("/entities/erase", get(entity::confirm).post(entity::erase))
}

/// What tries another catalog, and lets one take effect.
fn catalog_pages() -> Routes {
    Router::new()
        .route("/approve", post(overview::approve))
        .route("/catalog", get(catalog::show).post(catalog::preview))
        .route("/catalog/problems", post(catalog::problems_of))
}

/// Without a token: what is needed to give one.
fn entrance() -> Routes {
    Router::new()
        .route("/assets/{name}", get(asset))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/switches", post(switch))
}

/// The page, and the API beside it.
pub fn router(context: PageContext) -> Router {
    let scoped = |routes: Routes, scope: Scope| routes.route_layer(from_fn_with_state(scope, needs));
    let admitted = open_pages()
        .merge(scoped(audience_pages(), Scope::Audience))
        .merge(scoped(profile_pages(), Scope::Profile))
        .merge(scoped(write_pages(), Scope::Write))
        .merge(scoped(catalog_pages(), Scope::Catalog));
    let api = api::router(context.api.clone())
        .layer(from_fn_with_state(context.clone(), for_browsers))
        .layer(from_fn(secure));
    admitted
        .route_layer(from_fn_with_state(context.clone(), admit))
        .merge(entrance())
        .method_not_allowed_fallback(|| async { ApiError::Method })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(context.clone(), note_reader))
        .layer(from_fn(secure))
        .with_state(context)
        .fallback_service(api)
}
