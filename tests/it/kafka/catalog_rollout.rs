//! Which changes of a catalog wait for approval: decided once, from the committed counts of all partitions, by one
//! writer; and approvals that hold from when they are committed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tagstream::catalog;
use tagstream::codec::RolloutNote;
use tagstream::engine::{ChangeImpact, CompiledCatalog, TagImpact};
use tagstream::kafka::{
    CatalogRollout, PartitionId, ReadingReason, TagNames, TopicId, Topology, WorkerEvent, WorkerId,
};
use tagstream::settings::{self, ConfigFile, MaxChange, Sources};

fn programs(condition: &str) -> Arc<CompiledCatalog> {
    let text = format!("version: 1\ncounters:\n  n: {{ count: x }}\ntags:\n  busy: {{ when: {condition} }}\n");
    CompiledCatalog::new(catalog::load(&text).catalog.expect("a catalog"))
}

/// A process of an application with four partitions, with what it tells.
struct Process {
    rollout: CatalogRollout,
    told: Arc<Mutex<Vec<String>>>,
    catalog: u64,
    /// Of the partitions that run in it, the notes as they would be committed next.
    notes: Vec<(PartitionId, RolloutNote)>,
}

impl Process {
    fn new(threshold: MaxChange, approve: bool) -> Process {
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let lines = Arc::clone(&told);
        let tell =
            move |notice: WorkerEvent| lines.lock().expect("a lock").push(format!("{:?}: {notice}", notice.severity()));
        let compiled = programs("n >= 1");
        let catalog = compiled.catalog.fingerprint;
        let rollout = CatalogRollout::new(compiled, 1, threshold, approve, Arc::new(tell));
        let flags = ["kafka.brokers=simulated:1", "input.topics=events"].map(str::to_owned).to_vec();
        let file = ConfigFile::Default("/nonexistent/tagstream.toml".into());
        let settings = settings::load(&Sources { file, environment: Vec::new(), flags }).expect("all that is needed");
        rollout.know_topology(&Arc::new(Topology::of(&settings, None).counted(|_| 4)));
        Process { rollout, told, catalog, notes: Vec::new() }
    }

    fn usual() -> Process {
        Process::new(MaxChange::Share(0.2), false)
    }

    /// Reads a partition back under another catalog, which would give the tag to this many of 100.
    fn read_back(&mut self, number: i32, added: u64) {
        let note = self.rollout.count(self.catalog, || outlook(added));
        self.run(number, note, false);
    }

    fn run(&mut self, number: i32, note: RolloutNote, is_committed: bool) {
        let note = self.rollout.view().update(partition(number), &note);
        self.rollout.run_partition(WorkerId(0), partition(number), &note, is_committed);
        self.notes.push((partition(number), note));
    }

    /// Does what the worker does after each change of the rollout, commits included. Returns what each partition holds.
    fn settle(&mut self) -> Vec<usize> {
        loop {
            let revision = self.rollout.revision();
            for index in 0..self.notes.len() {
                let (partition, note) = &mut self.notes[index];
                *note = self.rollout.view().update(*partition, note);
                self.rollout.note_changed(*partition, note);
                self.rollout.note_committed(*partition, note);
            }
            if self.rollout.revision() == revision {
                break;
            }
        }
        let view = self.rollout.view();
        self.notes.iter().map(|(_, note)| view.held(note).len()).collect()
    }

    /// Reads what another process has committed.
    fn read_notes_of(&self, other: &Process) {
        for (partition, note) in &other.notes {
            self.rollout.note_read(*partition, note);
        }
    }

    /// How many there are, and how many would get it, of what waits.
    fn waits(&self) -> Vec<(u64, u64)> {
        self.rollout.status().held.iter().map(|(_, impact)| (impact.entities, impact.added)).collect()
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.lock().expect("a lock"))
    }
}

fn partition(number: i32) -> PartitionId {
    PartitionId { topic: TopicId(0), number }
}

/// `added` of 100 would get it.
fn outlook(added: u64) -> ChangeImpact {
    let impact = TagImpact { entities: 100, had: 0, differ: 0, added };
    ChangeImpact { entities: 100, tags: [("busy".into(), impact)].into() }
}

