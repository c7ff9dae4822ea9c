//! Places where a test has the process die, as suddenly as in a power cut. A release build has nothing of it.
//!
//! In a build with debug assertions, `TAGSTREAM_FAILPOINT=step:n` ends the process when it comes to that step for the
//! n-th time. Nothing is flushed, closed or told to anybody.

/// A step after which the next owner has to find everything right, whatever it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failpoint {
    /// Records are applied; a transaction is about to begin.
    Applied,
    Begun,
    /// One record is in the hands of the client.
    RecordSent,
    BodySent,
    /// The brokers have all records.
    Delivered,
    OffsetsSent,
    /// The commit was acknowledged, and nobody here knows yet.
    Committed,
    /// Everything before the changelog's end is decided; nothing of it was read.
    RestoreStable,
    RestoreRecord,
    RestoreEnd,
    /// A record of a history was counted again.
    RebuildRecord,
    /// The group wants partitions back; their bodies are not committed.
    RevokeWanted,
    RevokeCommitted,
    RevokeAnswered,
}

#[cfg(debug_assertions)]
impl Failpoint {
    fn name(self) -> &'static str {
        match self {
            Failpoint::Applied => "applied",
            Failpoint::Begun => "begun",
            Failpoint::RecordSent => "record_sent",
            Failpoint::BodySent => "body_sent",
            Failpoint::Delivered => "delivered",
            Failpoint::OffsetsSent => "offsets_sent",
            Failpoint::Committed => "committed",
            Failpoint::RestoreStable => "restore_stable",
            Failpoint::RestoreRecord => "restore_record",
            Failpoint::RestoreEnd => "restore_end",
            Failpoint::RebuildRecord => "rebuild_record",
            Failpoint::RevokeWanted => "revoke_wanted",
            Failpoint::RevokeCommitted => "revoke_committed",
            Failpoint::RevokeAnswered => "revoke_answered",
        }
    }
}

/// Tells that a step is reached. Does not return if the process is to die here.
#[cfg(debug_assertions)]
pub(super) fn pass(step: Failpoint) {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Where to die, and how often one comes there before that.
    static ASKED: LazyLock<Option<(String, AtomicU32)>> = LazyLock::new(|| {
        let asked = std::env::var("TAGSTREAM_FAILPOINT").ok()?;
        let (step, n) = asked.split_once(':')?;
        Some((step.to_owned(), AtomicU32::new(n.parse().ok()?)))
    });
    if let Some((name, left)) = &*ASKED
        && name == step.name()
        && left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        // SIGABRT to oneself: all threads are gone at once, as with SIGKILL.
        std::process::abort();
    }
}

#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn pass(_: Failpoint) {}
