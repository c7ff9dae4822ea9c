//! The pages about the catalog: its status, reload, and approval of held changes.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::operator::Operator;
use super::reload::{Reload, Reloaded};
use super::server::json_page;
use crate::kafka::{CatalogRollout, PartitionName, TagNames};

/// A commit takes milliseconds; a connection ends soon after this.
const COMMIT_PATIENCE: Duration = Duration::from_secs(4);
const COMMIT_LOOK: Duration = Duration::from_millis(10);
const NOT_COMMITTED: &str = "the approval is not committed: the brokers do not answer, or no partition runs in this \
                             process; ask again until the answer is 200, since a crash before that undoes it";

/// What the pages act on.
#[derive(Clone)]
pub struct Controls {
    pub rollout: Arc<CatalogRollout>,
    pub reload: Reload,
}

pub(crate) fn router(controls: Controls) -> Router {
    Router::new()
        .route("/v1/catalog", get(status))
        .route("/v1/catalog/reload", post(reload))
        .route("/v1/catalog/approve", post(approve))
        .with_state(controls)
}

async fn status(State(controls): State<Controls>) -> Response {
    let status = controls.rollout.status();
    let held = status.held.iter().map(|(tag, impact)| {
        json!({
            "tag": tag,
            "entities": impact.entities,
            "had": impact.had,
            "would_differ": impact.differ,
            "would_be_added": impact.added,
        })
    });
    json_page(
        StatusCode::OK,
        &json!({
            "catalog": status.fingerprint,
            "pending": status.pending,
            "uncounted": status.uncounted.iter().map(PartitionName::label).collect::<Vec<_>>(),
            "undecided": status.is_undecided,
            "held": held.collect::<Vec<_>>(),
        }),
    )
}

async fn reload(_: Operator, State(controls): State<Controls>, RawQuery(query): RawQuery) -> Response {
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        return refused(StatusCode::BAD_REQUEST, &format!("there is no parameter: `{query}`"));
    }
    // Reading and compiling a catalog takes time, for which other requests do not wait.
    let reload = Arc::clone(&controls.reload);
    match tokio::task::spawn_blocking(move || reload()).await {
        Ok(Ok(done)) => {
            let code = match done {
                Reloaded::Unchanged { .. } => StatusCode::OK,
                Reloaded::Proposed { .. } => StatusCode::ACCEPTED,
            };
            json_page(code, &json!({ "result": done.to_string() }))
        }
        Ok(Err(error)) => json_page(
            StatusCode::UNPROCESSABLE_ENTITY,
            &json!({ "error": error.summary(), "problems": error.problems() }),
        ),
        Err(error) => json_page(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": error.to_string() })),
    }
}

/// `?tag=NAME` approves a tag, and may repeat; `?all=true` approves all. Nothing is approved where one of them is not
/// known. The answer comes when the approval is committed.
async fn approve(_: Operator, State(controls): State<Controls>, RawQuery(query): RawQuery) -> Response {
    let wanted = match Approval::parse(query.as_deref().unwrap_or_default()) {
        Ok(wanted) => wanted,
        Err(error) => return refused(StatusCode::BAD_REQUEST, &error),
    };
    let rollout = &controls.rollout;
    let approved: TagNames = match wanted {
        Approval::All => rollout.approve(None),
        Approval::Tags(tags) => {
            if let Some(tag) = tags.iter().find(|tag| !rollout.is_known(tag)) {
                return refused(StatusCode::NOT_FOUND, &format!("no change of a tag `{tag}` waits for approval"));
            }
            tags.iter().for_each(|tag| drop(rollout.approve(Some(tag))));
            tags.into_iter().map(String::into_boxed_str).collect()
        }
    };
    let deadline = Instant::now() + COMMIT_PATIENCE;
    while !rollout.is_approval_committed(&approved) {
        if Instant::now() >= deadline {
            return refused(StatusCode::SERVICE_UNAVAILABLE, NOT_COMMITTED);
        }
        sleep(COMMIT_LOOK).await;
    }
    json_page(StatusCode::OK, &json!({ "approved": approved }))
}

/// What a request approves.
#[derive(Debug, PartialEq, Eq)]
enum Approval {
    All,
    Tags(Vec<String>),
}

impl Approval {
    const USAGE: &str = "write ?tag=NAME, which may repeat, or ?all=true";

    /// # Errors
    /// What is wrong with the query.
    fn parse(query: &str) -> Result<Approval, String> {
        let (mut tags, mut all) = (Vec::new(), false);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').unwrap_or((pair, "")) {
                ("all", "true") => all = true,
                ("all", value) => return Err(format!("all={value} means nothing: {}", Self::USAGE)),
                ("tag", "") => return Err(format!("tag has no name: {}", Self::USAGE)),
                ("tag", name) => tags.push(name.to_owned()),
                (other, _) => return Err(format!("there is no parameter `{other}`: {}", Self::USAGE)),
            }
        }
        match (all, tags.is_empty()) {
            (true, true) => Ok(Approval::All),
            (false, false) => Ok(Approval::Tags(tags)),
            (true, false) => Err(format!("all and tag exclude each other: {}", Self::USAGE)),
            (false, true) => Err(format!("it has to be said what is approved: {}", Self::USAGE)),
        }
    }
}

fn refused(status: StatusCode, error: &str) -> Response {
    json_page(status, &json!({ "error": error }))
}