fn busy() -> TagNames {
    TagNames::from(["busy".into()])
}

const WAITS: &str = "Warn: tag busy waits: 88 of 400 would get it (20% at most without approval, service.max_change); POST \
                     /v1/catalog/approve?tag=busy lets it go";
const STILL_WAITS: &str = "Warn: tag busy still waits for approval: GET /v1/catalog says how many it concerns; POST \
                           /v1/catalog/approve?tag=busy lets it go";

#[test]
fn nothing_is_let_go_before_all_partitions_are_counted() {
    let mut process = Process::usual();
    for (number, added) in [(0, 10), (1, 10), (2, 34)] {
        process.read_back(number, added);
        assert!(process.settle().iter().all(|held| *held == 1), "{number} is read back");
        assert_eq!(process.waits(), [], "it is not decided");
    }
    assert_eq!(process.rollout.status().uncounted, [3.into()]);
    let (_, uncounted) = process.rollout.uncounted().expect("one is missing");
    assert_eq!(uncounted, [3.into()]);
    process.read_back(3, 34);
    assert_eq!(process.settle(), [1, 1, 1, 1], "22 of 100");
    assert_eq!(process.waits(), [(400, 88)]);
    assert_eq!(process.rollout.uncounted(), None);
    assert_eq!(process.told(), [WAITS]);
}

#[test]
fn what_concerns_few_is_let_go_in_all_partitions_at_once() {
    let mut process = Process::usual();
    for (number, added) in [(0, 30), (1, 10), (2, 10)] {
        process.read_back(number, added);
        assert!(process.settle().iter().all(|held| *held == 1));
    }
    process.read_back(3, 10);
    assert_eq!(process.settle(), [0, 0, 0, 0], "15 of 100");
    assert_eq!((process.waits(), process.told()), (vec![], vec![]));
    for (_, note) in &process.notes {
        assert_eq!((&note.counts, &note.decided), (&None, &Some([].into())), "the counts are not needed any more");
    }
}

#[test]
fn a_decision_counts_when_it_is_committed() {
    let mut process = Process::usual();
    for number in 0..4 {
        process.read_back(number, 30);
    }
    for (partition, note) in &process.notes {
        process.rollout.note_committed(*partition, note);
    }
    // The owner of the first partition has noted it; nobody acts on it.
    let decided = process.rollout.view().update(partition(0), &process.notes[0].1);
    assert_eq!(decided.decided.as_ref().map(|held| held["busy"].added), Some(120));
    assert!(decided.counts.is_some(), "they are needed until then");
    assert_eq!(process.rollout.view().update(partition(1), &process.notes[1].1), process.notes[1].1);
    assert_eq!(process.waits(), []);
    process.rollout.note_committed(partition(0), &decided);
    assert_eq!(process.waits(), [(400, 120)]);
}

#[test]
fn one_process_decides_for_all_and_each_acts_alike() {
    let mut first = Process::usual();
    // Its limit is another, and it does not have the first partition.
    let mut second = Process::new(MaxChange::Share(0.5), false);
    first.read_back(0, 10);
    first.read_back(1, 10);
    second.read_back(2, 34);
    assert_eq!((first.settle(), second.settle()), (vec![1, 1], vec![1]));
    assert_eq!(first.rollout.partitions_to_read(), (vec![partition(2), partition(3)], ReadingReason::WaitsHere));
    second.read_back(3, 34);
    second.settle();
    second.read_notes_of(&first);
    assert_eq!(second.settle(), [1, 1], "all are counted, but another decides");
    first.read_notes_of(&second);
    assert_eq!(first.settle(), [1, 1]);
    second.read_notes_of(&first);
    assert_eq!(second.settle(), [1, 1]);
    assert_eq!((first.waits(), second.waits()), (vec![(400, 88)], vec![(400, 88)]));
    assert_eq!((first.told(), second.told()), (vec![WAITS.to_owned()], vec![WAITS.replace("20%", "50%")]));

    // What one is told holds for all.
    assert_eq!(second.rollout.approve(None), busy());
    assert!(!second.rollout.is_approval_committed(&busy()));
    assert_eq!(second.settle(), [0, 0]);
    assert!(second.rollout.is_approval_committed(&busy()));
    first.read_notes_of(&second);
    assert_eq!(first.settle(), [0, 0]);
    assert_eq!(first.rollout.partitions_to_read(), (vec![partition(2), partition(3)], ReadingReason::OthersMayWait));
    assert_eq!(second.rollout.partitions_to_read().0, [], "nothing waits any more, and another decides");
    assert_eq!(first.told(), ["Info: approved: busy"]);
}

