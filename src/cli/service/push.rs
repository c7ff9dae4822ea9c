//! `tagstream push`: posts tag changes to a webhook.

use std::process::ExitCode;

use clap::Args;

use crate::cli::input::settings_args::{EXIT_SETTINGS, Needs, SettingsArgs};
use crate::kafka::StopSignal;
use crate::push::{self, PushContext};
use crate::service;

/// Post tag changes to a webhook, signed and in order, for receivers without Kafka
///
/// Reads the tag changes as a consumer group and posts them in batches to `push.url`. Each change arrives at least once, with
/// an id by which repeats are found; changes of one entity arrive in their order. What the receiver refuses goes to the topic
/// `<push.group>-dead-letter`. Several of these processes share the partitions. Exits with 0 when stopped by SIGTERM or
/// Ctrl-C, after the requests that are under way, 1 on an unexpected error, 2 on wrong usage, 78 when the settings or the
/// topics are wrong.
#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    #[command(flatten)]
    settings: SettingsArgs,
}

pub(crate) fn run(args: &PushArgs) -> ExitCode {
    let (_log, settings) = match args.settings.start(Needs::Receiver) {
        Ok(started) => started,
        Err(code) => return code,
    };
    let context =
        PushContext { listener: service::to_log(), stop: StopSignal::default(), clock: service::wall_clock() };
    match push::run(settings, &context) {
        Ok(()) => {
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!("{error}");
            if error.is_configuration() { ExitCode::from(EXIT_SETTINGS) } else { ExitCode::FAILURE }
        }
    }
}
