//! A manual tag is set or removed, an entity is erased: commands that go to the input topic.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tokio::sync::oneshot;
use utoipa::ToSchema;

use crate::catalog::{Tag, TagDefinition, parse_duration};
use crate::codec::{CommandAction, NewCommand, write_command};
use crate::kafka::WrittenRecord;
use crate::model::{EntityKindId, Timestamp};
use crate::serve::access::{AuditEntry, Caller};
use crate::serve::api::context::ApiContext;
use crate::serve::api::problem::{
    ApiError, BodyTooLarge, NoSuchKind, ProblemDocument, StateBeingRead, WrongParameter, WrongParameterOrBody,
};
use crate::serve::api::request::{Body, Parameters, kind};
use crate::serve::history::Erasure;
use crate::serve::replica::ReplicaView;

const WAIT_DEFAULT: &str = "5s";
const WAIT_MAX: &str = "60s";
const LOOK: Duration = Duration::from_millis(20);
/// How long the history may take to erase before it goes on by itself.
const ERASE_MAX: Duration = Duration::from_secs(10);
/// A command that is not seen by then was lost with the server that waited for it.
const ERASE_AFTER_MAX: Duration = Duration::from_secs(600);
const KEY_BYTES_MAX: usize = 256;
const NOTE_BYTES_MAX: usize = 1_000;

/// How a tag is set.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetTag {
    /// true, false, a number or a text; true without it.
    #[schema(value_type = Option<Value>)]
    pub value: Option<Json>,
    /// How long it stays, such as `30d`; the tag's own validity without it.
    pub valid_for: Option<String>,
    /// Why, for the audit log and the record.
    pub note: Option<String>,
}

/// A command was written.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CommandAnswer {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    /// Whether the state shows it; null where nobody waited.
    pub applied: Option<bool>,
}

/// Whose tags are changed, as a request says it.
struct Addressed {
    kind: EntityKindId,
    entity: String,
    key: String,
}

impl Addressed {
    fn read(view: &ReplicaView, entity: String, key: String) -> Result<Self, ApiError> {
        let kind = kind(view, &entity)?;
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            return Err(ApiError::Wrong(format!("a key has 1 to {KEY_BYTES_MAX} bytes")));
        }
        if view.compiled.catalog.entities[usize::from(kind.0)].key.is_some() {
            let why = "a command needs the key of a user: only users can be erased and have their tags set here";
            return Err(ApiError::Wrong(why.to_owned()));
        }
        Ok(Addressed { kind, entity, key })
    }
}

/// Sets a manual tag of a user, whether the user is known or not.
#[utoipa::path(
    put, path = "/v1/entities/{kind}/{key}/tags/{tag}", tag = "entities", request_body = SetTag,
    params(
        ("kind" = String, Path, description = "The kind of entity"),
        ("key" = String, Path, description = "The key"),
        ("tag" = String, Path, description = "A manual tag"),
        ("wait" = Option<String>, Query, pattern = r"^[0-9]+(ms|s|m|h|d|w)$", description = "Answer when the state shows it, or after this long, such as 5s; at most 60s"),
    ),
    responses(
        (status = 202, description = "The command was written", body = CommandAnswer),
        WrongParameterOrBody,
        (status = 404, description = "No such kind of entity, or no such manual tag", body = ProblemDocument, content_type = "application/problem+json"),
        BodyTooLarge, StateBeingRead,
    )
)]
pub(in crate::serve::api) async fn set_tag(
    State(context): State<ApiContext>,
    Extension(caller): Extension<Caller>,
    Path((entity, key, tag)): Path<(String, String, String)>,
    mut parameters: Parameters,
    body: Body,
) -> Result<Response, ApiError> {
    let wait = wait(&mut parameters)?;
    parameters.end()?;
    let mut asked: SetTag = if body.0.is_empty() { SetTag::default() } else { body.json()? };
    let note = asked.note.take();
    let request = CommandRequest { caller: &caller, entity, key, note, wait };
    Ok(accepted(&request.set_tag(&context, &tag, asked).await?))
}

/// Removes a manual tag of an entity.
#[utoipa::path(
    delete, path = "/v1/entities/{kind}/{key}/tags/{tag}", tag = "entities",
    params(
        ("kind" = String, Path, description = "The kind of entity"),
        ("key" = String, Path, description = "The key"),
        ("tag" = String, Path, description = "A manual tag"),
        ("note" = Option<String>, Query, description = "Why, for the audit log and the record"),
        ("wait" = Option<String>, Query, pattern = r"^[0-9]+(ms|s|m|h|d|w)$", description = "Answer when the state shows it, or after this long, such as 5s; at most 60s"),
    ),
    responses(
        (status = 202, description = "The command was written", body = CommandAnswer),
        WrongParameter,
        (status = 404, description = "No such kind of entity, or no such manual tag", body = ProblemDocument, content_type = "application/problem+json"),
        StateBeingRead,
    )
)]
pub(in crate::serve::api) async fn remove_tag(
    State(context): State<ApiContext>,
    Extension(caller): Extension<Caller>,
    Path((entity, key, tag)): Path<(String, String, String)>,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    let (wait, note) = (wait(&mut parameters)?, parameters.one("note")?);
    parameters.end()?;
    let request = CommandRequest { caller: &caller, entity, key, note, wait };
    Ok(accepted(&request.remove_tag(&context, &tag).await?))
}

