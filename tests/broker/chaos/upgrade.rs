//! An upgrade and the way back, with events that go on: what comes out is what one version gives that is never stopped.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::feeder::{Events, Pace, catalog};
use super::{hasty, is_all_done, seed, verify};
use crate::fixture::broker::{self, Broker};
use crate::fixture::client::{produce, read_all};
use crate::oracle::verify::Clocks;
use crate::support::service::{Service, Setup};

const PACE: Pace = Pace::Past { step_ms: 20_000 };
const PARTITIONS: usize = 2;
const EVENTS: usize = 4_000;

/// An application, whichever version runs it.
struct Application<'a> {
    broker: &'a Broker,
    setup: Setup,
    events: Events,
}

impl Application<'_> {
    fn start(&self, program: &Path) -> Service {
        self.setup.start_command(self.setup.command_of(program, &["run"]))
    }

    fn feed(&mut self) {
        let events: Vec<_> = (0..EVENTS).map(|_| self.events.next()).collect();
        produce(self.broker, &self.setup.topic("events"), events);
    }

    /// A version starts, and takes events.
    fn start_and_feed(&mut self, program: &Path) -> Service {
        let mut service = self.start(program);
        self.feed();
        service.until("all events to be committed", |_| is_all_done(self.broker, &self.setup));
        service
    }

    /// A version runs and gets events. Returns its log.
    fn run(&mut self, program: &Path) -> String {
        self.start_and_feed(program).stop()
    }

    /// The same, and it has written a snapshot of each partition when it stops.
    fn run_with_snapshots(&mut self, program: &Path) {
        let mut service = self.start_and_feed(program);
        let has_snapshot = |partition| self.setup.snapshot(partition).exists();
        service.until("snapshots", |_| (0..PARTITIONS).all(has_snapshot));
        service.stop();
    }

    /// The newest version of each type of record in the changelog.
    fn versions(&self) -> BTreeMap<u8, u8> {
        let mut newest = BTreeMap::new();
        for record in read_all(self.broker, &self.setup.topic("changelog")) {
            if let (Some([record_type, ..]), Some([version, ..])) = (record.key.as_deref(), record.value.as_deref()) {
                let newest = newest.entry(*record_type).or_insert(0);
                *newest = (*version).max(*newest);
            }
        }
        newest
    }
}

/// The lines of a log that say from what the partitions were restored.
fn restored(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.contains("has restored partition")).collect()
}

#[test]
#[ignore = "it needs an older build: deploy/upgrade.sh makes one"]
fn the_changes_of_two_versions_are_those_of_one_that_is_never_stopped() {
    let build = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
    let old = build("TAGSTREAM_OLD").expect("TAGSTREAM_OLD names the older build: run deploy/upgrade.sh");
    let new = build("TAGSTREAM_NEW").unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_tagstream")));
    let broker = broker::shared();
    let setup = hasty(Setup::on("upgrade", broker, &catalog(PACE))).with("service.idle_grace=off");
    let setup = setup.with("state.directory=state").with("state.snapshot_interval=1s");
    setup.create_topics(PARTITIONS as u32);
    let mut application = Application { broker, setup, events: Events::new(seed(), PACE, PARTITIONS) };

    application.run_with_snapshots(&old);
    let of_old = application.versions();

    // From the snapshot of the old version, or, where the new one passes over it, from the changelog.
    let log = application.run(&new);
    assert_eq!(restored(&log).len(), PARTITIONS, "{log}");
    let unused = log.matches("does not use the snapshot").count();
    assert_eq!(unused + log.matches("entities from a snapshot").count(), PARTITIONS, "{log}");
    println!("the new version used {} of {PARTITIONS} snapshots of the old one", PARTITIONS - unused);

    fs::remove_dir_all(application.setup.folder.join("state")).expect("snapshots");
    let log = application.run(&new);
    assert_eq!(restored(&log).len(), PARTITIONS, "{log}");
    assert!(!log.contains("entities from a snapshot"), "{log}");

    let newest = application.versions();
    println!("the changelog has records of versions {newest:?} by type, where the old version wrote {of_old:?}");
    if newest.iter().any(|(record_type, version)| of_old.get(record_type).is_some_and(|old| version > old)) {
        refuses(&mut application, &old);
    } else {
        application.run(&old);
    }
    let log = application.run(&new);
    assert_eq!(restored(&log).len(), PARTITIONS, "{log}");
    println!("{}", verify(broker, &application.setup, Clocks::Events));
}

/// The old version stops each partition, says why, and leaves everything as it is.
fn refuses(application: &mut Application<'_>, old: &Path) {
    let (broker, changes) = (application.broker, application.setup.topic("changes"));
    let before = read_all(broker, &changes).len();
    application.feed();
    let mut service = application.start(old);
    for partition in 0..PARTITIONS {
        service.says(&format!("has stopped partition {partition}: "));
    }
    let log = service.log();
    let stops: Vec<&str> = log.lines().filter(|line| line.contains("has stopped partition")).collect();
    assert!(stops.iter().all(|line| line.contains("a changelog record of version ")), "{stops:?}");
    println!("the old version: {}", stops[0]);
    drop(service);
    assert_eq!(read_all(broker, &changes).len(), before, "it has written changes");
    assert!(!is_all_done(broker, &application.setup), "it has committed what it did not read");
}
