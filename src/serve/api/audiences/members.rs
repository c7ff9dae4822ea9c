//! Who is in an audience: in pages with a cursor, or all of them as NDJSON or CSV, streamed.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body as ResponseBody, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::ToSchema;

use super::size::{Asked, as_of};
use crate::codec::value_document;
use crate::engine::StateReader;
use crate::model::{Timestamp, Value};
use crate::serve::access::Caller;
use crate::serve::api::answer::{at, json};
use crate::serve::api::context::{ApiContext, AsOf};
use crate::serve::api::problem::{
    ApiError, BodyTooLarge, NoSuchKind, StateBeingRead, ViewGone, WrongExpressions, WrongParameterOrBody,
};
use crate::serve::api::request::{Body, Parameters};
use crate::serve::audience::{Column, DimensionError, Member, PastError, Selection, ViewAt};
use crate::serve::replica::{EntityNumber, PartitionView};

/// Members of a page.
const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1_000;
const COLUMNS_MAX: usize = 50;
/// A streamed piece has about this size, and so many of them wait for a slow reader.
const PIECE_BYTES: usize = 64 << 10;
const PIECES_WAITING: usize = 4;
/// A reader that takes no piece for this long is gone: others wait for its place.
const PIECE_MAX: Duration = Duration::from_secs(30);

/// Which members, and what of them.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MembersQuestion {
    /// As in `/v1/audiences`.
    #[serde(rename = "where")]
    pub condition: Option<String>,
    pub entity: Option<String>,
    /// Expressions whose values are given for each member; the key alone without them, at most 50.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub columns: Vec<String>,
    /// Members of a page; 100 without it, at most 1,000. A stream has all of them.
    pub limit: Option<usize>,
    /// A past instant, such as `2026-03-01T00:00:00Z`: then tags are as they were, from the history, and only expressions
    /// over tags are answered.
    #[schema(format = DateTime)]
    pub as_of: Option<String>,
    /// The cursor of the page before.
    pub cursor: Option<String>,
    /// A pinned view to answer from; a cursor has its own.
    pub view: Option<u64>,
}

/// A page of members.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MembersAnswer {
    pub entity: String,
    pub as_of: AsOf,
    /// The size of the whole audience.
    pub size: u64,
    /// For each member its key, and the values of the columns by their texts.
    #[schema(value_type = Vec<Object>)]
    pub members: Vec<Json>,
    /// For the next page, which is of the same instant; null where this is the last one. It is kept for a minute.
    pub cursor: Option<String>,
}

/// The place of the next page: the view, the partition's place, and the first number; where it is a list of the past, its
/// instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) struct Cursor {
    pub view: u64,
    pub from: (usize, EntityNumber),
    pub instant: Option<Timestamp>,
}

impl Cursor {
    pub(in crate::serve) fn parse(text: &str) -> Result<Self, ApiError> {
        let parts: Option<Vec<u64>> = text.split('-').map(|part| part.parse().ok()).collect();
        match parts.as_deref() {
            Some([view, part, number, instant @ ..]) if instant.len() <= 1 => {
                let number = u32::try_from(*number).map_err(|_| ApiError::wrong_cursor())?;
                let part = usize::try_from(*part).map_err(|_| ApiError::wrong_cursor())?;
                let instant = instant.first().map(|ms| Timestamp::from_ms(ms.cast_signed()));
                Ok(Cursor { view: *view, from: (part, number), instant })
            }
            _ => Err(ApiError::wrong_cursor()),
        }
    }

    fn text(self) -> String {
        let instant = self.instant.map(|instant| format!("-{}", instant.ms().cast_unsigned())).unwrap_or_default();
        format!("{}-{}-{}{instant}", self.view, self.from.0, self.from.1)
    }
}

/// Reads the values of members; the reader is kept as long as the partition is the same.
struct MemberReader<'c> {
    columns: &'c [Column],
    reader: Option<(Arc<PartitionView>, StateReader)>,
}

impl<'c> MemberReader<'c> {
    fn new(columns: &'c [Column]) -> Self {
        MemberReader { columns, reader: None }
    }

    fn values(&mut self, member: &Member<'_>) -> Vec<Option<Value>> {
        let is_open = self.reader.as_ref().is_some_and(|(of, _)| Arc::ptr_eq(of, member.partition));
        if !is_open {
            self.reader = Some((Arc::clone(member.partition), member.partition.reader()));
        }
        match &mut self.reader {
            Some((_, reader)) if !self.columns.is_empty() => Column::values(self.columns, member, reader),
            _ => Vec::new(),
        }
    }

