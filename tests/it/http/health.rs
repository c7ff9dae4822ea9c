//! What the probes answer, from what workers say and when.

use std::time::{Duration, Instant};

use tagstream::codec::SchemaKey;
use tagstream::http::{HANG_AFTER, Health, REPORT_AFTER};
use tagstream::kafka::{Action, Occurrence, PartitionStatus, RunningFigures, WorkerEvent, WorkerId, WorkerStats};

const ONE: WorkerId = WorkerId(0);
const MOMENT: Duration = Duration::from_millis(500);

/// A watch over `workers`, and what time it is for it.
struct Scene {
    watch: Health,
    now: Instant,
}

impl Scene {
    fn new(workers: usize) -> Self {
        Scene { watch: Health::new(workers), now: Instant::now() }
    }

    /// One worker whose one partition runs.
    fn running() -> Self {
        let mut scene = Scene::new(1);
        scene.hear(reached()).hear(Occurrence::Started.of(ONE)).hear(assigned(ONE, &[3])).hear(stands(false, Some(0)));
        scene
    }

    fn hear(&mut self, notice: WorkerEvent) -> &mut Self {
        self.watch.observe(&notice, self.now);
        self
    }

    fn pass(&mut self, time: Duration) -> &mut Self {
        self.now += time;
        self
    }

    /// The worker turns its loop for so long, saying the same of itself.
    fn turn(&mut self, time: Duration, standing: &WorkerEvent) -> &mut Self {
        let end = self.now + time;
        while self.now < end {
            self.pass(MOMENT).hear(standing.clone());
        }
        self
    }

    fn not_ready(&self) -> String {
        self.watch.not_ready(self.now).join("; ")
    }
}

fn reached() -> WorkerEvent {
    Occurrence::Reached { input: "events".to_owned(), partitions: 4 }.of_process()
}

fn assigned(worker: WorkerId, partitions: &[i32]) -> WorkerEvent {
    Occurrence::Assigned { partitions: partitions.iter().map(|number| (*number).into()).collect() }.of(worker)
}

fn running(lag: Option<u64>) -> PartitionStatus {
    PartitionStatus::Running(RunningFigures {
        committed: None,
        lag,
        clock: None,
        unreadable_from: None,
        schema_wait: None,
        entities: 0,
        waiting_bytes: None,
        held_for: None,
        state_bytes: 0,
    })
}

/// The worker's one partition runs.
fn stands(held: bool, lag: Option<u64>) -> WorkerEvent {
    Occurrence::Status { held, partitions: vec![(3.into(), running(lag))] }.of(ONE)
}

fn places(partitions: &[(i32, PartitionStatus)]) -> WorkerEvent {
    let partitions = partitions.iter().map(|(number, standing)| ((*number).into(), standing.clone())).collect();
    Occurrence::Status { held: false, partitions }.of(ONE)
}

fn committed() -> WorkerEvent {
    Occurrence::Committed { took: MOMENT, counts: WorkerStats::default() }.of(ONE)
}

#[test]
fn each_step_of_the_start_has_its_words() {
    let mut scene = Scene::new(2);
    assert_eq!(scene.not_ready(), "no broker has answered yet");
    let (brokers, why) = ("k:9092".to_owned(), "BrokerTransportFailure".to_owned());
    scene.hear(Occurrence::Unreachable { brokers, why, retry_in: MOMENT }.of_process());
    assert_eq!(scene.not_ready(), "no answer from the brokers at k:9092 (BrokerTransportFailure)");
    scene.hear(reached());
    assert_eq!(scene.not_ready(), "worker 0 has not started; worker 1 has not started");
    scene.hear(Occurrence::Started.of(ONE)).hear(Occurrence::Started.of(WorkerId(1)));
    assert_eq!(scene.not_ready(), "worker 0 waits for the group; worker 1 waits for the group");
    // There are fewer partitions than workers.
    scene.hear(assigned(ONE, &[0, 3])).hear(assigned(WorkerId(1), &[]));
    assert_eq!(scene.not_ready(), "worker 0 starts partition 0; worker 0 starts partition 3");
    scene.hear(places(&[(0, running(Some(9))), (3, PartitionStatus::Restoring)]));
    assert_eq!(scene.not_ready(), "worker 0 restores partition 3");
    scene.hear(places(&[(0, running(Some(9))), (3, running(Some(0)))]));
    assert_eq!(scene.not_ready(), "");
}

#[test]
fn a_partition_that_goes_leaves_nothing_behind() {
    let mut scene = Scene::running();
    scene.hear(assigned(ONE, &[4]));
    assert_eq!(scene.not_ready(), "worker 0 starts partition 4");
    scene.hear(Occurrence::Revoked { partitions: vec![4.into()], lost: false }.of(ONE));
    assert_eq!(scene.not_ready(), "");
    scene.hear(Occurrence::Revoked { partitions: vec![3.into()], lost: true }.of(ONE));
    assert_eq!(scene.not_ready(), "worker 0 waits for the group");
    assert_eq!(scene.watch.partitions().count(), 0);
}

