//! The places where a test kills the process, as suddenly as a power cut does. A release build has none of them.
//!
//! In a build with debug assertions, `TAGSTREAM_FAILPOINT=step:n` aborts the process when it reaches that step for the
//! n-th time. Nothing is flushed or closed.

/// A step after which the next owner has to find everything right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failpoint {
    /// Records are applied; a transaction is about to begin.
    Applied,
    Begun,
    /// The output of a partition is sealed; nothing of it was sent.
    Sealed,
    /// The client has taken one record.
    RecordSent,
    OutputSent,
    /// The brokers have acknowledged all records.
    Delivered,
    OffsetsSent,
    /// The commit was acknowledged; the worker has not noted it yet.
    Committed,
    /// Records were applied while a transaction was open.
    AppliedMeanwhile,
    /// Everything before the end of the changelog is decided; nothing of it was read.
    RestoreStable,
    RestoreRecord,
    RestoreEnd,
    /// A record of a history was counted again.
    RebuildRecord,
    /// The group revokes partitions; their buffers are not committed.
    RevokeWanted,
    RevokeCommitted,
    RevokeAnswered,
    /// A receiver of `tagstream push` has answered; the offsets behind its changes are not committed.
    PushAnswered,
}

#[cfg(debug_assertions)]
impl Failpoint {
    fn name(self) -> &'static str {
        match self {
            Failpoint::Applied => "applied",
            Failpoint::Begun => "begun",
            Failpoint::Sealed => "sealed",
            Failpoint::RecordSent => "record_sent",
            Failpoint::OutputSent => "output_sent",
            Failpoint::Delivered => "delivered",
            Failpoint::OffsetsSent => "offsets_sent",
            Failpoint::Committed => "committed",
            Failpoint::AppliedMeanwhile => "applied_meanwhile",
            Failpoint::RestoreStable => "restore_stable",
            Failpoint::RestoreRecord => "restore_record",
            Failpoint::RestoreEnd => "restore_end",
            Failpoint::RebuildRecord => "rebuild_record",
            Failpoint::RevokeWanted => "revoke_wanted",
            Failpoint::RevokeCommitted => "revoke_committed",
            Failpoint::RevokeAnswered => "revoke_answered",
            Failpoint::PushAnswered => "push_answered",
        }
    }
}

/// Says that a step is reached. Does not return if the process is to die here.
#[cfg(debug_assertions)]
pub(super) fn pass(step: Failpoint) {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// The step, and how many times it is to be reached.
    static ASKED: LazyLock<Option<(String, AtomicU32)>> = LazyLock::new(|| {
        let asked = std::env::var("TAGSTREAM_FAILPOINT").ok()?;
        let (step, n) = asked.split_once(':')?;
        Some((step.to_owned(), AtomicU32::new(n.parse().ok()?)))
    });
    if let Some((name, left)) = &*ASKED
        && name == step.name()
        && left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        // SIGABRT to the process itself: all threads end at once, as with SIGKILL.
        std::process::abort();
    }
}

#[cfg(not(debug_assertions))]
#[inline(always)]
pub(crate) fn pass(_: Failpoint) {}