/// Erases an entity: its state, its tags, and its history here.
#[utoipa::path(
    delete, path = "/v1/entities/{kind}/{key}", tag = "entities",
    params(
        ("kind" = String, Path, description = "The kind of entity"),
        ("key" = String, Path, description = "The key"),
        ("note" = Option<String>, Query, description = "Why, for the audit log and the record"),
        ("wait" = Option<String>, Query, pattern = r"^[0-9]+(ms|s|m|h|d|w)$", description = "Answer when everything is erased, or after this long, such as 5s; at most 60s"),
    ),
    responses(
        (status = 202, description = "The command was written", body = CommandAnswer),
        WrongParameter, NoSuchKind, StateBeingRead,
    )
)]
pub(in crate::serve::api) async fn erase(
    State(context): State<ApiContext>,
    Extension(caller): Extension<Caller>,
    Path((entity, key)): Path<(String, String)>,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    let (wait, note) = (wait(&mut parameters)?, parameters.one("note")?);
    parameters.end()?;
    let request = CommandRequest { caller: &caller, entity, key, note, wait };
    Ok(accepted(&request.erase(&context).await?))
}

/// Who asks for a command, of which entity, why, and how long to wait until the state shows it.
pub(in crate::serve) struct CommandRequest<'c> {
    pub caller: &'c Caller,
    pub entity: String,
    pub key: String,
    pub note: Option<String>,
    pub wait: Option<Duration>,
}

/// A command whose entity has been found to be one that can have commands.
struct AdmittedCommand<'c> {
    context: &'c ApiContext,
    view: Arc<ReplicaView>,
    whose: Addressed,
    caller: &'c Caller,
    note: Option<String>,
    wait: Option<Duration>,
}

impl<'c> CommandRequest<'c> {
    fn admit(self, context: &'c ApiContext) -> Result<AdmittedCommand<'c>, ApiError> {
        let CommandRequest { caller, entity, key, note, wait } = self;
        let view = context.view(None)?;
        let whose = Addressed::read(&view, entity, key)?;
        Ok(AdmittedCommand { context, view, whose, caller, note, wait })
    }

    /// Sets a manual tag.
    pub(in crate::serve) async fn set_tag(
        self,
        context: &'c ApiContext,
        tag: &str,
        asked: SetTag,
    ) -> Result<CommandAnswer, ApiError> {
        let command = self.admit(context)?;
        command.check_manual(tag)?;
        let value = asked.value.unwrap_or(Json::Bool(true));
        if !(value.is_boolean() || value.is_number() || value.is_string()) {
            return Err(ApiError::Wrong("value is true, false, a number or a text".to_owned()));
        }
        if let Some(valid_for) = &asked.valid_for
            && !parse_duration(valid_for).is_ok_and(|ms| ms > 0)
        {
            let why = "is not a duration with its unit, such as 30d";
            return Err(ApiError::Wrong(format!("valid_for: `{valid_for}` {why}")));
        }
        let action = CommandAction::SetTag { tag, value: &value, valid_for: asked.valid_for.as_deref() };
        let (written, at) =
            command.write(action, AuditEntry { action: "tag.set", tag, ..AuditEntry::default() }).await?;
        Ok(command.answer(written, at).await)
    }

    /// Removes a manual tag.
    pub(in crate::serve) async fn remove_tag(
        self,
        context: &'c ApiContext,
        tag: &str,
    ) -> Result<CommandAnswer, ApiError> {
        let command = self.admit(context)?;
        command.check_manual(tag)?;
        let audit = AuditEntry { action: "tag.remove", tag, ..AuditEntry::default() };
        let (written, at) = command.write(CommandAction::RemoveTag { tag }, audit).await?;
        Ok(command.answer(written, at).await)
    }

    /// Erases the entity, in the history here too.
    pub(in crate::serve) async fn erase(self, context: &'c ApiContext) -> Result<CommandAnswer, ApiError> {
        let command = self.admit(context)?;
        let audit = AuditEntry { action: "erase", ..AuditEntry::default() };
        let (written, at) = command.write(CommandAction::Erase, audit).await?;
        // What is stored now is erased now; what its last events still bring, when the command has been applied. Should the
        // process end before, the history is compared with the state after the next start.
        let AdmittedCommand { whose, wait, .. } = command;
        let (task, record) = (context.clone(), written.clone());
        let done = tokio::spawn(async move { erase_here(&task, &whose, &record, at).await });
        let mut document = document(written);
        if let Some(wait) = wait {
            document.applied = Some(matches!(tokio::time::timeout(wait, done).await, Ok(Ok(true))));
        }
        Ok(document)
    }
}

impl AdmittedCommand<'_> {
    /// Refuses a tag that no command sets.
    fn check_manual(&self, name: &str) -> Result<(), ApiError> {
        let kind = self.whose.kind;
        let is_manual = |tag: &&Tag| tag.entity == kind && matches!(tag.definition, TagDefinition::Manual { .. });
        let mut manual = self.view.compiled.catalog.tags.iter().filter(is_manual);
        if manual.any(|tag| *tag.name == *name) {
            return Ok(());
        }
        Err(ApiError::Unknown(format!("there is no manual tag `{name}` of this kind of entity")))
    }