#[test]
fn who_comes_to_run_the_first_partition_decides_what_was_counted_before() {
    for is_committed in [true, false] {
        // All are counted, and the process ends before it decides.
        let mut ended = Process::usual();
        for number in 0..4 {
            ended.read_back(number, 30);
        }
        let mut process = Process::usual();
        process.run(2, ended.notes[2].1.clone(), true);
        process.read_notes_of(&ended);
        assert_eq!((process.settle(), process.waits()), (vec![1], vec![]), "nobody runs the first partition");
        let revision = process.rollout.revision();
        process.run(0, ended.notes[0].1.clone(), is_committed);
        assert_ne!(process.rollout.revision(), revision, "its worker looks again");
        assert_eq!((process.settle(), process.waits()), (vec![1, 1], vec![(400, 120)]));
    }
}

#[test]
fn what_was_read_of_a_partition_before_it_came_here_is_outdated() {
    let mut process = Process::usual();
    for number in 0..3 {
        process.read_back(number, 30);
    }
    process.settle();
    process.rollout.note_read(partition(2), &RolloutNote::of(process.catalog));
    process.read_back(3, 30);
    assert_eq!((process.settle(), process.waits()), (vec![1; 4], vec![(400, 120)]));
}

#[test]
fn a_catalog_that_is_withdrawn_or_replaced_does_not_come_into_force() {
    let rollout = Process::usual().rollout;
    let measure = |number| rollout.report_impact(WorkerId(0), number, BTreeMap::new());
    let pending = || rollout.view().pending.map(|(number, compiled)| (number, compiled.fingerprint().to_owned()));
    let active = rollout.view().active.fingerprint();
    let [first, second] = ["n >= 2", "n >= 3"].map(programs);
    rollout.submit(Arc::clone(&first));
    let (number, fingerprint) = pending().expect("it is submitted");
    assert_eq!(fingerprint, first.fingerprint());
    rollout.withdraw();
    measure(number);
    assert_eq!((pending(), rollout.view().active.fingerprint()), (None, active));
    rollout.submit(first);
    let (number, _) = pending().expect("it is submitted");
    rollout.submit(Arc::clone(&second));
    measure(number);
    assert_eq!(rollout.view().active.fingerprint(), active, "what was measured is the one before");
    let (number, _) = pending().expect("it is submitted");
    measure(number);
    assert_eq!(rollout.view().active.fingerprint(), second.catalog.fingerprint);
}

#[test]
fn what_was_decided_and_approved_outlives_the_process() {
    let mut before = Process::usual();
    for number in 0..4 {
        before.read_back(number, 30);
    }
    assert_eq!(before.settle(), [1, 1, 1, 1]);
    let mut after = Process::usual();
    after.run(0, before.notes[0].1.clone(), true);
    assert_eq!(after.waits(), [(400, 120)], "the counts are those of all partitions, from the first on");
    assert_eq!(after.told(), [STILL_WAITS]);
    // One that was not committed then takes the decision over, and counts nothing.
    let note = after.rollout.count(after.catalog, || panic!("it is decided"));
    after.run(1, note, false);
    after.run(2, before.notes[2].1.clone(), true);
    assert_eq!(after.settle(), [1, 1, 1]);
    after.rollout.approve(Some("busy"));
    assert_eq!(after.settle(), [0, 0, 0]);
    let mut last = Process::usual();
    last.run(3, before.notes[3].1.clone(), true);
    last.run(1, after.notes[1].1.clone(), true);
    assert_eq!(last.settle(), [0, 0], "one of them says that it is approved");
    assert_eq!(last.waits(), []);
}

