//! The process dies at every step of the commit cycle, of a restore and of a revocation, and every event counts once.

use std::collections::BTreeMap;

use crate::fixture::broker::{self, Broker};
use crate::fixture::client::{produce, read_all};
use crate::fixture::counting::{COUNT, PARTITIONS, USERS, check, events, read_to};
use crate::fixture::failpoint::{die, start_to_die};
use crate::fixture::steady_events::Steady;
use crate::support::service::Setup;

/// What has become of the transaction in which the process died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The next owner begins where the dead one began.
    Undone,
    /// It begins behind what the dead one has sent.
    Done,
    /// The process did not come so far as to begin one.
    None,
}

/// Each step, at which passing of it to die, and what the next owner must find.
const DEATHS: [(&str, u32, Fate); 17] = [
    ("applied", 1, Fate::Undone),
    ("applied", 3, Fate::Done),
    ("begun", 1, Fate::Undone),
    ("sealed", 1, Fate::Undone),
    ("record_sent", 1, Fate::Undone),
    ("restore_stable", 1, Fate::None),
    ("record_sent", 200, Fate::None),
    ("output_sent", 1, Fate::Undone),
    ("delivered", 1, Fate::Undone),
    ("restore_record", 2, Fate::None),
    ("delivered", 4, Fate::Done),
    ("offsets_sent", 1, Fate::Undone),
    ("offsets_sent", 3, Fate::Done),
    ("sealed", 7, Fate::Done),
    ("restore_end", 1, Fate::None),
    ("committed", 1, Fate::Done),
    ("committed", 5, Fate::Done),
];

/// A process that died.
struct Dead {
    step: &'static str,
    fate: Fate,
    /// The partitions that it ran, from these offsets on.
    ran: BTreeMap<i64, i64>,
}

impl Dead {
    /// Checks what became of its transaction by where the next process begins, as far as that one came.
    fn judge(&self, next: &BTreeMap<i64, i64>) {
        let Dead { step, fate, ran } = self;
        let both = || ran.iter().filter_map(|(partition, from)| Some((*from, *next.get(partition)?)));
        let what = format!("after {step}: {ran:?}, then {next:?}");
        assert!(both().all(|(from, to)| from <= to), "went back {what}");
        match fate {
            Fate::Undone => assert!(both().all(|(from, to)| from == to), "something was committed {what}"),
            Fate::Done if next.len() == PARTITIONS => {
                assert!(both().any(|(from, to)| from < to), "nothing was committed {what}");
            }
            Fate::Done | Fate::None => {}
        }
    }
}

/// From where each partition was run, as the log says.
fn starts(log: &str) -> BTreeMap<i64, i64> {
    let start = |line: &str| {
        let (_, rest) = line.split_once("runs partition ")?;
        let (partition, rest) = rest.split_once(" from offset ")?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some((partition.parse().ok()?, digits.parse().ok()?))
    };
    log.lines().filter_map(start).collect()
}

#[test]
fn a_death_at_any_step_of_a_commit_or_a_restore_counts_nothing_twice() {
    die_everywhere("killed", |setup| setup, read_to);
}

#[test]
fn a_death_at_any_step_counts_nothing_twice_where_events_are_passed_on() {
    let all_came_out =
        |broker: &Broker, setup: &Setup, written: usize| read_all(broker, &setup.topic("changes")).len() == written;
    die_everywhere("killed-twice", |setup| setup.with("input.partitioned_by=none"), all_came_out);
}

/// More events than go into one transaction, which takes at most 50,000 changes of a partition: the next ones are applied
/// while it is open.
const BACKLOG: usize = 3_000 * USERS;

#[test]
fn a_death_while_records_are_applied_beside_an_open_transaction_counts_nothing_twice() {
    let broker = broker::shared();
    let setup = Setup::on("killed-beside", broker, COUNT)
        .with("service.commit_interval=5ms")
        .with("kafka.properties.transaction.timeout.ms=90000")
        .with("kafka.properties.session.timeout.ms=100000");
    setup.create_topics(PARTITIONS as u32);
    let mut written = 0;
    let mut begun: Option<BTreeMap<i64, i64>> = None;
    for passing in [1, 3, 9] {
        produce(broker, &setup.topic("events"), events(written, BACKLOG));
        written += BACKLOG;
        let mut service = start_to_die(&setup, "applied_meanwhile", passing);
        die(&mut service, "applied_meanwhile");
        let ran = starts(&service.log());
        // The transaction that was open may have been committed just before, what was applied beside it may not.
        let went_back = |before: BTreeMap<i64, i64>| before.iter().any(|(partition, from)| ran[partition] < *from);
        assert!(!begun.is_some_and(went_back), "went back: {ran:?}");
        begun = Some(ran);
    }
    let mut service = setup.start();
    service.until("the end", |_| read_to(broker, &setup, written));
    service.stop();
    check(broker, &setup, written);
}

fn die_everywhere(name: &str, with: fn(Setup) -> Setup, is_done: fn(&Broker, &Setup, usize) -> bool) {
    let broker = broker::shared();
    // Longer than this test waits for anything: what the dead have left open is ended by the living.
    let setup = Setup::on(name, broker, COUNT)
        .with("service.commit_interval=20ms")
        .with("kafka.properties.transaction.timeout.ms=90000")
        .with("kafka.properties.session.timeout.ms=100000");
    let setup = with(setup);
    setup.create_topics(PARTITIONS as u32);
    let writer = Steady::start(broker, setup.topic("events"));
    // So that there is a state to read back, wherever it is kept.
    let mut service = setup.start();
    service.until("changes", |_| !read_all(broker, &setup.topic("changes")).is_empty());
    service.stop();
    let mut dead = Dead { step: "", fate: Fate::None, ran: BTreeMap::new() };
    for (step, passing, fate) in DEATHS {
        let mut service = start_to_die(&setup, step, passing);
        die(&mut service, step);
        let ran = starts(&service.log());
        dead.judge(&ran);
        dead = Dead { step, fate, ran };
    }
    let mut service = setup.start();
    service.says("runs partition 0");
    service.says("runs partition 1");
    dead.judge(&starts(&service.log()));
    let written = writer.stop();
    service.until("the end", |_| is_done(broker, &setup, written));
    service.stop();
    check(broker, &setup, written);
}
