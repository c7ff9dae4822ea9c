//! What the overview shows: the tags of one view, and what the history knows of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{HOUR_MS, Timestamp};
use crate::serve::api::{ApiContext, ApiError, SeriesSteps, TagFlow, TagList, catch_up, read};
use crate::serve::replica::ReplicaView;

/// What a sparkline shows.
const TREND: SeriesSteps = SeriesSteps { since_ms: 7 * 24 * HOUR_MS, step_ms: 6 * HOUR_MS };

/// What the history has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::serve::page) enum HistoryReach {
    /// There is none.
    Off,
    /// It has not read what the view shows.
    Behind,
    /// From an instant on; `None`: from the first change.
    Since(Option<Timestamp>),
}

/// The tags of a view.
pub(super) struct OverviewFigures {
    pub list: TagList,
    /// By tag; empty where the history has nothing to say.
    pub moves: BTreeMap<String, TagFlow>,
    pub reach: HistoryReach,
}

/// Why the history does not answer, where that is no error of the question.
///
/// # Errors
/// It is another error.
pub(in crate::serve::page) fn no_history(error: ApiError) -> Result<HistoryReach, ApiError> {
    match error {
        ApiError::Unknown(_) => Ok(HistoryReach::Off),
        ApiError::NotReady(_) => Ok(HistoryReach::Behind),
        other => Err(other),
    }
}

impl OverviewFigures {
    pub(super) async fn of(api: &ApiContext, view: &Arc<ReplicaView>) -> Result<Self, ApiError> {
        let list = TagList::of(view);
        match moves(api, view, &list).await {
            Ok((moves, since)) => Ok(OverviewFigures { list, moves, reach: HistoryReach::Since(since) }),
            Err(error) => Ok(OverviewFigures { list, moves: BTreeMap::new(), reach: no_history(error)? }),
        }
    }
}

type Moves = (BTreeMap<String, TagFlow>, Option<Timestamp>);

/// Waits until the history has what the present view shows. While it reads what was before, nobody waits for it.
///
/// # Errors
/// There is none, or it has not read that far.
pub(in crate::serve::page) async fn await_history(api: &ApiContext) -> Result<(), ApiError> {
    match api.history().map(|history| history.status()) {
        Some(status) if !status.is_live => Err(ApiError::NotReady(status.trouble.into_iter().collect())),
        _ => catch_up(api).await,
    }
}

async fn moves(api: &ApiContext, view: &Arc<ReplicaView>, list: &TagList) -> Result<Moves, ApiError> {
    await_history(api).await?;
    let tags = list.tags.iter().map(|tag| (tag.entity.clone(), tag.tag.clone(), tag.size));
    let (tags, view): (Vec<_>, _) = (tags.collect(), Arc::clone(view));
    read(api, move |history| {
        let moves = tags.iter().map(|(entity, tag, size)| {
            let moves = TagFlow::of(history, &view, (entity, tag), *size, TREND)?;
            Ok((tag.clone(), moves))
        });
        Ok((moves.collect::<Result<_, ApiError>>()?, history.reaches()?))
    })
    .await
}
