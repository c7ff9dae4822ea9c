//! The catalog in force; another one that is checked, previewed on the state as it is, or read from its file.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::answer::{json, work};
use super::context::{ApiContext, AsOf};
use super::problem::{ApiError, BodyTooLarge, NotModified, ProblemDocument, StateBeingRead, WrongParameter};
use super::request::{Body, Parameters};
use crate::catalog::{self, Problem, Severity};
use crate::engine::CompiledCatalog;
use crate::model::EntityKindId;
use crate::serve::access::{AuditEntry, Caller};
use crate::serve::approval::ApprovalError;
use crate::serve::audience::CatalogPreview;
use crate::serve::replica::ReplicaView;

/// A small catalog, to begin with.
const EXAMPLE: &str = "version: 1\ntags: { vip: { manual: {} } }\n";
/// Tags that one request approves.
const APPROVED_MAX: usize = 100;

/// The catalog with which the state is read.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CatalogAnswer {
    pub as_of: AsOf,
    /// Its fingerprint, as tag changes carry it.
    pub catalog: String,
    /// The fingerprint under which the workers run, where it is another one: then the file is read again from time to time.
    pub running: Option<String>,
    pub timezone: Option<String>,
    /// The names that expressions can mention, by kind of entity.
    pub entities: Vec<CatalogEntity>,
    /// The tags whose changes wait for approval.
    pub held: BTreeSet<String>,
}

/// What expressions over a kind of entity can mention.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CatalogEntity {
    pub entity: String,
    pub attributes: Vec<String>,
    pub counters: Vec<String>,
    pub tags: Vec<String>,
}

/// The catalog in force.
#[utoipa::path(
    get, path = "/v1/catalog", tag = "catalog",
    responses(
        (status = 200, description = "The catalog", body = CatalogAnswer),
        NotModified, WrongParameter, StateBeingRead,
    )
)]
pub(super) async fn status(
    State(context): State<ApiContext>,
    parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    parameters.end()?;
    let view = context.view(None)?;
    let of = &view.compiled.catalog;
    let entity = |(kind, entity): (EntityKindId, &catalog::EntityKind)| CatalogEntity {
        entity: entity.name.to_string(),
        attributes: of.attributes.iter().filter(|one| one.entity == kind).map(|one| one.name.to_string()).collect(),
        counters: of.counters.iter().filter(|one| one.entity == kind).map(|one| one.name.to_string()).collect(),
        tags: of.tags.iter().filter(|one| one.entity == kind).map(|one| one.name.to_string()).collect(),
    };
    let held = view.partitions.iter().flat_map(|partition| partition.standing.held_tags().map(str::to_owned));
    let answer = CatalogAnswer {
        as_of: AsOf::of(&view),
        catalog: view.compiled.fingerprint().to_owned(),
        running: context.replica().status_now().other_catalog.map(|other| other.running),
        timezone: of.timezone.iana_name().map(str::to_owned),
        entities: (0..).map(EntityKindId).zip(&of.entities).map(entity).collect(),
        held: held.collect(),
    };
    Ok(json(&headers, &answer))
}

/// What is wrong with a catalog.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CheckAnswer {
    /// Whether it can be used: it has no errors.
    pub ok: bool,
    /// Its fingerprint, where it can be used.
    pub catalog: Option<String>,
    /// Errors and warnings, as `tagstream check --format json` prints them.
    #[schema(value_type = Vec<Object>)]
    pub problems: Vec<Json>,
}

/// The problems of a catalog: the body is its text, in YAML. Files of models are not looked for.
#[utoipa::path(
    post, path = "/v1/catalog/check", tag = "catalog", request_body(content = Option<String>, content_type = "application/yaml", example = json!(EXAMPLE)),
    responses(
        (status = 200, description = "The problems, if there are any", body = CheckAnswer),
        NotModified,
        (status = 400, description = "The body is not UTF-8", body = ProblemDocument, content_type = "application/problem+json"),
        BodyTooLarge,
    )
)]
pub(super) async fn check(
    State(context): State<ApiContext>,
    parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    parameters.end()?;
    let text = body.text()?.to_owned();
    let answer = work(context.scans(), move || {
        let loaded = catalog::load(&text);
        let problems: Vec<Json> = loaded.problems.iter().map(catalog::as_json).collect();
        let catalog = loaded.catalog.map(|catalog| CompiledCatalog::new(catalog).fingerprint().to_owned());
        Ok(CheckAnswer { ok: catalog.is_some(), catalog, problems })
    });
    Ok(json(&headers, &answer.await?))
}

/// What would become of one tag.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PreviewRow {
    pub entity: String,
    pub tag: String,
    /// How many entities have it now, and would have it then.
    pub before: u64,
    pub after: u64,
    pub enter: u64,
    pub leave: u64,
    /// Those that would have it with another value.
    pub other_value: u64,
    /// Some of the keys.
    pub enter_sample: Vec<String>,
    pub leave_sample: Vec<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PreviewAnswer {
    pub as_of: AsOf,
    /// The fingerprint of the other catalog.
    pub catalog: String,
    /// The tags that would change, by kind of entity and name. New counters count from then on, as under `run`.
    pub rows: Vec<PreviewRow>,
    /// Warnings of the catalog.
    #[schema(value_type = Vec<Object>)]
    pub problems: Vec<Json>,
}

