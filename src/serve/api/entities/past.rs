//! The profile of an entity at a past instant: its tags of now, with the changes since undone.

use std::sync::Arc;

use serde_json::Value as Json;

use super::profile::{Profile, ProfileTag};
use super::{find, unknown};
use crate::catalog::TagId;
use crate::codec::value_document;
use crate::model::{EntityKindId, Timestamp};
use crate::serve::api::answer::{catch_up, read};
use crate::serve::api::context::{ApiContext, AsOf};
use crate::serve::api::problem::ApiError;
use crate::serve::audience::PastError;
use crate::serve::history::HistoryView;
use crate::serve::replica::ReplicaView;

const NOT_KNOWN: &[&str] = &["last_seen", "attributes", "counters", "next"];

/// The profile of an entity as it was.
///
/// # Errors
/// The entity is not known, or was not known then; there is no history, or it does not reach back; the instant is in the
/// future.
pub(in crate::serve) async fn past_profile(
    context: &ApiContext,
    view: Arc<ReplicaView>,
    kind: EntityKindId,
    key: String,
    instant: Timestamp,
) -> Result<Profile, ApiError> {
    // The history has to have what the view has.
    catch_up(context).await?;
    read(context, move |history| Profile::at(&view, kind, &key, instant, history)).await
}

impl Profile {
    fn at(
        view: &ReplicaView,
        kind: EntityKindId,
        key: &str,
        instant: Timestamp,
        history: &HistoryView<'_>,
    ) -> Result<Self, ApiError> {
        let (partition, number) = find(view, kind, key)?;
        let clock = partition.standing.clock().unwrap_or(Timestamp::MIN);
        if instant > clock {
            return Err(PastError::Future { asked: instant, clock }.into());
        }
        let (state, _) = partition.state(number).ok_or_else(unknown)?;
        let mut reader = partition.reader();
        reader.open(state);
        let catalog = &view.compiled.catalog;
        let name = &catalog.entity(kind).name;
        let undone = history.undo_entity(name, key, instant)?;
        let mut tags = Vec::new();
        for (id, tag) in (0..).map(TagId).zip(&catalog.tags).filter(|(_, tag)| tag.entity == kind) {
            tags.extend(match (undone.get(&*tag.name), reader.tag(id)) {
                (Some(past), _) => {
                    let value: Json = serde_json::from_str(&past.value).unwrap_or_default();
                    (!value.is_null()).then(|| ProfileTag::of(tag, value, past.since))
                }
                (None, Some(now)) => {
                    Some(ProfileTag::of(tag, value_document(now.value.to_value().as_ref()), Some(now.since)))
                }
                (None, None) => None,
            });
        }
        let first_seen = reader.first_seen().filter(|first| *first <= instant);
        if first_seen.is_none() && tags.is_empty() {
            return Err(ApiError::Unknown(format!("no {name} with this key was known at {instant}")));
        }
        Ok(Profile {
            entity: name.to_string(),
            key: key.to_owned(),
            as_of: AsOf::at(view, Some(instant)),
            clock: Some(clock.to_string()),
            first_seen: first_seen.map(|first| first.to_string()),
            last_seen: None,
            tags,
            attributes: None,
            counters: None,
            next: None,
            not_known: NOT_KNOWN,
        })
    }
}
