//! Which changes of a catalog wait for approval: what is counted of partitions that come and go, and what is reported.

use std::sync::{Arc, Mutex};

use tagstream::catalog;
use tagstream::engine::{ChangeImpact, CompiledCatalog, TagImpact};
use tagstream::kafka::{CatalogRollout, PartitionId, TagNames, TopicId, WorkerEvent, WorkerId};
use tagstream::settings::MaxChange;

fn programs(condition: &str) -> Arc<CompiledCatalog> {
    let text = format!("version: 1\ncounters:\n  n: {{ count: x }}\ntags:\n  busy: {{ when: {condition} }}\n");
    CompiledCatalog::new(catalog::load(&text).catalog.expect("a catalog"))
}

/// A rollout of one worker, and what it tells.
fn rollout() -> (CatalogRollout, Arc<Mutex<Vec<String>>>) {
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let lines = Arc::clone(&told);
    let tell =
        move |notice: WorkerEvent| lines.lock().expect("a lock").push(format!("{:?}: {notice}", notice.severity()));
    (CatalogRollout::new(programs("n >= 1"), 1, MaxChange::Share(0.2), false, Arc::new(tell)), told)
}

fn partition(number: i32) -> PartitionId {
    PartitionId { topic: TopicId(0), number }
}

/// `added` of 100 would get it.
fn outlook(added: u64) -> ChangeImpact {
    let impact = TagImpact { entities: 100, had: 0, differ: 0, added };
    ChangeImpact { tags: [("busy".into(), impact)].into() }
}

fn busy() -> TagNames {
    TagNames::from(["busy".into()])
}

/// How many there are, and how many would get it, of what waits.
fn waits(rollout: &CatalogRollout) -> Vec<(u64, u64)> {
    rollout.status().held.iter().map(|(_, impact)| (impact.entities, impact.added)).collect()
}

#[test]
fn a_partition_counts_once_however_often_it_is_read_back() {
    let (rollout, told) = rollout();
    for _ in 0..3 {
        assert_eq!(rollout.approved_of_held(partition(0), busy(), &outlook(30)), TagNames::new());
        assert_eq!(rollout.approved_of_held(partition(1), busy(), &outlook(40)), TagNames::new());
    }
    assert_eq!(waits(&rollout), [(200, 70)]);
    rollout.forget_partition(partition(1));
    assert_eq!(waits(&rollout), [(100, 30)], "another instance has it");
    assert_eq!(rollout.approve(None), busy());
    assert_eq!(rollout.approved_of_held(partition(1), busy(), &outlook(40)), busy(), "it is approved meanwhile");
    let expected = [
        "Warn: tag busy still waits for approval: GET /v1/catalog says how many it concerns; POST \
         /v1/catalog/approve?tag=busy lets it go",
        "Info: approved: busy",
    ];
    assert_eq!(*told.lock().expect("a lock"), expected);
}

#[test]
fn what_was_found_so_far_decides() {
    let (rollout, told) = rollout();
    assert_eq!(rollout.assess_restored(partition(0), &outlook(10)), TagNames::new());
    assert_eq!(rollout.assess_restored(partition(1), &outlook(25)), TagNames::new(), "35 of 200");
    assert_eq!(rollout.assess_restored(partition(2), &outlook(50)), busy(), "85 of 300");
    // Of the others it was let go.
    assert_eq!(waits(&rollout), [(100, 50)]);
    let expected =
        ["Warn: tag busy waits: 85 of 300 would get it (20% at most without approval, service.max_change); POST \
         /v1/catalog/approve?tag=busy lets it go"];
    assert_eq!(*told.lock().expect("a lock"), expected);
}

#[test]
fn a_changed_catalog_is_told_from_the_proposal_to_the_approval() {
    let (rollout, told) = rollout();
    let changed = programs("n >= 2");
    let fingerprint = changed.fingerprint().to_owned();
    rollout.submit(changed);
    let (number, _) = rollout.view().pending.expect("a candidate");
    let found = [(partition(0), outlook(30)), (partition(1), outlook(40))];
    rollout.report_impact(WorkerId(0), number, found.into());
    assert_eq!(waits(&rollout), [(200, 70)]);
    rollout.approve(Some("busy"));
    let expected = [
        format!("Info: a changed catalog: its effects are being looked at ({fingerprint})"),
        format!("Info: catalog {fingerprint} is in force"),
        "Warn: tag busy waits: 70 of 200 would get it (20% at most without approval, service.max_change); POST \
         /v1/catalog/approve?tag=busy lets it go"
            .to_owned(),
        "Info: approved: busy".to_owned(),
    ];
    assert_eq!(*told.lock().expect("a lock"), expected);
}