    /// Writes the command, and its line in the audit log before it.
    async fn write(
        &self,
        action: CommandAction<'_>,
        audit: AuditEntry<'_>,
    ) -> Result<(WrittenRecord, Timestamp), ApiError> {
        let AdmittedCommand { context, view, whose, caller, note, .. } = self;
        let note = note.as_deref();
        if note.is_some_and(|note| note.len() > NOTE_BYTES_MAX) {
            return Err(ApiError::Wrong(format!("a note has at most {NOTE_BYTES_MAX} bytes")));
        }
        let records = context.records();
        let (at, id) = (records.clock.now(), random_id()?);
        let Addressed { kind, entity, key } = whose;
        let command = NewCommand { kind: *kind, key, at, id: &id, action, by: &caller.name, note };
        let record = write_command(&view.compiled.catalog, &command).ok_or_else(|| {
            let why = "`input` of the catalog reads `type` from the record's key first, where a command has the entity's \
                       key, or a field from headers only, of which a command has none";
            ApiError::Wrong(format!("no command can be written: {why}"))
        })?;
        context.record(&AuditEntry {
            caller: &caller.name,
            entity,
            key,
            note: note.unwrap_or_default(),
            detail: &id,
            ..audit
        })?;
        let (sender, written) = oneshot::channel();
        let on_written = Box::new(|result| drop(sender.send(result)));
        records.sender.send(view.input_partition(*kind, key), key, &record, on_written);
        let failed = |why: &dyn std::fmt::Display| ApiError::Failed(format!("the command cannot be written: {why}"));
        match written.await {
            Ok(Ok(written)) => Ok((written, at)),
            Ok(Err(error)) => Err(failed(&error)),
            Err(error) => Err(failed(&error)),
        }
    }

    /// The answer, when the state shows the command, or the time is over.
    async fn answer(&self, written: WrittenRecord, at: Timestamp) -> CommandAnswer {
        let applied = match self.wait {
            None => None,
            Some(wait) => Some(await_applied(self.context, self.whose.kind, &written, at, wait).await),
        };
        CommandAnswer { applied, ..document(written) }
    }
}

/// Erases an entity's history, now and when the command has been applied; whether it was.
async fn erase_here(context: &ApiContext, whose: &Addressed, written: &WrittenRecord, at: Timestamp) -> bool {
    let Addressed { kind, entity, key } = whose;
    let erasure = || vec![Erasure { kind: entity.clone(), key: key.clone(), until: at }];
    if let Some(history) = context.history() {
        history.erase(erasure(), ERASE_MAX).await;
    }
    let is_applied = await_applied(context, *kind, written, at, ERASE_AFTER_MAX).await;
    let Some(history) = context.history() else { return is_applied };
    history.catch_up(ERASE_MAX).await && history.erase(erasure(), ERASE_MAX).await && is_applied
}

fn wait(parameters: &mut Parameters) -> Result<Option<Duration>, ApiError> {
    if !parameters.has("wait") {
        return Ok(None);
    }
    let ms = parameters.duration_ms("wait", WAIT_DEFAULT, WAIT_MAX)?;
    Ok(Some(Duration::from_millis(ms.unsigned_abs())))
}

fn random_id() -> Result<String, ApiError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::Failed(format!("no random numbers: {error}")))?;
    Ok(format!("{:032x}", u128::from_le_bytes(bytes)))
}

fn document(written: WrittenRecord) -> CommandAnswer {
    let WrittenRecord { topic, partition, offset } = written;
    CommandAnswer { topic, partition, offset, applied: None }
}

fn accepted(document: &CommandAnswer) -> Response {
    (StatusCode::ACCEPTED, axum::Json(document)).into_response()
}

/// Waits until the state shows a command; whether it does.
async fn await_applied(
    context: &ApiContext,
    kind: EntityKindId,
    written: &WrittenRecord,
    at: Timestamp,
    wait: Duration,
) -> bool {
    let until = Instant::now() + wait;
    loop {
        if context.view(None).is_ok_and(|view| view.has_applied(kind, written.partition, written.offset, at)) {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        tokio::time::sleep(LOOK).await;
    }
}
