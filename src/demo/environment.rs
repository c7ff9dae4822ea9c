//! The service's environment in the demo: its topics, settings, clock and listeners.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::clock::Speed;
use super::feeder::Progress;
use super::terminal::Terminal;
use crate::codec::ChangeFormat;
use crate::engine::CompiledCatalog;
use crate::http::CatalogErrors;
use crate::kafka::{
    Backfill, Clock, EmbeddedBroker, EventListener, FETCH_WAIT, Occurrence, Recovery, StopSignal, WorkerEvent,
};
use crate::serve::{ServeContext, ServeError, Serving};
use crate::service::ServiceContext;
use crate::settings::{
    Delivery, GroupProtocol, HttpSettings, InputFormat, InputSettings, Instance, KafkaSettings, MaxChange, Origin,
    OutputSettings, PartitionedBy, Properties, PushSettings, ScoringSettings, ServeSettings, ServiceSettings, Settings,
    Start,
};
use crate::telemetry::{DroppedLines, Severity};

pub(crate) const EVENTS: &str = "events";
pub(crate) const CHANGES: &str = "tag-changes";
pub(crate) const PARTITIONS: i32 = 4;
pub(crate) const TOPICS: [(&str, i32); 5] = [
    (EVENTS, PARTITIONS),
    (CHANGES, PARTITIONS),
    ("tags", PARTITIONS),
    ("tagstream-changelog", PARTITIONS),
    ("tagstream-dead-letter", 1),
];

/// The settings of a service on the embedded broker.
///
/// One worker: the broker does not keep the offsets of transactions, so a partition that moves would start over.
pub(crate) fn settings(broker: &EmbeddedBroker, speed: Speed) -> Settings {
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
            format: InputFormat::Json,
        },
        output: OutputSettings {
            changes: CHANGES.to_owned(),
            format: ChangeFormat::Tagstream,
            tags: Some("tags".to_owned()),
        },
        service: ServiceSettings {
            instance: Instance::Generated("demo".to_owned()),
            workers: NonZeroUsize::MIN,
            commit_interval: Duration::from_millis(20),
            delivery: Delivery::ExactlyOnce,
            idle_grace: Some(Duration::from_millis(speed.step_ms().unsigned_abs())),
            // The gym is silent at night, which lasts a third of a second.
            outage_after: None,
            max_change: MaxChange::Off,
            max_waiting_bytes: 1 << 20,
            watch_catalog: None,
        },
        state: None,
        http: HttpSettings { listen: None },
        serve: ServeSettings::default(),
        push: PushSettings::default(),
        scoring: ScoringSettings { library: None },
    }
}

pub(crate) fn context(progress: &Arc<Progress>) -> ServiceContext {
    let clock = Arc::clone(progress);
    ServiceContext {
        clock: Clock::with_own_pace(move || clock.clock.read_by_service()),
        listener: progress_listener(Arc::clone(progress)),
        stop: progress.stop.clone(),
        catalog: None,
        approve_changes: false,
        backfill: Backfill::Off,
        recovery: Recovery::default(),
        dropped_log_lines: DroppedLines::default(),
        payloads: None,
    }
}

/// Takes the service's progress from what its workers report. Warnings go to the standard error, unless the picture covers it.
fn progress_listener(progress: Arc<Progress>) -> EventListener {
    let picture = Terminal::is_there();
    Arc::new(move |event: WorkerEvent| {
        if let Occurrence::Committed { counts, .. } = &event.what {
            progress.has_read(counts.work.records);
        } else if !picture && event.severity() >= Severity::Warn {
            let _ = writeln!(io::stderr(), "tagstream: {event}");
        }
    })
}

/// The read side beside the service, at its usual address, or at another one where that is in use.
pub(crate) fn read_side(
    settings: &Settings,
    compiled: &Arc<CompiledCatalog>,
    progress: &Arc<Progress>,
    stop: &StopSignal,
    directory: PathBuf,
) -> Result<Serving, ServeError> {
    let no_file = || CatalogErrors { report: "the demo's catalog is no file".to_owned(), problems: Vec::new() };
    let clock = Arc::clone(progress);
    let context = ServeContext {
        source: Arc::new(move || Err(no_file())),
        listener: progress_listener(Arc::clone(progress)),
        stop: stop.clone(),
        clock: Clock::with_own_pace(move || clock.clock.read_by_service()),
    };
    let start = |port: u16| {
        let mut settings = settings.clone();
        settings.serve.listen.set_port(port);
        settings.serve.directory = Some(directory.clone());
        Serving::start(Arc::new(settings), Arc::clone(compiled), &context)
    };
    let usual = settings.serve.listen.port();
    match start(usual) {
        Err(ServeError::Server(_)) => start(0),
        started => started,
    }
}