#[test]
fn a_partition_that_begins_again_or_is_stopped_is_not_ready() {
    let mut scene = Scene::running();
    scene.hear(places(&[(3, PartitionStatus::Starting)]));
    assert_eq!(scene.not_ready(), "worker 0 starts partition 3");
    scene.hear(places(&[(3, PartitionStatus::Stopped("its offset is gone".to_owned()))]));
    assert_eq!(scene.not_ready(), "worker 0 has stopped partition 3: its offset is gone");
    assert!(scene.watch.hung(scene.now).is_empty(), "the others go on");
    scene.hear(stands(false, Some(0)));
    assert_eq!(scene.not_ready(), "");
}

#[test]
fn a_commit_that_does_not_end_is_told_after_a_while() {
    let mut scene = Scene::running();
    let held = stands(true, Some(7));
    scene.hear(Occurrence::Waiting { step: "delivery", why: "7 records".to_owned() }.of(ONE));
    scene.turn(REPORT_AFTER - MOMENT, &held);
    assert_eq!(scene.not_ready(), "");
    scene.turn(MOMENT, &held);
    assert_eq!(scene.not_ready(), "worker 0: a commit has not ended for 5 s (delivery: 7 records)");
    scene.hear(Occurrence::Aborted { why: "no such topic".to_owned(), retry_in: MOMENT }.of(ONE));
    assert_eq!(scene.not_ready(), "worker 0: a commit has not ended for 5 s (aborted: no such topic)");
    scene.hear(committed());
    assert_eq!(scene.not_ready(), "");
}

#[test]
fn what_is_not_held_any_more_is_not_stuck() {
    let mut scene = Scene::running();
    scene.hear(Occurrence::Waiting { step: "committing", why: "timed out".to_owned() }.of(ONE));
    // All was read back as committed: there was nothing to commit after it.
    scene.turn(2 * REPORT_AFTER, &stands(false, Some(0)));
    assert_eq!(scene.not_ready(), "");
}

#[test]
fn brokers_that_fall_silent_are_told_after_a_while() {
    let mut scene = Scene::running();
    scene.turn(REPORT_AFTER, &stands(false, None));
    assert_eq!(scene.not_ready(), "");
    scene.turn(MOMENT, &stands(false, None));
    assert_eq!(scene.not_ready(), "worker 0: no answer from the brokers for 5 s");
    assert!(scene.watch.hung(scene.now).is_empty(), "that is not the worker's fault");
    scene.turn(MOMENT, &stands(false, Some(0)));
    assert_eq!(scene.not_ready(), "");
}

#[test]
fn a_loop_that_does_not_turn_hangs() {
    let mut scene = Scene::running();
    scene.pass(HANG_AFTER - MOMENT);
    assert!(scene.watch.hung(scene.now).is_empty());
    scene.pass(MOMENT);
    assert_eq!(scene.watch.hung(scene.now), ["worker 0 has not run its loop for 60 s"]);
    assert_eq!(scene.not_ready(), "worker 0 has not run its loop for 60 s");
    scene.hear(stands(false, Some(0)));
    assert!(scene.watch.hung(scene.now).is_empty());
}

#[test]
fn who_has_not_started_or_has_stopped_does_not_hang() {
    let mut scene = Scene::new(2);
    scene.hear(reached()).hear(Occurrence::Ended(WorkerStats::default()).of(ONE));
    scene.hear(Occurrence::Failed { action: Action::LeaveGroup, why: String::new() }.of(ONE)).pass(2 * HANG_AFTER);
    assert!(scene.watch.hung(scene.now).is_empty());
    assert_eq!(scene.not_ready(), "worker 0 has stopped; worker 1 has not started");
}

#[test]
fn a_partition_that_cannot_be_read_is_not_ready_until_it_can() {
    let mut scene = Scene::running();
    let at = |unreadable_from| {
        let PartitionStatus::Running(figures) = running(Some(5)) else { unreachable!("it runs") };
        places(&[(3, PartitionStatus::Running(RunningFigures { unreadable_from, ..figures }))])
    };
    scene.hear(at(Some(17)));
    let words = scene.not_ready();
    assert!(words.contains("partition 3 cannot be read from offset 17 on"), "{words}");
    assert!(words.contains("receive.message.max.bytes"), "{words}");
    scene.hear(at(None));
    assert_eq!(scene.not_ready(), "");
}

#[test]
fn a_partition_that_waits_for_its_schema_is_not_ready_after_a_moment() {
    let mut scene = Scene::running();
    let after = |seconds| {
        let PartitionStatus::Running(figures) = running(Some(5)) else { unreachable!("it runs") };
        let schema_wait = Some((SchemaKey::Id(7), Duration::from_secs(seconds)));
        places(&[(3, PartitionStatus::Running(RunningFigures { schema_wait, ..figures }))])
    };
    scene.hear(after(4));
    assert_eq!(scene.not_ready(), "");
    scene.hear(after(5));
    let words = scene.not_ready();
    assert!(words.starts_with("worker 0: partition 3 has waited for the schema with the id 7 for 5 s"), "{words}");
    scene.hear(places(&[(3, running(Some(5)))]));
    assert_eq!(scene.not_ready(), "");
}

#[test]
fn many_events_from_the_future_are_an_alarm_until_a_minute_without() {
    let mut scene = Scene::running();
    let minute = |refused, is_alarm| Occurrence::FutureEvents { refused, of: 100, is_alarm }.of(ONE);
    scene.hear(minute(40, true));
    let words = scene.not_ready();
    assert!(words.contains("40 of the last minute's 100 events were refused"), "{words}");
    scene.hear(minute(0, false));
    assert_eq!(scene.not_ready(), "");
}
