//! Changes as they come, as server-sent events.
//!
//! A reader keeps no place here: it reads the store behind the row that it had last. So a slow reader costs nothing but its
//! own reading; one that falls too far behind is told and dropped, and comes back with its last id.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::ToSchema;

use crate::serve::access::Caller;
use crate::serve::api::answer::{history, read};
use crate::serve::api::context::ApiContext;
use crate::serve::api::problem::{ApiError, ProblemDocument, StateBeingRead, WrongExpression, WrongParameter};
use crate::serve::api::request::{Parameters, kind};
use crate::serve::audience::Audience;
use crate::serve::history::StoredChange;
use crate::serve::replica::ReplicaView;

/// Changes that are read at a time.
const PAGE: usize = 500;
/// Events that wait for a reader.
const WAITING_MAX: usize = 1_000;
/// A reader that takes nothing for so long is dropped.
const STUCK_AFTER: Duration = Duration::from_secs(30);
/// A reader that is further behind is told, and goes on from now.
const BEHIND_MAX: i64 = 1_000_000;
const LAST_EVENT_ID: &str = "last-event-id";

/// An event, field by field.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only described: axum writes the fields")]
struct LiveEvent {
    /// `change`, `skipped` or `dropped`.
    event: String,
    /// Of a change, for `Last-Event-ID`.
    id: Option<String>,
    /// A tag change as the topic has it, or a text.
    data: String,
}

/// Which changes a reader wants.
#[derive(Clone, Debug, Default)]
pub(in crate::serve) struct LiveFilter {
    /// Empty: of all tags.
    tags: BTreeSet<String>,
    /// Only of entities for which this holds at present, and of its kind.
    condition: Option<(String, String)>,
}

/// The changes from now on, or behind the one with the id in `Last-Event-ID`.
#[utoipa::path(
    get, path = "/v1/changes", tag = "tags",
    params(
        ("tag" = Option<Vec<String>>, Query, description = "Only changes of these tags; may repeat"),
        ("where" = Option<String>, Query, description = "Only of entities for which this expression holds when the change is read"),
        ("entity" = Option<String>, Query, description = "The kind of entity of `where`; user without it"),
        ("after" = Option<i64>, Query, description = "The id of the last event that was read, where the header cannot be sent"),
        ("Last-Event-ID" = Option<i64>, Header, description = "The id of the last event that was read"),
    ),
    responses(
        (status = 200, description = "Events `change`, each a tag change as the topic has it; `skipped`, where changes are left out; \
            `dropped` before a slow reader is dropped", content_type = "text/event-stream", body = LiveEvent),
        WrongParameter,
        (status = 404, description = "There is no history, or no such kind", body = ProblemDocument, content_type = "application/problem+json"),
        WrongExpression, StateBeingRead,
    )
)]
pub(in crate::serve::api) async fn live(
    State(context): State<ApiContext>,
    Extension(caller): Extension<Caller>,
    mut parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let filter = LiveFilter::read(&context, &mut parameters)?;
    let after = after(&headers, &mut parameters)?;
    parameters.end()?;
    stream(&context, &caller, filter, after, |change| serde_json::to_string(change).ok())
}

/// The id of the last event that a reader has had.
pub(in crate::serve) fn after(headers: &HeaderMap, parameters: &mut Parameters) -> Result<Option<i64>, ApiError> {
    let wrong = || ApiError::Wrong("Last-Event-ID, or `after`, is not an id of this server's events".to_owned());
    let given = parameters.one("after")?.map(|id| id.parse().map_err(|_| wrong())).transpose()?;
    // A browser that comes back sends the header, and the address with which it came first.
    match headers.get(LAST_EVENT_ID) {
        Some(id) => Ok(Some(id.to_str().ok().and_then(|id| id.parse().ok()).ok_or_else(wrong)?)),
        None => Ok(given),
    }
}

