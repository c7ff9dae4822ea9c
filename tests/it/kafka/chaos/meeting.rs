//! Instances are killed while events of two inputs pass through a topic in between: two hops, each exactly once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::crew::Crew;
use super::{SESSION, hasty, long_kills, seed};
use crate::kafka::broker;
use crate::kafka::merged::{CATALOG, Mixed, compare};
use crate::kafka::service::Setup;

#[test]
fn killed_instances_leave_no_trace_in_what_was_merged() {
    let (seed, kills) = (seed(), long_kills().map_or(5, |kills| kills / 2));
    let broker = broker::shared();
    let setup = hasty(Setup::on("chaos-meeting", broker, CATALOG))
        .with("input.topics=chaos-meeting-events,chaos-meeting-more")
        .with("input.partitioned_by=none")
        .with("service.idle_grace=8s");
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
    let mut crew = Crew::start(&setup, &["one", "two", "three"], SESSION, seed);
    crew.kill(kills);
    stop.store(true, Ordering::Relaxed);
    writer.join().expect("the writer");
    // Nothing but time moves the clocks now.
    crew.kill(kills + 2);
    let compared = compare(broker, &setup, &["events", "more"], || crew.bring_back());
    println!("meeting: {}; {compared:?}", crew.stop());
    assert!(compared.changes > 2_000, "too little: {compared:?}");
}
