//! The commit cycle in a simulated world: thousands of seeded histories, each checked for exactly-once and against a
//! replay of what stands in the input; where several inputs are merged, of all of it in the order of time.
//!
//! The workers are the real ones; below them everything is simulated: brokers, coordinators, client libraries, threads
//! and time. One thread runs at a time and a seed decides which ([`scheduler`]), as FoundationDB does it (Zhou and
//! others, "FoundationDB: A Distributed Unbundled Transactional Key Value Store", 2021), so that what was found once is
//! found again: `TAGSTREAM_SEED` runs one history, `TAGSTREAM_SEEDS` sets their number, `TAGSTREAM_TRACE` shows more lines.
//!
//! # What is modelled
//! - Logs with marks of transactions, the last stable offset, readers that see only what is committed ([`brokers::log`]).
//! - Transactions as the protocol has them that gives a producer one epoch for all of them ([`brokers::transactions`]): a new
//!   producer of the same transactional id fences the old one; an end of a transaction is obeyed whichever transaction
//!   it finds, so one that comes late tears the next (KIP-890 describes it); the end is answered when it is decided, and
//!   each mark is written in its own time, so committed offsets can be seen before the changelog's mark (KAFKA-10167);
//!   what is open for too long is aborted.
//! - The group ([`brokers::group`]): static members, sessions, generations, cooperative rebalances in two rounds. Member and
//!   generation are checked when offsets are committed, and whose the partition is never is. Offsets that a transaction
//!   is about to move make those who ask for stable ones wait (KIP-447).
//! - What librdkafka does of itself ([`clients::membership`], [`clients::producer_state`]): it repeats what was not
//!   answered, and only its statistics tell; giving up any partition while a revocation is queued answers the revocation; a membership that
//!   ends during a rebalance is followed by another one without a word, as if the partitions were still its own.
//! - Requests and answers that are lost, late or slow, coordinators that are busy, leaders without replicas, records that
//!   are refused or expire, full queues, clients that fail for good although the broker has committed, threads that the
//!   system does not give ([`faults`]).
//! - Events that pass through a topic of their own on their way ([`script::Family::Merged`]): two hops, each with all of this.
//! - Changes that leave before their transaction ([`clients::early_producer`], [`script::Family::Early`]): an idempotent
//!   producer, whose records are sent again, or given up after their time whether they stand or not. Each change stands once or more often,
//!   always the same to the byte, and the first ones of an entity in order, unless the client has given up one between.
//! - A catalog that gets new counters and an attribute, and the history of the input that is counted again for them
//!   ([`script::Family::Rebuilding`]), while processes die and are replaced. What concerns many entities waits until it is
//!   decided for all processes, and then until an operator approves it.
//! - A catalog with other rules over the same counters that takes effect in one process after the other while all work, and
//!   may be taken back; what waits is approved at any time ([`script::Family::Switching`], and with merged inputs
//!   [`script::Family::SwitchingMerged`]).
//! - Records that are applied while a transaction of the same worker is open, on another thread; the process dies at any call
//!   of either.
//! - A wall clock that steps back by up to two hours, and forward again; the brokers' clock is right.
//! - Processes that are told to stop, killed at any call, stopped for longer than their session or their transaction,
//!   cut off, and replaced while they are still there ([`disturbance`]).
//!
//! # What is not
//! - Several brokers and their elections, dynamic members, clocks that differ from process to process, outages of the input, what a broker does
//!   with a record that comes after its transaction.
//! - Retention and compaction: every log is whole. So a history that is counted again always goes back to the first
//!   event; a topic without its beginning is tested in `engine::changelog` and, with a broker, in `restore::backfill`.
//! - Snapshots on a disk; new counters in a catalog that changes while a worker runs.
//! - librdkafka itself, which only the tests against a real broker know.
//!
//! That the checks would find something is shown by [`planted`] bugs.

mod brokers;
mod check;
mod clients;
mod disturbance;
mod faults;
mod history;
mod planted;
mod scheduler;
mod script;
mod trace;

use std::num::NonZero;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use check::Flaw;
use history::Account;
use planted::Planted;
use script::Family;

use crate::generate;

/// The first of the histories that has a flaw of some kind.
fn find(
    seeds: Range<u64>,
    family: Family,
    planted: Option<Planted>,
    is_it: fn(&Flaw) -> bool,
) -> Option<(u64, Account)> {
    let next = AtomicU64::new(seeds.start);
    let found: Mutex<Option<(u64, Account)>> = Mutex::new(None);
    let first = || found.lock().expect("histories catch their panics").as_ref().map_or(seeds.end, |(seed, _)| *seed);
    let search = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first() {
                return;
            }
            let account = history::run(seed, family, planted);
            if account.flaw.as_ref().is_some_and(is_it) && seed < first() {
                *found.lock().expect("histories catch their panics") = Some((seed, account));
            }
        }
    };
    let threads = thread::available_parallelism().map_or(2, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(search);
        }
    });
    found.into_inner().expect("histories catch their panics")
}

/// Expects histories without any flaw.
fn expect_none(family: Family, usual: u64) {
    if let Some((seed, account)) = find(generate::seeds(usual), family, None, |_| true) {
        let Account { flaw, trace, .. } = account;
        let flaw = flaw.map(|flaw| flaw.to_string()).unwrap_or_default();
        panic!("{family:?} seed {seed} (TAGSTREAM_SEED={seed} runs it alone)\n{trace}\n{flaw}");
    }
}

#[test]
fn a_settled_worker_writes_what_replay_says() {
    expect_none(Family::Settled, 700);
}

#[test]
fn workers_that_die_and_take_over_write_what_replay_says() {
    expect_none(Family::Moving, 800);
}

