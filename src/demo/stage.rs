//! What the service finds in the demo: its topics, its settings, its clock, and who hears what it has to say.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use super::feeder::Progress;
use super::terminal::Terminal;
use super::time::Speed;
use crate::kafka::{Backfill, Clock, EmbeddedBroker, EventListener, FETCH_WAIT, Occurrence, WorkerEvent};
use crate::service::Surroundings;
use crate::settings::{
    Delivery, GroupProtocol, HttpSettings, InputSettings, KafkaSettings, MaxChange, Membership, Origin, OutputSettings,
    PartitionedBy, Properties, ScoringSettings, ServiceSettings, Settings, Start,
};
use crate::telemetry::Severity;

pub const EVENTS: &str = "events";
pub const CHANGES: &str = "tag-changes";
pub const PARTITIONS: i32 = 4;
pub const TOPICS: [(&str, i32); 5] = [
    (EVENTS, PARTITIONS),
    (CHANGES, PARTITIONS),
    ("tags", PARTITIONS),
    ("tagstream-changelog", PARTITIONS),
    ("tagstream-dead-letter", 1),
];

/// The settings of a service on the embedded broker.
///
/// One worker: the broker keeps no offsets of transactions, so a partition that changes hands would start over.
pub fn settings(broker: &EmbeddedBroker, speed: Speed) -> Settings {
    let mut properties = Properties::default();
    let (wait, ms) = FETCH_WAIT;
    properties.insert(wait.to_owned(), ms.to_owned(), Origin::Default);
    Settings {
        catalog: None,
        kafka: KafkaSettings {
            brokers: broker.address(),
            application: "tagstream".to_owned(),
            group_protocol: GroupProtocol::Classic,
            properties,
        },
        input: InputSettings {
            topics: vec![EVENTS.to_owned()],
            start: Start::Earliest,
            partitioned_by: PartitionedBy::User,
        },
        output: OutputSettings { changes: CHANGES.to_owned(), tags: Some("tags".to_owned()) },
        service: ServiceSettings {
            instance: "demo".to_owned(),
            workers: NonZeroUsize::MIN,
            membership: Membership::Static,
            commit_interval: Duration::from_millis(20),
            delivery: Delivery::ExactlyOnce,
            idle_grace: Duration::from_millis(speed.step_ms().unsigned_abs()),
            // The nights of the gym are silent, and last a third of a second.
            outage_after: None,
            max_change: MaxChange::Off,
            max_waiting_bytes: 1 << 20,
        },
        state: None,
        http: HttpSettings { listen: None },
        scoring: ScoringSettings { library: None },
    }
}

pub fn surroundings(progress: &Arc<Progress>) -> Surroundings {
    let time = Arc::clone(progress);
    Surroundings {
        clock: Clock::new(move || time.time.look()),
        notices: notices(Arc::clone(progress)),
        stop: progress.stop.clone(),
        catalog: None,
        approve_changes: false,
        backfill: Backfill::Off,
    }
}

/// Takes the service's progress from its notices; troubles go to the standard error, unless that is behind the picture.
fn notices(progress: Arc<Progress>) -> EventListener {
    let picture = Terminal::is_there();
    Arc::new(move |notice: WorkerEvent| {
        if let Occurrence::Committed { counts, .. } = &notice.what {
            progress.has_read(counts.work.records);
        } else if !picture && notice.severity() >= Severity::Warn {
            eprintln!("tagstream: {notice}");
        }
    })
}