    fn document(&mut self, member: &Member<'_>) -> Json {
        let mut document = Map::from_iter([("key".to_owned(), Json::from(member.key()))]);
        for (column, value) in self.columns.iter().zip(self.values(member)) {
            document.insert(column.text.clone(), value_document(value.as_ref()));
        }
        Json::Object(document)
    }
}

/// What a reader accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub(in crate::serve) enum MembersFormat {
    #[schema(rename = "json")]
    Page,
    Ndjson,
    Csv,
}

impl MembersFormat {
    fn of(headers: &HeaderMap, parameters: &mut Parameters) -> Result<Self, ApiError> {
        match parameters.one("format")?.as_deref() {
            Some("json") => return Ok(MembersFormat::Page),
            Some("ndjson") => return Ok(MembersFormat::Ndjson),
            Some("csv") => return Ok(MembersFormat::Csv),
            Some(other) => return Err(ApiError::Wrong(format!("format={other} is none of json, ndjson, csv"))),
            None => {}
        }
        let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Ok(match accepted {
            text if text.contains("application/x-ndjson") => MembersFormat::Ndjson,
            text if text.contains("text/csv") => MembersFormat::Csv,
            _ => MembersFormat::Page,
        })
    }
}

/// What is given of each member.
pub(in crate::serve) fn columns(asked: &Asked, texts: &[String]) -> Result<Vec<Column>, ApiError> {
    if texts.len() > COLUMNS_MAX {
        return Err(ApiError::Wrong(format!("columns: at most {COLUMNS_MAX}")));
    }
    let column = |(at, text): (usize, &String)| {
        Column::parse(&asked.view.compiled, asked.kind, text)
            .map_err(|problems| ApiError::Expression(format!("columns[{at}]"), problems))
    };
    texts.iter().enumerate().map(column).collect()
}

/// The members of an audience: a page with a cursor, or all of them as NDJSON or CSV.
#[utoipa::path(
    post, path = "/v1/audiences/members", tag = "audiences", request_body = MembersQuestion,
    params(("format" = inline(Option<MembersFormat>), Query, description = "json (a page), ndjson or csv (all members, streamed); else as the header Accept says")),
    responses(
        (status = 200, description = "The members", content(
            (MembersAnswer = "application/json"), (String = "application/x-ndjson"), (String = "text/csv"),
        )),
        (status = 304, description = "The reader has this page already (If-None-Match)"),
        WrongParameterOrBody, NoSuchKind, ViewGone, BodyTooLarge, WrongExpressions, StateBeingRead,
    )
)]
pub(in crate::serve::api) async fn members(
    State(context): State<ApiContext>,
    Extension(caller): Extension<Caller>,
    mut parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let form = MembersFormat::of(&headers, &mut parameters)?;
    parameters.end()?;
    let question: MembersQuestion = body.json()?;
    let cursor = question.cursor.as_deref().map(Cursor::parse).transpose()?;
    let view = cursor.map(|cursor| cursor.view).or(question.view);
    let asked = Asked::read(&context, question.condition.as_deref(), question.entity.as_deref(), view)?;
    let columns = columns(&asked, &question.columns)?;
    let instant = match cursor {
        Some(cursor) => cursor.instant,
        None => as_of(question.as_of.as_deref())?,
    };
    if instant.is_some()
        && let Some(column) = columns.iter().find(|column| !column.has_past(&asked.view.compiled))
    {
        let no_past = DimensionError::NoPast { text: column.text.clone() };
        return Err(ApiError::Wrong(no_past.to_string()));
    }
    context.note_members(&caller, &asked.entity, question.condition.as_deref())?;
    let tags = asked.tags(columns.iter().filter_map(Column::tag));
    if form != MembersFormat::Page {
        return stream(&context, asked, instant, columns, form).await;
    }
    let from = cursor.map_or((0, 0), |cursor| cursor.from);
    let page = PageOf { from, limit: question.limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX) };
    let pinning = context.clone();
    let answer = at(&context, Arc::clone(&asked.view), instant, tags, move |view| {
        let answer = MembersAnswer::of(&asked, view, instant, &columns, page)?;
        if answer.cursor.is_some() {
            pinning.pin(&asked.view);
        }
        Ok(answer)
    });
    Ok(json(&headers, &answer.await?))
}

/// Which members of an audience a page has.
#[derive(Clone, Copy, Debug)]
pub(in crate::serve) struct PageOf {
    pub from: (usize, EntityNumber),
    pub limit: usize,
}

