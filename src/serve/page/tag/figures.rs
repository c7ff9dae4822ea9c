//! What a tag's page shows: the tag in one view, and what the history knows of it.

use std::sync::Arc;

use crate::catalog::{Tag, TagId};
use crate::model::HOUR_MS;
use crate::serve::api::{ApiContext, ApiError, FiguresAnswer, SeriesSteps, TagDocument, TagFlow, read, tag};
use crate::serve::page::overview::{HistoryReach, await_history, no_history};
use crate::serve::replica::ReplicaView;

const DAYS: SeriesSteps = SeriesSteps { since_ms: 30 * 24 * HOUR_MS, step_ms: 24 * HOUR_MS };
const HOURS: SeriesSteps = SeriesSteps { since_ms: 48 * HOUR_MS, step_ms: HOUR_MS };

/// Members that are shown.
const MEMBERS: usize = 20;

/// A tag of a view.
pub(super) struct TagFacts {
    pub document: TagDocument,
    /// All entities of its kind.
    pub of: u64,
    /// As the file defines it.
    pub written: String,
    /// The expression of those who have it.
    pub condition: String,
    /// Some of them.
    pub members: Vec<String>,
    pub history: Result<TagHistory, HistoryReach>,
}

/// What the history knows of a tag.
pub(super) struct TagHistory {
    pub figures: FiguresAnswer,
    pub hours: TagFlow,
}

impl TagFacts {
    pub(super) async fn of(api: &ApiContext, view: &Arc<ReplicaView>, name: &str) -> Result<Self, ApiError> {
        let (id, found) = tag(view, name)?;
        let document = TagDocument::of(view, id, found);
        let history = match history(api, view, &document).await {
            Ok(history) => Ok(history),
            Err(error) => Err(no_history(error)?),
        };
        Ok(TagFacts {
            of: view.of(found.entity).map(|partition| partition.entities()).sum(),
            written: view.compiled.catalog.written(found),
            condition: condition(&document),
            members: members(view, id, found),
            history,
            document,
        })
    }
}

/// The expression of those who have a tag.
fn condition(document: &TagDocument) -> String {
    match document.form.as_str() {
        "when" => format!("tag.{}", document.tag),
        _ => format!("has(tag.{})", document.tag),
    }
}

fn members(view: &ReplicaView, id: TagId, tag: &Tag) -> Vec<String> {
    let in_partition = view.of(tag.entity).flat_map(|partition| {
        let mut reader = partition.reader();
        let states = partition.with_tag(id).iter().take(MEMBERS).filter_map(|number| partition.state(number));
        let keys: Vec<String> = states
            .map(|(state, _)| {
                reader.open(state);
                reader.key().to_owned()
            })
            .collect();
        keys
    });
    in_partition.take(MEMBERS).collect()
}

async fn history(api: &ApiContext, view: &Arc<ReplicaView>, document: &TagDocument) -> Result<TagHistory, ApiError> {
    await_history(api).await?;
    let (view, entity, tag, size) = (Arc::clone(view), document.entity.clone(), document.tag.clone(), document.size);
    read(api, move |history| {
        let figures = FiguresAnswer::of(history, &view, &tag, DAYS)?;
        let hours = TagFlow::of(history, &view, (&entity, &tag), size, HOURS)?;
        Ok(TagHistory { figures, hours })
    })
    .await
}
