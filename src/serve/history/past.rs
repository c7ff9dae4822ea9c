//! What tags were at a past instant: the changes after it, undone.
//!
//! Present values come from the replica. The first change of a tag after the instant tells what the tag was at the instant;
//! an entity without one had what it has now. So it is exact for every instant that the history reaches back to, also for
//! tags that were set before the history began.

use std::collections::{BTreeMap, HashMap};

use roaring::RoaringTreemap;

use super::entities::head;
use super::reader::HistoryView;
use super::row::PackedChange;
use super::store::HistoryError;
use crate::model::Timestamp;

impl HistoryView<'_> {
    /// Hands out every entity whose tag changed after an instant, with the value that it had at the instant, as JSON; null
    /// where it did not have it.
    ///
    /// # Errors
    /// Changes after the instant are missing, the store cannot be read, or the answer takes too long.
    pub fn undo(
        &self,
        (kind, tag): (&str, &str),
        instant: Timestamp,
        mut each: impl FnMut(&str, &str),
    ) -> Result<(), HistoryError> {
        self.check_reach(instant)?;
        let Some(tag) = self.tag(kind, tag)? else { return Ok(()) };
        let (mut seen, mut rows) = (RoaringTreemap::new(), 0);
        // Rows of an entity are in the order of its changes, from segment to segment and within each.
        for segment in self.segments.0.iter().filter(|segment| segment.last_at > instant) {
            let text = format!(
                "SELECT entity, packed FROM change_{} WHERE tag = ? AND at > ? ORDER BY tag, at, row",
                segment.id
            );
            let mut statement = self.connection.prepare_cached(&text)?;
            let mut found = statement.query((tag, instant.ms()))?;
            while let Some(row) = found.next()? {
                self.check_deadline(&mut rows)?;
                let entity: i64 = row.get(0)?;
                if seen.contains(entity.cast_unsigned()) {
                    continue;
                }
                let Some(packed) = PackedChange::unpack(row.get_ref(1)?.as_blob().unwrap_or_default()) else {
                    continue;
                };
                seen.insert(entity.cast_unsigned());
                if let Some((_, key)) = self.entity_name(entity)? {
                    each(&key, packed.previous);
                }
            }
        }
        Ok(())
    }

    /// Every tag of an entity that changed after an instant, as it was at the instant.
    ///
    /// # Errors
    /// Changes after the instant are missing, the store cannot be read, or the answer takes too long.
    pub fn undo_entity(
        &self,
        kind: &str,
        key: &str,
        instant: Timestamp,
    ) -> Result<BTreeMap<String, UndoneTag>, HistoryError> {
        self.check_reach(instant)?;
        let mut undone: HashMap<i64, UndoneTag> = HashMap::new();
        let Some(entity) = self.entity(kind, key)? else { return Ok(BTreeMap::new()) };
        let mut next = head(self.connection, entity)?.map_or(0, |head| head.row);
        let mut rows = 0;
        while let Some(segment) = self.segments.of(next) {
            self.check_deadline(&mut rows)?;
            let text = format!("SELECT before, at, tag, packed FROM change_{} WHERE row = ?", segment.id);
            let mut statement = self.connection.prepare_cached(&text)?;
            let mut found = statement.query([next])?;
            let Some(row) = found.next()? else { break };
            let at = Timestamp::from_ms(row.get(1)?);
            if at > instant {
                let packed = PackedChange::unpack(row.get_ref(3)?.as_blob().unwrap_or_default());
                let Some(packed) = packed else { break };
                undone.insert(row.get(2)?, UndoneTag { value: packed.previous.to_owned(), since: None });
            } else {
                // The latest change up to the instant says since when; it is looked for as long as one is wanted.
                if let Some(tag) = undone.get_mut(&row.get(2)?).filter(|tag| tag.lacks_since()) {
                    tag.since = Some(at);
                }
                if !undone.values().any(UndoneTag::lacks_since) {
                    break;
                }
            }
            next = row.get(0)?;
        }
        undone.into_iter().map(|(tag, of)| Ok((self.tag_name(tag)?, of))).collect()
    }
}

/// A tag at a past instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoneTag {
    /// As JSON; null where the entity did not have it.
    pub value: String,
    /// Since when it had this value; `None` where that is before the history.
    pub since: Option<Timestamp>,
}

impl UndoneTag {
    fn lacks_since(&self) -> bool {
        self.value != "null" && self.since.is_none()
    }
}
