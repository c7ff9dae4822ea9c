//! A partition that begins anew beside a changelog whose state cannot be used: the operator has allowed it.
//!
//! The changelog is read all the same. Its segments count as dead, so that they leave it, and new ones are numbered
//! behind them; records that cannot be read are cleared in the first transaction. Nothing is written before that: a
//! process that dies meanwhile leaves the changelog as it was.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Instant;

use super::changelog_reading::ChangelogReading;
use super::restore::{Reevaluated, RestoreInterruption, RestoreJob, RestoreRequest, RestoredState};
use crate::codec::ChangelogKey;
use crate::kafka::broker::{ChangelogReader, KafkaClients};

/// What becomes of the state in the changelog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StateUse {
    /// The partition goes on with it.
    #[default]
    Continue,
    /// The partition begins empty, and counts what the input retains again.
    Recount,
    /// The partition begins empty at the group's offset.
    StartEmpty,
}

impl<W: KafkaClients> RestoreJob<W> {
    /// A state without entities in place of the one that the changelog holds.
    pub(super) fn discard(
        &self,
        reader: &W::Changelog,
        request: &RestoreRequest,
        range: Range<i64>,
        started: Instant,
    ) -> Result<RestoredState, RestoreInterruption> {
        let mut reading = ChangelogReading::new(self.program(request.partition), None);
        if !range.is_empty() {
            self.insist(request, || reader.open(request.partition, range.start))?;
            self.read(reader, request, range, started, &mut reading)?;
        }
        let ChangelogReading { restoring, position, unreadable, bytes, foreign, .. } = reading;
        // What is counted again is older than the clock that the changelog notes.
        let noted = position.as_ref().filter(|_| request.state_use == StateUse::StartEmpty);
        let clock = noted.and_then(|noted| noted.position.clock);
        let next = position.as_ref().map_or(0, |noted| noted.position.extent.next);
        let cleared: BTreeSet<ChangelogKey> = unreadable.into_keys().chain([ChangelogKey::Sources]).collect();
        let mut state = restoring.discard(clock, next);
        let rollout = self.apply_rollout(request.partition, &mut state, None, Reevaluated::No);
        Ok(RestoredState {
            state,
            position: None,
            sources: None,
            cleared: cleared.into_iter().collect(),
            catalog_change: None,
            rollout,
            took: self.clients.now().duration_since(started),
            bytes,
            foreign,
            snapshot_bytes: None,
        })
    }
}
