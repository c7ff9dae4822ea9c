//! `tagstream topics`: creates and checks the topics that the service writes.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::catalog::Colours;
use crate::cli::input::catalog_file;
use crate::cli::input::models::ModelAccess;
use crate::cli::input::settings_args::{EXIT_SETTINGS, Needs, SettingsArgs};
use crate::cli::output::console::{print_text, report};
use crate::kafka::topics::{self, Mode, Options};
use crate::{service, telemetry};

/// Create and check the topics that the service writes
#[derive(Debug, Args)]
pub(crate) struct TopicsArgs {
    #[command(subcommand)]
    command: TopicsCommand,
}

#[derive(Debug, Subcommand)]
enum TopicsCommand {
    Create(CreateArgs),
}

/// Create the topics that are missing, and check those that exist
///
/// Tag changes, current tags, changelog and dead letters get as many partitions as the input has, and the policies
/// that they need; so do the repartition topics of the catalog's other kinds of entities. A topic that exists is never
/// changed. Exits with 0 when all topics are correct, 1 when not, 2 on wrong usage, 78 when the settings are wrong.
#[derive(Debug, Args)]
struct CreateArgs {
    #[command(flatten)]
    settings: SettingsArgs,

    /// The number of replicas of each partition [default: the brokers' default]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    replication_factor: Option<u16>,

    /// Also create the input topic, with this number of partitions
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    input_partitions: Option<u16>,

    /// Print what would be created, and create nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(args: &TopicsArgs) -> ExitCode {
    let _log = match telemetry::init() {
        Ok(log) => log,
        Err(why) => {
            report(&format!("error: {why}"));
            return ExitCode::from(EXIT_SETTINGS);
        }
    };
    match &args.command {
        TopicsCommand::Create(args) => create(args),
    }
}

fn create(args: &CreateArgs) -> ExitCode {
    let Some(settings) = args.settings.load(Needs::Kafka) else {
        return ExitCode::from(EXIT_SETTINGS);
    };
    let options = Options {
        replication_factor: args.replication_factor,
        input_partitions: args.input_partitions,
        mode: if args.dry_run { Mode::DryRun } else { Mode::Create },
    };
    let catalog = match settings.catalog.as_deref().filter(|path| path.is_file()) {
        Some(path) => match catalog_file::require(path, &ModelAccess::none()) {
            Some(runnable) => Some(runnable.catalog),
            None => return ExitCode::FAILURE,
        },
        None => None,
    };
    match topics::create(&settings, catalog.as_ref(), options, &service::to_log()) {
        Ok(lines) => {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let printed = print_text(&text, Colours::Off);
            if lines.iter().all(|line| line.outcome.is_fine()) { printed } else { ExitCode::FAILURE }
        }
        Err(error) => {
            report(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}