impl MembersAnswer {
    /// A page. Where there is a next one, the view has to be pinned.
    ///
    /// # Errors
    /// The audience has no past.
    pub(in crate::serve) fn of(
        asked: &Asked,
        view: &ViewAt,
        instant: Option<Timestamp>,
        columns: &[Column],
        page: PageOf,
    ) -> Result<Self, PastError> {
        let selection = view.select(&asked.audience)?;
        let mut reader = MemberReader::new(columns);
        let (mut members, mut next) = (Vec::with_capacity(page.limit), None);
        for member in selection.members(page.from) {
            if members.len() == page.limit {
                next = Some(Cursor { view: asked.view.number, from: (member.part, member.number), instant });
                break;
            }
            members.push(reader.document(&member));
        }
        let (as_of, size) = (AsOf::at(&asked.view, instant), selection.size());
        Ok(MembersAnswer { entity: asked.entity.clone(), as_of, size, members, cursor: next.map(Cursor::text) })
    }
}

/// Streams all members: a slow reader holds one view and one thread, and a few pieces of text.
///
/// # Errors
/// The audience has no past, or the history does not reach back.
pub(in crate::serve) async fn stream(
    context: &ApiContext,
    asked: Asked,
    instant: Option<Timestamp>,
    columns: Vec<Column>,
    form: MembersFormat,
) -> Result<Response, ApiError> {
    let tags = asked.tags(columns.iter().filter_map(Column::tag));
    let audience = asked.audience.clone();
    let selection = at(context, asked.view, instant, tags, move |view| Ok(view.select(&audience)?)).await?;
    let (sender, pieces) = mpsc::channel::<Result<Bytes, std::io::Error>>(PIECES_WAITING);
    let room = context.streams();
    tokio::spawn(async move {
        let Ok(permit) = room.acquire_owned().await else { return };
        tokio::task::spawn_blocking(move || {
            write_all(&selection, &columns, form, &Pieces(sender));
            drop(permit);
        });
    });
    let (content_type, name) = match form {
        MembersFormat::Csv => ("text/csv; charset=utf-8", "members.csv"),
        MembersFormat::Ndjson | MembersFormat::Page => ("application/x-ndjson", "members.ndjson"),
    };
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (CONTENT_TYPE, content_type.to_owned()),
        (CACHE_CONTROL, "private, no-store".to_owned()),
        (CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, ResponseBody::from_stream(ReceiverStream::new(pieces))).into_response())
}

/// The way to a reader.
struct Pieces(mpsc::Sender<Result<Bytes, std::io::Error>>);

impl Pieces {
    /// Waits until the reader takes a piece; whether it does.
    fn send(&self, piece: String) -> bool {
        let sent = tokio::time::timeout(PIECE_MAX, self.0.send(Ok(piece.into())));
        matches!(Handle::current().block_on(sent), Ok(Ok(())))
    }
}

/// Ends when the reader has gone.
fn write_all(selection: &Selection, columns: &[Column], form: MembersFormat, pieces: &Pieces) {
    let (mut reader, mut text) = (MemberReader::new(columns), String::new());
    if form == MembersFormat::Csv {
        let header = ["key"].into_iter().chain(columns.iter().map(|column| column.text.as_str()));
        put_row(header, &mut text);
    }
    for member in selection.members((0, 0)) {
        match form {
            MembersFormat::Csv => {
                let values = reader.values(&member);
                let values: Vec<String> = values.iter().map(|value| csv_value(value.as_ref())).collect();
                put_row([member.key()].into_iter().chain(values.iter().map(String::as_str)), &mut text);
            }
            MembersFormat::Ndjson | MembersFormat::Page => {
                text.push_str(&reader.document(&member).to_string());
                text.push('\n');
            }
        }
        if text.len() >= PIECE_BYTES && !pieces.send(std::mem::take(&mut text)) {
            return;
        }
    }
    if !text.is_empty() {
        // Where the reader has gone, nobody misses the rest.
        let _ = pieces.send(text);
    }
}

/// A value as CSV has it: empty where there is none.
fn csv_value(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => text.to_string(),
        Some(Value::Time(time)) => time.to_string(),
        Some(Value::Date(date)) => date.to_string(),
        value => value_document(value).to_string(),
    }
}

/// A row of CSV (RFC 4180).
fn put_row<'a>(fields: impl Iterator<Item = &'a str>, out: &mut String) {
    for (at, field) in fields.enumerate() {
        if at > 0 {
            out.push(',');
        }
        if field.contains([',', '"', '\n', '\r']) {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(field);
        }
    }
    out.push_str("\r\n");
}
