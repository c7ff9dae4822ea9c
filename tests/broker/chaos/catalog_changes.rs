//! The catalog is edited again and again while instances are killed: what comes out is what one that never stops, and
//! adopts each catalog at the places where they did, would have said.

use std::thread;
use std::time::Duration;

use super::feeder::{Events, Feeder, Pace, catalog};
use super::instance_faults::Instances;
use super::{REST_PATIENCE, SESSION, hasty, is_all_done, long_kills, seed, verify_eras};
use crate::fixture::broker;
use crate::oracle::catalog_eras::{create_changelog, eras, is_in_force};
use crate::oracle::verify::Clocks;
use crate::support::service::Setup;

const PARTITIONS: u32 = 8;

/// Edits, one upon the other: what they replace, and by what.
const EDITS: [(&str, &str); 6] = [
    // A threshold.
    ("visits >= 3, until: visits < 2", "visits >= 2, until: visits < 1"),
    // A wider window, and a tag that waits.
    ("visits: { count: visit, window: 1h }", "visits: { count: visit, window: 2h }"),
    // A name.
    ("  keen:", "  eager:"),
    // A new counter, with a tag that is on where there is nothing.
    ("  bought:", "  bought_1h: { count: purchase, window: 1h }\n  bought:"),
    ("  silent:", "  idle: { when: bought_1h == 0 }\n  buying: { when: bought_1h >= 2 }\n  silent:"),
    // Bands; a tag less; a time zone.
    ("  dear: { when: dearest > 90 && last_amount > 50 }\n", ""),
];

/// The catalogs, one after the other. Edits that only make sense together come together.
fn editions(first: String) -> Vec<String> {
    let mut editions = vec![first];
    for (from, to) in EDITS {
        let last = editions.last().expect("the first");
        assert!(last.contains(from), "nothing to edit: {from}");
        editions.push(last.replace(from, to));
    }
    let last = editions.last().expect("the first");
    editions.push(last.replace("Asia/Shanghai", "Europe/Berlin").replace("below: 50", "below: 40"));
    editions
}

#[test]
fn catalogs_that_change_while_instances_die_change_everything_once() {
    let (seed, faults) = (seed(), long_kills().map_or(1, |kills| kills / 10));
    let pace = Pace::Past { step_ms: 1_000 };
    let broker = broker::shared();
    let editions = editions(catalog(pace));
    let setup = hasty(Setup::on("chaos-reload", broker, &editions[0]))
        .with("service.idle_grace=off")
        .with("service.max_change=off");
    let changelog = format!("{}-changelog", setup.application);
    create_changelog(broker, &changelog, PARTITIONS as i32);
    setup.create_topics(PARTITIONS);
    let feeder = Feeder::start(broker, setup.topic("events"), Events::new(seed, pace, PARTITIONS as usize), 100);
    let mut instances = Instances::start(&setup, &["one", "two", "three"], SESSION, seed);
    let mut dice = fastrand::Rng::with_seed(seed);
    for (number, edition) in editions.iter().enumerate() {
        if number > 0 {
            setup.edit(edition);
            instances.reload();
            thread::sleep(Duration::from_millis(dice.u64(0..1_500)));
            instances.kill_one();
        }
        instances.rest_until("the catalog to be in force", REST_PATIENCE, || {
            is_in_force(broker, &changelog, PARTITIONS as usize, edition)
        });
        for _ in 0..faults {
            thread::sleep(Duration::from_millis(dice.u64(200..1_500)));
            instances.break_something();
        }
    }
    let fed = feeder.stop();
    instances.rest_until("the end", REST_PATIENCE, || is_all_done(broker, &setup));
    println!("reload: {}; {fed:?}", instances.stop());
    let eras = eras(broker, &changelog, PARTITIONS as usize);
    assert!(eras.iter().all(|eras| eras.len() >= editions.len()), "a catalog was never in force: {eras:?}");
    let verdict = verify_eras(broker, &setup, Clocks::Events, &editions[..editions.len() - 1]);
    println!("reload: {verdict}");
    assert!(verdict.by_catalog > 200, "too little: {verdict}");
}
