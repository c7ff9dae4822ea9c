//! One run of the service over the whole input: what it costs.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::message::Message;
use xxhash_rust::xxh3::xxh3_64;

use crate::broker::Broker;
use crate::client::{committed_of, delete_topic, onlooker, read_each};
use crate::service::{Program, Service, metric};
use crate::{EVENTS, cpu};

const CATALOG: &str = include_str!("catalog.yaml");

/// What a run has cost, and what it has written.
pub struct Run {
    /// From the first partition that runs to the last offset that is committed.
    pub took: Duration,
    pub cpu: Duration,
    pub broker_cpu: Duration,
    pub changes: u64,
    /// The same for the same changes, in whatever order.
    pub digest: u64,
    pub changelog_bytes: u64,
    pub commits: f64,
    /// From the begin of a transaction to its end, on average.
    pub commit_ms: f64,
}

/// How events get to where they are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// They are counted where they are read.
    Direct,
    /// They go through the repartition topic, as those of several inputs do.
    Merged,
}

/// When the offsets of the repartition topic have not moved for this long, all of it was counted.
const STILL: Duration = Duration::from_secs(2);

impl Run {
    /// Runs a program until it has committed all `events`.
    pub fn of(program: &Program, broker: &Broker, application: &str, route: Route, events: usize) -> Run {
        let merged = (route == Route::Merged).then_some("input.partitioned_by=none");
        // No clock follows the present: the events are of the past.
        let settings = merged.into_iter().chain(["service.idle_grace=off"]);
        let service = Service::new(program, broker, application, CATALOG, settings);
        let mut running = service.start();
        let onlooker = onlooker(broker, application);
        let clocks = || (cpu::used_by(running.id()), cpu::used_by(broker_pid(broker)));
        let (started, before) = (Instant::now(), clocks());
        let committed = |topic: &str| committed_of(&onlooker, topic).iter().flatten().sum::<i64>();
        let is_read = || committed(EVENTS) >= events as i64;
        while !is_read() {
            assert!(cpu::used_by(running.id()).is_some(), "{}", service.said());
            thread::sleep(Duration::from_millis(20));
        }
        let (mut took, mut after) = (started.elapsed(), clocks());
        if route == Route::Merged {
            // Counted when nothing moves any more. The last events wait for later ones, and the places of these for them.
            let by_user = format!("{application}-by-user");
            let mut known = committed(&by_user);
            while started.elapsed() < took + STILL {
                thread::sleep(Duration::from_millis(20));
                let now = committed(&by_user);
                if now != known {
                    (known, took, after) = (now, started.elapsed(), clocks());
                }
            }
        }
        let metrics = service.metrics();
        let commits = metric(&metrics, "tagstream_commit_duration_seconds_count");
        let commit_ms = metric(&metrics, "tagstream_commit_duration_seconds_sum") / commits * 1e3;
        drop(onlooker);
        let _ = running.kill();
        let _ = running.wait();
        let (mut changes, mut digest, mut changelog_bytes) = (0, 0_u64, 0);
        read_each(broker, &format!("{application}-changes"), |message| {
            changes += 1;
            digest = digest.wrapping_add(message.payload().map_or(0, xxh3_64));
        });
        let changelog = if route == Route::Direct { "changelog" } else { "by-user-changelog" };
        read_each(broker, &format!("{application}-{changelog}"), |message| {
            changelog_bytes += message.payload_len() as u64
        });
        delete_topics(broker, application);
        let used =
            |before: Option<Duration>, after: Option<Duration>| after.unwrap_or_default() - before.unwrap_or_default();
        let (cpu, broker_cpu) = (used(before.0, after.0), used(before.1, after.1));
        Run { took, cpu, broker_cpu, changes, digest, changelog_bytes, commits, commit_ms }
    }
}

/// What a run has written is not needed by the next one.
pub fn delete_topics(broker: &Broker, application: &str) {
    let metadata = onlooker(broker, "metadata").fetch_metadata(None, Duration::from_secs(10)).expect("metadata");
    let names = metadata.topics().iter().map(|topic| topic.name());
    names.filter(|name| name.starts_with(application)).for_each(|name| delete_topic(broker, name));
}

fn broker_pid(broker: &Broker) -> u32 {
    let text = fs::read_to_string(broker.folder().join("pid")).expect("the broker's process");
    text.trim().parse().expect("a number")
}
