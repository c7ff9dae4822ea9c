//! Places where a test has the process die, as suddenly as in a power cut. A release build has nothing of it.
//!
//! In a build with debug assertions, `TAGSTREAM_FAILPOINT=step:n` ends the process when it comes to that step for the
//! n-th time. Nothing is flushed, closed or told to anybody.

/// A step after which the next owner has to find everything right, whatever it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
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
impl Step {
    fn name(self) -> &'static str {
        match self {
            Step::Applied => "applied",
            Step::Begun => "begun",
            Step::RecordSent => "record_sent",
            Step::BodySent => "body_sent",
            Step::Delivered => "delivered",
            Step::OffsetsSent => "offsets_sent",
            Step::Committed => "committed",
            Step::RestoreStable => "restore_stable",
            Step::RestoreRecord => "restore_record",
            Step::RestoreEnd => "restore_end",
            Step::RebuildRecord => "rebuild_record",
            Step::RevokeWanted => "revoke_wanted",
            Step::RevokeCommitted => "revoke_committed",
            Step::RevokeAnswered => "revoke_answered",
        }
    }
}

/// Tells that a step is reached. Does not return if the process is to die here.
#[cfg(debug_assertions)]
pub fn pass(step: Step) {
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
pub fn pass(_: Step) {}
