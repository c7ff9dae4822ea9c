//! `tagstream run`: the service, on a real Kafka.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::catalog_file::{CatalogFile, FileError};
use super::models::{ModelAccess, Runnable};
use super::{catalog_file, report};
use crate::catalog::{self, Catalog, Colours};
use crate::engine::Programs;
use crate::kafka::{self, Backfill, Role, Topology};
use crate::scoring::Patience;
use crate::service::{self, CatalogFaults, CatalogSource, ServiceError, Surroundings, Told};
use crate::settings::{self, ConfigFile, Fault, PartitionedBy, Problems, Settings, Sources};
use crate::telemetry;

/// Settings that cannot be used, or a cluster that does not fit them: `EX_CONFIG` of sysexits.h.
pub const EXIT_SETTINGS: u8 = 78;

/// Where settings come from, for the commands that talk to Kafka
#[derive(Debug, Args)]
pub struct SettingsArgs {
    /// The settings file [default: tagstream.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// One setting, over file and environment; may be repeated
    #[arg(short = 's', long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl SettingsArgs {
    /// Reads and checks the settings, or says everything that is wrong with them.
    pub fn load(&self, needs: Needs) -> Option<Settings> {
        let file = match &self.config {
            Some(path) => ConfigFile::Named(path.clone()),
            None => ConfigFile::Usual(PathBuf::from("tagstream.toml")),
        };
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let sources = Sources { file, environment, flags: self.set.clone() };
        match settings::load(&sources).and_then(|settings| complete(settings, needs)) {
            Ok(settings) => Some(settings),
            Err(problems) => {
                report(&format!("error: {problems}"));
                None
            }
        }
    }
}

/// Checks what the settings themselves do not know: librdkafka's properties, and what the command needs.
fn complete(settings: Settings, needs: Needs) -> Result<Settings, Problems> {
    let mut problems = Problems::default();
    kafka::check_properties(&settings, &mut problems);
    if needs == Needs::Catalog && settings.catalog.is_none() {
        let example = "give it the path of the catalog, such as \"catalog.yaml\"";
        problems.push("catalog", None, Fault::Missing { example });
    }
    if needs == Needs::Catalog
        && let Err(error) = kafka::prepare_snapshots(&settings)
    {
        problems.push("state.directory", None, Fault::Other(format!("snapshots cannot be written there: {error}")));
    }
    if problems.is_empty() { Ok(settings) } else { Err(problems) }
}

/// The catalog as it is in its file now, ready to run, or all its problems.
fn reread(path: &Path, access: &ModelAccess) -> Result<Arc<Programs>, CatalogFaults> {
    let unreadable = |error: FileError| CatalogFaults { report: error.to_string(), problems: Vec::new() };
    let file = CatalogFile::open(path, access).map_err(unreadable)?;
    let faults = CatalogFaults {
        report: file.report(Colours::Off),
        problems: file.loaded.problems.iter().map(catalog::as_json).collect(),
    };
    let catalog = file.loaded.catalog.ok_or(faults)?;
    Ok(Runnable { catalog, models: file.models }.programs())
}

/// What a command cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    Kafka,
    Catalog,
}

/// Run the service: events from Kafka in, tag changes to Kafka out
///
/// Ends with 0 when told to stop (SIGTERM, Ctrl-C), 1 when something is wrong that only a person can mend,
/// 2 on wrong usage, 78 when the settings are wrong or topics and rights in Kafka are not what they ask for.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    settings: SettingsArgs,

    /// Approve what follows from the catalog, however many it concerns (see service.max_change)
    #[arg(long)]
    approve_changes: bool,

    /// Count what the input topic retains for counters that are new or not complete, before their partitions run
    ///
    /// Only where one topic, partitioned by user, is the input, and the catalog has no other kinds of entities. Leave it
    /// away at the next start.
    #[arg(long)]
    rebuild: bool,
}

/// Whether histories can be counted again: each partition's events have to be those of its own entities.
fn check_rebuild(settings: &Settings, catalog: &Catalog) -> Result<(), String> {
    let streams = Topology::of(settings, Some(catalog));
    if streams.iter().all(|(_, plan)| plan.role == Role::Direct) {
        return Ok(());
    }
    let because = match settings.input.topics.len() {
        1 if settings.input.partitioned_by == PartitionedBy::User => "the catalog has other entities than users",
        1 => "the input is not partitioned by user",
        _ => "there are several input topics",
    };
    Err(format!(
        "--rebuild is not possible, since {because}: events are passed on and merged, and what was passed on is not \
         retained as the input is; start without it, and new counters fill from now on"
    ))
}

pub fn run(args: &RunArgs) -> ExitCode {
    if let Err(why) = telemetry::init() {
        report(&format!("error: {why}"));
        return ExitCode::from(EXIT_SETTINGS);
    }
    let Some(settings) = args.settings.load(Needs::Catalog) else {
        return ExitCode::from(EXIT_SETTINGS);
    };
    let access = ModelAccess::new(settings.scoring.library.clone(), Patience::Bounded);
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
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        application = settings.kafka.application,
        instance = settings.service.instance,
        workers = settings.service.workers,
        catalog = format!("{:016x}", runnable.catalog.fingerprint),
        "starting"
    );
    let source: Option<CatalogSource> =
        settings.catalog.clone().map(|path| -> CatalogSource { Arc::new(move || reread(&path, &access)) });
    let surroundings = Surroundings {
        catalog: source,
        approve_changes: args.approve_changes,
        backfill: if args.rebuild { Backfill::On } else { Backfill::Off },
        ..Surroundings::usual(service::to_log())
    };
    match service::run(settings, runnable.programs(), surroundings) {
        Ok(()) => {
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Err(ServiceError::Impatient(told)) => {
            tracing::warn!("{}", ServiceError::Impatient(told));
            ExitCode::from(match told {
                Told::Interrupt => 130,
                Told::Terminate => 143,
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
