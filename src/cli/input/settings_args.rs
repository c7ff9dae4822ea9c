//! The options that say where settings are, and the check of what a command needs of them.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::cli::output::console::report;
use crate::kafka;
use crate::settings::{self, ConfigFile, Fault, Problems, Settings, Signing, Sources};
use crate::telemetry::{self, LogOutput};

/// The exit code for wrong settings, and for a cluster that does not fit them: `EX_CONFIG` of sysexits.h.
pub(crate) const EXIT_SETTINGS: u8 = 78;

/// Where settings come from, for the commands that talk to Kafka
#[derive(Debug, Args)]
pub(crate) struct SettingsArgs {
    /// The settings file [default: tagstream.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// One setting, which overrides file and environment; may be repeated
    #[arg(short = 's', long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl SettingsArgs {
    /// Begins the log of a process, and reads the settings.
    ///
    /// # Errors
    /// The exit code, where one of the two is wrong; its problems have been printed.
    pub(crate) fn start(&self, needs: Needs) -> Result<(LogOutput, Settings), ExitCode> {
        let log = telemetry::init().map_err(|why| {
            report(&format!("error: {why}"));
            ExitCode::from(EXIT_SETTINGS)
        })?;
        let settings = self.load(needs).ok_or(ExitCode::from(EXIT_SETTINGS))?;
        Ok((log, settings))
    }

    /// Reads and checks the settings; prints all their problems and returns `None` where there are any.
    pub(crate) fn load(&self, needs: Needs) -> Option<Settings> {
        let file = match &self.config {
            Some(path) => ConfigFile::Named(path.clone()),
            None => ConfigFile::Default(PathBuf::from("tagstream.toml")),
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

/// Checks what the part `settings` cannot: librdkafka's properties, and what the command needs.
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
    if needs == Needs::Receiver {
        if settings.push.url.is_none() {
            let example = "give it the address of a receiver, such as \"https://hooks.example.com/tags\"";
            problems.push("push.url", None, Fault::Missing { example });
        }
        if settings.push.signing == Signing::Undecided {
            let example = "give it the path of a file with a secret, made with: echo whsec_$(openssl rand -base64 32) \
                           > push-secret; or \"off\" for requests without a signature";
            problems.push("push.secret", None, Fault::Missing { example });
        }
    }
    if problems.is_empty() { Ok(settings) } else { Err(problems) }
}

/// What a command needs of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    Kafka,
    Catalog,
    /// Where changes are posted.
    Receiver,
}
