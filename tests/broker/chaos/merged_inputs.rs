//! Instances are killed while events of two inputs pass through a topic in between: two hops, each exactly once. In the
//! middle of it the catalog is changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::instance_faults::Instances;
use super::{REST_PATIENCE, SESSION, hasty, long_kills, seed};
use crate::fixture::broker;
use crate::oracle::catalog_eras::{create_changelog, is_in_force};
use crate::oracle::merged_replay::{CATALOG, Mixed, compare_eras};
use crate::support::service::Setup;

const KINDS: [&str; 2] = ["user", "account"];

fn changelog(kind: &str) -> String {
    format!("chaos-meeting-by-{kind}-changelog")
}

#[test]
fn killed_instances_leave_no_trace_in_what_was_merged() {
    let (seed, kills) = (seed(), long_kills().map_or(4, |kills| kills / 2));
    let broker = broker::shared();
    let setup = hasty(Setup::on("chaos-meeting", broker, CATALOG))
        .with("input.topics=chaos-meeting-events,chaos-meeting-more")
        .with("input.partitioned_by=none")
        .with("service.max_change=off")
        .with("service.idle_grace=8s");
    KINDS.iter().for_each(|kind| create_changelog(broker, &changelog(kind), 3));
    setup.create_topics(3);
    let topic = |place: i32| setup.topic(if place < 3 { "events" } else { "more" });
    // One partition of the six is idle for ever.
    let places: Vec<(String, i32)> = (0..5).map(|place| (topic(place), place % 3)).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let writer = thread::spawn(move || {
        let mut mixed = Mixed::new(seed);
        while !told.load(Ordering::Relaxed) {
            mixed.write_now(broker, &places, 200);
            thread::sleep(Duration::from_millis(50));
        }
    });
    let mut instances = Instances::start(&setup, &["one", "two", "three"], SESSION, seed);
    instances.kill(kills);
    edit(&setup, &mut instances);
    instances.kill(kills + 3);
    stop.store(true, Ordering::Relaxed);
    writer.join().expect("the writer");
    // Nothing but time moves the clocks now.
    instances.kill(kills + 5);
    let earlier = [CATALOG.to_owned()];
    let compared = compare_eras(broker, &setup, &["events", "more"], &earlier, || instances.bring_back());
    println!("meeting: {}; {compared:?}", instances.stop());
    assert!(compared.changes > 2_000, "too little: {compared:?}");
}

/// Edits the catalog, and kills one that has to adopt it.
fn edit(setup: &Setup, instances: &mut Instances<'_>) {
    let edited = CATALOG
        .replace("visits >= 3, until: visits < 2", "visits >= 2, until: visits < 1")
        .replace("  spend:", "  spending:")
        .replace(
            "seats: { distinct: properties.seat, on: \"*\", window: 10s",
            "seats: { distinct: properties.seat, on: \"*\", window: 20s",
        )
        .replace("  latest_sale:", "  slow: { when: recent == 0, entity: account }\n  latest_sale:")
        .replace("  last_sale:", "  recent: { count: purchase, window: 5s, entity: account }\n  last_sale:");
    setup.edit(&edited);
    instances.reload();
    thread::sleep(Duration::from_millis(500));
    instances.kill_one();
    let adopted = |kind: &&str| is_in_force(broker::shared(), &changelog(kind), 3, &edited);
    instances.rest_until("the catalog to be in force", REST_PATIENCE, || KINDS.iter().all(adopted));
}