/// Changes from now on, or behind the one with an id, each written as the data of an event.
///
/// # Errors
/// There is no history, too many follow already, or it cannot be noted who follows.
pub(in crate::serve) fn stream(
    context: &ApiContext,
    caller: &Caller,
    filter: LiveFilter,
    after: Option<i64>,
    write: impl Fn(&StoredChange) -> Option<String> + Send + 'static,
) -> Result<Response, ApiError> {
    // A reader holds its place for as long as it reads.
    let busy = || ApiError::NotReady(vec!["as many readers as may follow the changes do; come back later".to_owned()]);
    let newest = history(context)?.status().last_row;
    let permit = context.readers().try_acquire_owned().map_err(|_| busy())?;
    filter.note(context, caller)?;
    let (sender, events) = mpsc::channel(WAITING_MAX);
    let context = context.clone();
    tokio::spawn(async move {
        let skipped = after.is_some_and(|row| row > newest || newest.saturating_sub(row) > BEHIND_MAX);
        if skipped {
            let told =
                Event::default().event("skipped").id(newest.to_string()).data("changes are left out: they are too old");
            let _ = sender.send(Ok(told)).await;
        }
        let from = after.filter(|_| !skipped).unwrap_or(newest);
        // The reader has gone, or the history cannot be read.
        let _ = follow(&context, filter, from, &sender, write).await;
        drop(permit);
    });
    let events = Sse::new(ReceiverStream::new(events)).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)));
    Ok(events.into_response())
}

fn audience(view: &ReplicaView, entity: &str, text: &str) -> Result<Audience, ApiError> {
    Audience::parse(&view.compiled, kind(view, entity)?, text)
        .map_err(|problems| ApiError::Expression("where".to_owned(), problems))
}

type Sender = mpsc::Sender<Result<Event, Infallible>>;

/// Sends what comes behind a row, until the reader has gone.
async fn follow(
    context: &ApiContext,
    filter: LiveFilter,
    mut last: i64,
    sender: &Sender,
    write: impl Fn(&StoredChange) -> Option<String>,
) -> Result<(), ApiError> {
    let mut status = history(context)?.watch();
    loop {
        while status.borrow_and_update().last_row > last {
            let (changes, read_to) = read(context, move |view| Ok(view.changes_after(last, PAGE)?)).await?;
            for change in changes.iter().filter(|change| filter.wants(context, change)) {
                let Some(data) = write(change) else { continue };
                let event = Event::default().event("change").id(change.row.to_string()).data(data);
                if sender.send_timeout(Ok(event), STUCK_AFTER).await.is_err() {
                    let told = Event::default().event("dropped").data("too slow; come back with Last-Event-ID");
                    let _ = sender.try_send(Ok(told));
                    return Ok(());
                }
            }
            if read_to == last {
                break;
            }
            last = read_to;
        }
        tokio::select! {
            changed = status.changed() => if changed.is_err() { return Ok(()) },
            () = sender.closed() => return Ok(()),
        }
    }
}

impl LiveFilter {
    /// Takes `tag`, `where` and `entity`.
    ///
    /// # Errors
    /// The expression has errors, or there is no such kind of entity.
    pub(in crate::serve) fn read(context: &ApiContext, parameters: &mut Parameters) -> Result<Self, ApiError> {
        let tags: BTreeSet<String> = parameters.all("tag").into_iter().collect();
        let (condition, entity) = (parameters.one("where")?, parameters.one("entity")?);
        LiveFilter::of(context, tags, condition, entity)
    }

    pub(in crate::serve) fn of(
        context: &ApiContext,
        tags: BTreeSet<String>,
        condition: Option<String>,
        entity: Option<String>,
    ) -> Result<Self, ApiError> {
        let condition = condition.map(|condition| (entity.unwrap_or_else(|| "user".to_owned()), condition));
        if let Some((entity, text)) = &condition {
            let view = context.view(None)?;
            audience(&view, entity, text)?;
        }
        Ok(LiveFilter { tags, condition })
    }

    /// Notes that somebody looks at the changes that pass.
    pub(in crate::serve) fn note(&self, context: &ApiContext, caller: &Caller) -> Result<(), ApiError> {
        let (entity, text) = self.condition.as_ref().map_or(("", "true"), |(entity, text)| (entity, text));
        context.note_keys(caller, "live", entity, text)
    }

    pub(in crate::serve) fn wants(&self, context: &ApiContext, change: &StoredChange) -> bool {
        if !self.tags.is_empty() && !self.tags.contains(&change.tag) {
            return false;
        }
        let Some((entity, text)) = &self.condition else { return true };
        let Ok(view) = context.view(None) else { return false };
        // The catalog may be another one by now.
        let Ok(audience) = audience(&view, entity, text) else { return false };
        *entity == change.entity && audience.holds_for(&view, &change.key)
    }
}