/// What a catalog would change at once on the state as it is: the body is its text, in YAML. Nothing changes by that.
#[utoipa::path(
    post, path = "/v1/catalog/preview", tag = "catalog", request_body(content = Option<String>, content_type = "application/yaml", example = json!(EXAMPLE)),
    responses(
        (status = 200, description = "What would change", body = PreviewAnswer),
        NotModified,
        (status = 400, description = "The body is not UTF-8", body = ProblemDocument, content_type = "application/problem+json"),
        BodyTooLarge,
        (status = 422, description = "The catalog has errors", body = ProblemDocument, content_type = "application/problem+json"),
        StateBeingRead,
    )
)]
pub(super) async fn preview(
    State(context): State<ApiContext>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    parameters.end()?;
    let text = body.text()?.to_owned();
    let view = context.view(None)?;
    let answer = work(context.scans(), move || {
        let loaded = catalog::load(&text);
        let Some(other) = loaded.catalog else {
            let errors = loaded.problems.iter().filter(|problem| problem.severity == Severity::Error).count();
            let problems = loaded.problems.iter().map(catalog::as_json).collect();
            return Err(ApiError::Catalog(problems, format!("the catalog has {errors} errors")));
        };
        Ok(PreviewAnswer::of(&view, &CompiledCatalog::new(other), &loaded.problems))
    });
    let answer = answer.await?;
    answer.note(&context, &caller)?;
    Ok(json(&headers, &answer))
}

impl PreviewAnswer {
    /// Notes that somebody looks at the keys of the samples.
    pub(in crate::serve) fn note(&self, context: &ApiContext, caller: &Caller) -> Result<(), ApiError> {
        context.note_keys(caller, "preview", "", &self.catalog)
    }

    /// What another catalog, with these warnings, would change in a view.
    pub(in crate::serve) fn of(view: &ReplicaView, other: &CompiledCatalog, problems: &[Problem]) -> Self {
        let rows = CatalogPreview::of(view, other).tags.into_iter().map(|((entity, tag), preview)| PreviewRow {
            entity,
            tag,
            before: preview.before,
            after: preview.after,
            enter: preview.entered,
            leave: preview.left,
            other_value: preview.other_value,
            enter_sample: preview.entered_sample,
            leave_sample: preview.left_sample,
        });
        PreviewAnswer {
            as_of: AsOf::of(view),
            catalog: other.fingerprint().to_owned(),
            rows: rows.collect(),
            problems: problems.iter().map(catalog::as_json).collect(),
        }
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReloadAnswer {
    /// The fingerprint of the file.
    pub catalog: String,
    /// Whether the states are read under it from now on: it is another one than before.
    pub changed: bool,
}

/// Reads the catalog's file again. What is shown stays until the states have been read under it.
#[utoipa::path(
    post, path = "/v1/catalog/reload", tag = "catalog",
    responses(
        (status = 200, description = "It was read", body = ReloadAnswer),
        WrongParameter,
        (status = 422, description = "The catalog has errors, or cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn reload(
    State(context): State<ApiContext>,
    parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    parameters.end()?;
    let source = Arc::clone(context.source());
    let read =
        work(context.scans(), move || source().map_err(|errors| ApiError::Catalog(errors.problems, errors.report)));
    let compiled = read.await?;
    let shown = context.replica().view();
    let changed = shown.is_none_or(|shown| shown.compiled.catalog.fingerprint != compiled.catalog.fingerprint);
    let catalog = compiled.fingerprint().to_owned();
    if changed {
        context.orders().take_catalog(compiled);
    }
    Ok(json(&headers, &ReloadAnswer { catalog, changed }))
}

/// The tags whose changes were approved.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ApprovalAnswer {
    pub approved: Vec<String>,
}

impl From<ApprovalError> for ApiError {
    fn from(error: ApprovalError) -> Self {
        let detail = error.to_string();
        match error {
            ApprovalError::Off | ApprovalError::Refused { status: 404, .. } => ApiError::Unknown(detail),
            ApprovalError::Refused { status: 503, .. } => ApiError::NotReady(vec![detail]),
            _ => ApiError::Service(detail),
        }
    }
}

impl ApprovalAnswer {
    /// Approves what a changed catalog would do to tags; the line in the audit log is written before it.
    ///
    /// # Errors
    /// Why it was not approved.
    pub(in crate::serve) async fn of(
        context: &ApiContext,
        caller: &Caller,
        tags: Vec<String>,
    ) -> Result<Self, ApiError> {
        if tags.is_empty() {
            return Err(ApiError::Wrong("say which tags: ?tag=NAME, which may repeat".to_owned()));
        }
        if tags.len() > APPROVED_MAX {
            return Err(ApiError::Wrong(format!("at most {APPROVED_MAX} tags at a time")));
        }
        for tag in &tags {
            let entry = AuditEntry { caller: &caller.name, action: "catalog.approve", tag, ..AuditEntry::default() };
            context.record(&entry)?;
        }
        context.approver().approve(&tags).await?;
        Ok(ApprovalAnswer { approved: tags })
    }
}

/// Lets held changes of tags take effect: the service is asked, which `serve.service` names.
#[utoipa::path(
    post, path = "/v1/catalog/approve", tag = "catalog",
    params(("tag" = Vec<String>, Query, description = "A tag whose changes wait for approval; may repeat")),
    responses(
        (status = 200, description = "They are approved", body = ApprovalAnswer),
        WrongParameter,
        (status = 404, description = "No change of such a tag waits, or changes are not approved here", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 502, description = "The service does not answer", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "The approval is not committed; ask again", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn approve(
    State(context): State<ApiContext>,
    Extension(caller): Extension<Caller>,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    let tags = parameters.all("tag");
    parameters.end()?;
    Ok(axum::Json(ApprovalAnswer::of(&context, &caller, tags).await?).into_response())
}