#[test]
fn a_partition_that_was_given_up_is_not_counted_twice() {
    let mut process = Process::usual();
    process.read_back(0, 30);
    process.settle();
    process.rollout.forget_partition(WorkerId(0), partition(0));
    process.notes.clear();
    process.read_back(0, 40);
    for number in 1..4 {
        process.read_back(number, 30);
    }
    process.settle();
    assert_eq!(process.waits(), [(400, 130)]);
}

#[test]
fn a_worker_that_gives_up_late_takes_nothing_from_the_next_one() {
    let mut process = Process::usual();
    process.read_back(0, 30);
    process.rollout.forget_partition(WorkerId(1), partition(0));
    for number in 1..4 {
        process.read_back(number, 30);
    }
    process.settle();
    assert_eq!(process.waits(), [(400, 120)], "the owner of the first partition decides");
}

#[test]
fn partitions_without_anything_to_count_need_no_decision() {
    let mut process = Process::usual();
    for number in 1..3 {
        process.run(number, RolloutNote::of(process.catalog), true);
    }
    assert_eq!(process.settle(), [0, 0]);
    assert_eq!((process.rollout.uncounted(), process.rollout.partitions_to_read().0), (None, vec![]));
    // The one that decides may have nothing to count itself.
    process.run(0, RolloutNote::of(process.catalog), true);
    let others = vec![partition(3)];
    assert_eq!(process.rollout.partitions_to_read(), (others, ReadingReason::OthersMayWait));
    let mut other = Process::usual();
    other.read_back(3, 90);
    process.read_notes_of(&other);
    process.settle();
    assert_eq!(process.waits(), [(100, 90)]);
}

#[test]
fn approval_at_the_start_is_one_for_all_processes() {
    let mut first = Process::usual();
    let mut second = Process::new(MaxChange::Share(0.2), true);
    first.read_back(0, 30);
    first.read_back(1, 30);
    second.read_back(2, 30);
    second.read_back(3, 30);
    assert_eq!((first.settle(), second.settle()), (vec![1, 1], vec![0, 0]));
    first.read_notes_of(&second);
    assert_eq!(first.settle(), [0, 0]);
    assert_eq!(first.waits(), []);
}

#[test]
fn a_history_that_is_counted_again_is_decided_for_its_partition_alone() {
    let mut process = Process::usual();
    for (number, added) in [(0, 10), (1, 30)] {
        let mut note = RolloutNote::of(process.catalog);
        process.rollout.hold_here(&mut note, &outlook(added));
        process.run(number, note, false);
    }
    assert_eq!(process.settle(), [0, 1]);
    assert_eq!(process.waits(), [(100, 30)]);
    process.rollout.approve(None);
    assert_eq!(process.settle(), [0, 0]);
}

#[test]
fn a_changed_catalog_is_told_from_the_proposal_to_the_approval() {
    let mut process = Process::usual();
    for number in 0..4 {
        process.run(number, RolloutNote::of(process.catalog), true);
    }
    let changed = programs("n >= 2");
    let fingerprint = changed.fingerprint().to_owned();
    process.rollout.submit(Arc::clone(&changed));
    let (number, _) = process.rollout.view().pending.expect("a candidate");
    let found = (0..4).map(|number| (partition(number), outlook(22))).collect();
    process.rollout.report_impact(WorkerId(0), number, found);
    (process.catalog, process.notes) = (changed.catalog.fingerprint, Vec::new());
    for number in 0..4 {
        let impact = process.rollout.view().active.impacts[&partition(number)].clone();
        let note = process.rollout.count(process.catalog, || impact);
        process.run(number, note, false);
    }
    assert_eq!(process.settle(), [1, 1, 1, 1]);
    process.rollout.approve(Some("busy"));
    let expected = [
        format!("Info: a changed catalog: its effects are being looked at ({fingerprint})"),
        format!("Info: catalog {fingerprint} is in force"),
        WAITS.to_owned(),
        "Info: approved: busy".to_owned(),
    ];
    assert_eq!(process.told(), expected);
}