#[test]
fn inputs_that_meet_are_merged_in_the_order_of_time() {
    expect_none(Family::Merged, 800);
}

#[test]
fn changes_that_leave_early_are_those_of_replay_and_repeats_are_the_same() {
    expect_none(Family::Early, 500);
}

#[test]
fn changes_of_merged_inputs_may_leave_early_too() {
    expect_none(Family::EarlyMerged, 300);
}

#[test]
fn counters_that_are_new_come_to_what_all_events_come_to() {
    expect_none(Family::Rebuilding, 400);
}

#[test]
fn rules_that_change_while_workers_run_come_to_what_all_events_come_to() {
    expect_none(Family::Switching, 400);
}

/// Expects one of these histories to have a flaw, once the bug is there.
fn expect_found(planted: Planted, family: Family, within: Range<u64>, is_it: fn(&Flaw) -> bool) {
    let found = find(within.clone(), family, Some(planted), is_it);
    let (seed, _) = found.unwrap_or_else(|| panic!("{planted:?} is not found by the seeds {within:?}"));
    println!("{planted:?}: seed {seed}");
}

fn repeats(flaw: &Flaw) -> bool {
    matches!(flaw, Flaw::Repeated(_))
}

/// The state is not what the offsets say, or two have worked on one partition.
fn tears(flaw: &Flaw) -> bool {
    matches!(flaw, Flaw::Repeated(_) | Flaw::Lost(_) | Flaw::Different(_) | Flaw::Unrest(_))
}

#[test]
fn rules_that_change_while_inputs_are_merged_come_to_what_all_events_come_to() {
    expect_none(Family::SwitchingMerged, 200);
}

#[test]
fn offsets_left_out_of_a_timer_transaction_are_found() {
    expect_found(Planted::LeavesTimersOut, Family::Moving, 0..500, repeats);
}

#[test]
fn offsets_ahead_of_their_output_are_found() {
    expect_found(Planted::CommitsAhead, Family::Moving, 0..200, tears);
}

#[test]
fn a_restore_to_the_stable_end_of_the_moment_is_found() {
    expect_found(Planted::RestoresToStableEnd, Family::Moving, 0..2_000, tears);
}

#[test]
fn an_open_transaction_that_is_taken_for_the_end_is_found() {
    expect_found(Planted::TakesStableForEnd, Family::Settled, 0..500, tears);
}

#[test]
fn a_producer_that_goes_on_after_faults_is_found() {
    expect_found(Planted::HidesFaults, Family::Settled, 0..500, repeats);
}

#[test]
fn offsets_read_while_a_transaction_may_move_them_are_found() {
    expect_found(Planted::ReadsUnstableOffsets, Family::Moving, 0..9_000, tears);
}

// It takes a slow commit, and a rebalance that overtakes it: about one history in a thousand.
#[test]
fn a_commit_after_a_revocation_was_answered_is_found() {
    expect_found(Planted::AnswersEarly, Family::Moving, 1_000..6_000, tears);
}

#[test]
fn sources_that_are_forgotten_are_found() {
    expect_found(Planted::ForgetsSources, Family::Merged, 0..500, tears);
}

#[test]
fn clocks_that_are_forgotten_are_found() {
    expect_found(Planted::ForgetsClocks, Family::Merged, 0..1_000, tears);
}

#[test]
fn an_input_that_does_not_rest_is_found() {
    expect_found(
        Planted::NeverRests,
        Family::Merged,
        0..1_000,
        |flaw| matches!(flaw, Flaw::Mishap(why) if why.contains("bytes wait")),
    );
}

#[test]
fn changes_that_are_not_awaited_are_found() {
    expect_found(Planted::AwaitsNothing, Family::Early, 0..2_000, |flaw| matches!(flaw, Flaw::Lost(_)));
}

#[test]
fn changes_that_are_given_up_without_a_word_are_found() {
    expect_found(Planted::HidesRefusals, Family::Early, 0..500, |flaw| matches!(flaw, Flaw::Lost(_)));
}

#[test]
fn repeats_under_another_id_are_found() {
    expect_found(Planted::NamesAnew, Family::Early, 0..500, repeats);
}

#[test]
fn changes_that_overtake_others_are_found() {
    expect_found(Planted::OvertakesItself, Family::Early, 0..500, |flaw| matches!(flaw, Flaw::Different(_)));
}

#[test]
fn a_history_without_its_first_record_is_found() {
    expect_found(Planted::SkipsHistory, Family::Rebuilding, 0..200, |flaw| matches!(flaw, Flaw::Different(_)));
}

#[test]
fn a_history_with_what_was_aborted_is_found() {
    expect_found(Planted::CountsAborted, Family::Rebuilding, 0..500, |flaw| matches!(flaw, Flaw::Different(_)));
}

#[test]
fn threads_that_are_awaited_for_ever_are_found() {
    expect_found(Planted::HidesLostThreads, Family::Moving, 0..500, |flaw| matches!(flaw, Flaw::Unrest(_)));
}

#[test]
fn records_are_applied_while_a_transaction_is_open() {
    for family in Family::ALL {
        let overlaps: u64 = (0..20).map(|seed| history::run(seed, family, None).overlaps).sum();
        println!("{family:?}: {overlaps} records");
        assert!(overlaps > 20, "{family:?}: only {overlaps} records were taken while a transaction was open");
    }
}

#[test]
fn a_seed_is_a_history() {
    for seed in 0..10 {
        for family in Family::ALL {
            let hashes = [(); 2].map(|()| history::run(seed, family, None).hash);
            assert_eq!(hashes[0], hashes[1], "{family:?} seed {seed} has two histories");
        }
    }
}
