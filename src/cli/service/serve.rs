//! `tagstream serve`: the read side.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use crate::catalog::Colours;
use crate::cli::input::catalog_file::{self, LoadError};
use crate::cli::input::models::ModelAccess;
use crate::cli::input::settings_args::{EXIT_SETTINGS, Needs, SettingsArgs};
use crate::cli::output::console::fail;
use crate::kafka::StopSignal;
use crate::scoring::SlowModelPolicy;
use crate::serve::{self, ServeContext, ServeError};
use crate::service::{self, CatalogSource};

/// Answer who has which tag, why, and what comes next, over HTTP
///
/// Follows the changelogs of the service and only reads: there may be several of these, and workers do not know of them.
/// Exits with 0 when stopped by SIGTERM or Ctrl-C, 1 on an error that only an operator can correct, 2 on wrong usage,
/// 78 when the settings are wrong.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    settings: SettingsArgs,
}

pub(crate) fn run(args: &ServeArgs) -> ExitCode {
    let (_log, settings) = match args.settings.start(Needs::Catalog) {
        Ok(started) => started,
        Err(code) => return code,
    };
    let Some(path) = settings.catalog.clone() else { return ExitCode::from(EXIT_SETTINGS) };
    if let Err(error) = catalog_file::check_plain(&path) {
        return fail(&error);
    }
    let access = ModelAccess::new(settings.scoring.library.clone(), SlowModelPolicy::Pause);
    let Some(runnable) = catalog_file::require(&path, &access) else {
        return ExitCode::FAILURE;
    };
    let source: CatalogSource = Arc::new(move || {
        let loaded = catalog_file::load(&path, &access, Colours::Off);
        loaded.map(|catalog| catalog.compile()).map_err(LoadError::into_catalog_errors)
    });
    let context =
        ServeContext { source, listener: service::to_log(), stop: StopSignal::default(), clock: service::wall_clock() };
    match serve::run(settings, runnable.compile(), &context) {
        Ok(()) => {
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Err(error @ (ServeError::Server(_) | ServeError::Access(_) | ServeError::Tls(_) | ServeError::Audit(_))) => {
            tracing::error!("{error}");
            ExitCode::from(EXIT_SETTINGS)
        }
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
