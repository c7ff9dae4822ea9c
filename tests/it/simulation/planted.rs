//! Bugs planted on purpose: what the checks must find.

use super::faults::Faults;

/// What a worker's clients do wrong, as a worker with that bug would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// The offsets of partitions in which only time has passed are not in the transaction.
    LeavesTimersOut,
    /// A changelog is restored to what is decided at the moment.
    RestoresToStableEnd,
    /// The offsets of a transaction are those up to which records were applied when it is committed, not those up to which its
    /// output was sealed.
    CommitsAhead,
    /// A producer that had to repeat itself goes on.
    HidesFaults,
    /// Committed offsets are read while a transaction is about to move them.
    ReadsUnstableOffsets,
    /// A revocation is answered before the last commit.
    AnswersEarly,
    /// The next owner of a merged partition does not know how far its sources are.
    ForgetsSources,
    /// The next owner of an input does not know the clock that was passed on.
    ForgetsClocks,
    /// An input that is far ahead is read on, since the others are taken to be further.
    NeverRests,
    /// A commit does not wait for the changes that leave before it.
    AwaitsNothing,
    /// Changes that the client has given up are taken for delivered.
    HidesRefusals,
    /// A change that is sent again has another id.
    NamesAnew,
    /// A producer that is not idempotent: what it sends again comes behind what was sent meanwhile.
    OvertakesItself,
    /// A partition counts as read to its end where a sender's open transaction begins.
    TakesStableForEnd,
    /// A history that is counted again begins behind its first record.
    SkipsHistory,
    /// A history that is counted again has what was aborted, too.
    CountsAborted,
    /// Whoever waits for a thread that could not start is not told.
    HidesLostThreads,
}

impl Planted {
    /// Has more of that happen which brings the bug to light: it would be found without, only later.
    pub fn favour(self, faults: &mut Faults) {
        match self {
            Planted::LeavesTimersOut | Planted::ForgetsSources | Planted::ForgetsClocks | Planted::NeverRests => {}
            Planted::CommitsAhead => {}
            Planted::TakesStableForEnd
            | Planted::AwaitsNothing
            | Planted::NamesAnew
            | Planted::SkipsHistory
            | Planted::CountsAborted => {}
            Planted::HidesRefusals => faults.expired_records = 20,
            Planted::OvertakesItself => (faults.lost_requests, faults.expired_records) = (100, 0),
            Planted::RestoresToStableEnd => faults.slow_marks = 400,
            Planted::HidesFaults => faults.late_ends = 100,
            Planted::ReadsUnstableOffsets => (faults.slow, faults.slow_marks) = (100, 200),
            Planted::AnswersEarly => faults.slow = 400,
            Planted::HidesLostThreads => faults.lost_threads = 100,
        }
    }
}
