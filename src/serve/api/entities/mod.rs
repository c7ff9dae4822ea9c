//! One entity: its profile, now or at a past instant, and why a tag is as it is.

mod profile;
mod past;
mod explained;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use explained::Explained;
pub(in crate::serve) use explained::explanations;
pub(in crate::serve::api) use explained::{__path_explain, explain};
pub(in crate::serve) use past::past_profile;
pub(in crate::serve::api) use profile::{__path_profile, profile};
pub use profile::{Profile, ProfileAttribute, ProfileChange, ProfileCounter, ProfileTag};

use super::problem::ApiError;
use crate::catalog::Tag;
use crate::engine::Partition;
use crate::model::EntityKindId;
use crate::serve::replica::{EntityNumber, PartitionView, ReplicaView};

/// Finds an entity, or says that it is not known.
fn find<'v>(
    view: &'v ReplicaView,
    kind: EntityKindId,
    key: &str,
) -> Result<(&'v Arc<PartitionView>, EntityNumber), ApiError> {
    let name = &view.compiled.catalog.entity(kind).name;
    view.find(kind, key).ok_or_else(|| ApiError::Unknown(format!("no {name} with this key is known")))
}

/// A partition in which a found entity is the only one.
fn alone(partition: &PartitionView, number: EntityNumber) -> Result<Partition, ApiError> {
    partition.alone(number).ok_or_else(unknown)
}

/// An entity that was found has gone.
fn unknown() -> ApiError {
    ApiError::Unknown("it is not known any more".to_owned())
}

/// The titles of a tag by language.
pub(in crate::serve) fn titles(tag: &Tag) -> BTreeMap<String, String> {
    tag.title.iter().map(|(language, text)| (language.to_string(), text.to_string())).collect()
}
