//! The wall clock steps back by an hour while the service runs: events are still accepted, and the log says so.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tagstream::catalog;
use tagstream::engine::CompiledCatalog;
use tagstream::kafka::{Clock, StopSignal, WorkerEvent};
use tagstream::model::Timestamp;
use tagstream::service::{self, ServiceContext};

use crate::fixture::broker;
use crate::fixture::client::{Write, committed, produce, read_all};
use crate::fixture::counting::COUNT;
use crate::fixture::now_ms;
use crate::support::service::Setup;

fn events(count: usize) -> Vec<Write> {
    let event = |n: usize| format!(r#"{{"user_id":"u{n}","type":"click","timestamp":{}}}"#, now_ms());
    (0..count).map(|n| Write::event(0, &format!("u{n}"), event(n))).collect()
}

fn wait(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(Instant::now() < deadline, "waiting for {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn events_are_not_refused_after_the_wall_clock_steps_back() {
    let broker = broker::shared();
    let setup = Setup::on("stepped", broker, COUNT);
    setup.create_topics(1);
    let topic = setup.topic("events");
    let ahead_ms = Arc::new(AtomicI64::new(0));
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let stop = StopSignal::default();
    let context = {
        let (ahead_ms, told) = (Arc::clone(&ahead_ms), Arc::clone(&told));
        let listener = move |event: WorkerEvent| told.lock().expect("a lock").push(event.to_string());
        let clock = Clock::new(move || Timestamp::from_ms(now_ms() + ahead_ms.load(Ordering::Relaxed)));
        ServiceContext { clock, stop: stop.clone(), ..ServiceContext::new(Arc::new(listener)) }
    };
    let (settings, loaded) = (setup.settings(), catalog::load(COUNT));
    let compiled = CompiledCatalog::new(loaded.catalog.expect("a catalog"));
    let running = thread::spawn(move || service::run(settings, compiled, context));
    let read = |count| committed(broker, &setup.application, &topic)[0] == Some(count);
    produce(broker, &topic, events(100));
    wait("the first events", || read(100));
    ahead_ms.store(-3_600_000, Ordering::Relaxed);
    produce(broker, &topic, events(100));
    wait("the second events", || read(200));
    assert_eq!(read_all(broker, &setup.topic("dead-letter")).len(), 0, "valid events are refused");
    let says = |words: &str| told.lock().expect("a lock").iter().any(|line| line.contains(words));
    wait("the step to be told", || says("the wall clock has stepped back by 3"));
    wait("another producer", || says("new producer, since the wall clock has stepped back"));
    produce(broker, &topic, events(100));
    wait("the third events", || read(300));
    stop.give();
    running.join().expect("the thread").expect("it ends well");
}
