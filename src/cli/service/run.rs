//! `tagstream run`: runs the service.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use crate::catalog::{Catalog, Colours};
use crate::cli::input::catalog_file::{self, LoadError};
use crate::cli::input::models::ModelAccess;
use crate::cli::input::settings_args::{EXIT_SETTINGS, Needs, SettingsArgs};
use crate::cli::output::console::fail;
use crate::codec::PayloadFormat;
use crate::kafka::{Backfill, Recovery, RecoveryPoint, Role, Topology};
use crate::registry::ConfluentFormat;
use crate::scoring::SlowModelPolicy;
use crate::service::{self, CatalogSource, ServiceContext, ServiceError, TerminationSignal};
use crate::settings::{InputFormat, PartitionedBy, Settings};

/// Run the service: events from Kafka in, tag changes to Kafka out
///
/// Exits with 0 when stopped by SIGTERM or Ctrl-C, 1 on an error that only an operator can correct, 2 on wrong usage,
/// 78 when the settings are wrong, or topics and ACLs in Kafka do not fit them.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    settings: SettingsArgs,

    /// Approve the tag changes that follow from the catalog, however many entities they concern (see service.max_change)
    #[arg(long)]
    approve_changes: bool,

    /// Fill counters that are new or incomplete from the records that the input topic retains, before partitions run
    ///
    /// Only possible where the input is one topic, partitioned by user, and the catalog has no other kinds of entities.
    /// Omit it at the next start.
    #[arg(long)]
    rebuild: bool,

    /// Go on although records are gone that were not read: as TOPIC/PARTITION@OFFSET, where the offset is the one at which
    /// the partition stands
    ///
    /// The state goes on at the first record that exists. The service tells the value when it stops such a partition. It has
    /// no effect on another partition, or once the partition stands at another offset. May repeat.
    #[arg(long, value_name = "TOPIC/PARTITION@OFFSET")]
    accept_gap: Vec<RecoveryPoint>,

    /// Where the state of a partition cannot be used: begin with an empty one, and count again what the input retains
    ///
    /// The offset is the one at which the group stands. All changes of the partition are sent again.
    #[arg(long, value_name = "TOPIC/PARTITION@OFFSET")]
    recount: Vec<RecoveryPoint>,

    /// Where the state of a partition cannot be used: go on at the group's offset with an empty one
    ///
    /// Counters have seen nothing from before; tags that are certain all the same are announced again.
    #[arg(long, value_name = "TOPIC/PARTITION@OFFSET")]
    start_empty: Vec<RecoveryPoint>,
}

impl RunArgs {
    fn recovery(&self) -> Recovery {
        let RunArgs { accept_gap, recount, start_empty, .. } = self;
        Recovery { accept_gap: accept_gap.clone(), recount: recount.clone(), start_empty: start_empty.clone() }
    }
}

/// Whether the group reads the partitions that the operator names.
fn check_recovery(recovery: &Recovery, settings: &Settings, catalog: &Catalog) -> Result<(), String> {
    if let Some(both) = recovery.recount.iter().find(|point| recovery.start_empty.contains(point)) {
        return Err(format!("{both}: --recount and --start-empty exclude each other"));
    }
    let topology = Topology::of(settings, Some(catalog));
    let topics: Vec<&str> = topology.iter().map(|(_, plan)| &*plan.topic).collect();
    match recovery.points().find(|point| !topics.contains(&&*point.topic)) {
        None => Ok(()),
        Some(point) => {
            Err(format!("{point}: the service does not read the topic {}, but {}", point.topic, topics.join(" and ")))
        }
    }
}

/// Whether counters can be filled from the input: each partition's events must be those of its own entities.
fn check_rebuild(settings: &Settings, catalog: &Catalog) -> Result<(), String> {
    let streams = Topology::of(settings, Some(catalog));
    if streams.iter().all(|(_, plan)| plan.role == Role::Direct) {
        return Ok(());
    }
    let because = match settings.input.topics.len() {
        1 if settings.input.partitioned_by == PartitionedBy::User => "the catalog has entities other than users",
        1 => "the input is not partitioned by user",
        _ => "there are several input topics",
    };
    Err(format!(
        "--rebuild is not possible, since {because}: events go through repartition topics, which do not retain them as \
         the input does; start without it, and new counters fill from now on"
    ))
}

pub(crate) fn run(args: &RunArgs) -> ExitCode {
    let (log, settings) = match args.settings.start(Needs::Catalog) {
        Ok(started) => started,
        Err(code) => return code,
    };
    let access = ModelAccess::new(settings.scoring.library.clone(), SlowModelPolicy::Pause);
    // A reload reads the file again, so it cannot be a stream.
    if let Some(Err(error)) = settings.catalog.as_deref().map(catalog_file::check_plain) {
        return fail(&error);
    }
    let runnable = settings.catalog.as_deref().and_then(|path| catalog_file::require(path, &access));
    let Some(runnable) = runnable else {
        return ExitCode::FAILURE;
    };
    if args.rebuild
        && let Err(why) = check_rebuild(&settings, &runnable.catalog)
    {
        tracing::error!("{why}");
        return ExitCode::from(EXIT_SETTINGS);
    }
    let recovery = args.recovery();
    if let Err(why) = check_recovery(&recovery, &settings, &runnable.catalog) {
        tracing::error!("{why}");
        return ExitCode::from(EXIT_SETTINGS);
    }
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        application = settings.kafka.application,
        instance = settings.service.instance.name(),
        workers = settings.service.workers,
        catalog = format!("{:016x}", runnable.catalog.fingerprint),
        "starting"
    );
    let source: Option<CatalogSource> = settings.catalog.clone().map(|path| -> CatalogSource {
        Arc::new(move || {
            let loaded = catalog_file::load(&path, &access, Colours::Off);
            loaded.map(|catalog| catalog.compile()).map_err(LoadError::into_catalog_errors)
        })
    });
    let payloads: Option<Arc<dyn PayloadFormat>> = match &settings.input.format {
        InputFormat::Json => None,
        InputFormat::Confluent(registry) => match ConfluentFormat::start(registry) {
            Ok(format) => Some(Arc::new(format)),
            Err(error) => {
                tracing::error!("{error}");
                return ExitCode::from(EXIT_SETTINGS);
            }
        },
    };
    let context = ServiceContext {
        payloads,
        catalog: source,
        approve_changes: args.approve_changes,
        recovery,
        backfill: if args.rebuild { Backfill::On } else { Backfill::Off },
        dropped_log_lines: log.dropped_lines(),
        ..ServiceContext::new(service::to_log())
    };
    match service::run(settings, runnable.compile(), context) {
        Ok(()) => {
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Err(ServiceError::Forced(signal)) => {
            tracing::warn!("{}", ServiceError::Forced(signal));
            ExitCode::from(match signal {
                TerminationSignal::Interrupt => 130,
                TerminationSignal::Terminate => 143,
            })
        }
        Err(error @ ServiceError::Http(_)) => {
            tracing::error!("{error}");
            ExitCode::from(EXIT_SETTINGS)
        }
        Err(error) => {
            tracing::error!("{error}");
            if error.is_configuration() { ExitCode::from(EXIT_SETTINGS) } else { ExitCode::FAILURE }
        }
    }
}
