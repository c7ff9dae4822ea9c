//! The options of the commands that replay events and report on them: `explain`, `diff`, `forecast` and `capacity`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::catalog_file;
use super::event_source::{EventSource, SourceArgs};
use super::models::{ModelAccess, ModelArgs};
use crate::cli::output::console::Format;
use crate::engine::{CompiledCatalog, Sink};
use crate::model::{Timestamp, TimestampError};
use crate::replay::Replay;

/// How to report, and what to read
#[derive(Debug, Args)]
pub(crate) struct ReplayToolArgs {
    /// How to report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    source: SourceArgs,
}

impl ReplayToolArgs {
    /// The events to replay, and the catalog to replay them under.
    ///
    /// # Errors
    /// The exit code, where the settings or the catalog cannot be used; their problems have been printed.
    pub(crate) fn open(&self, catalog: &Path) -> Result<(EventSource<'_>, Arc<CompiledCatalog>), ExitCode> {
        let source = self.source(&[catalog])?;
        let runnable = catalog_file::require(catalog, &self.model_access()).ok_or(ExitCode::FAILURE)?;
        Ok((source, runnable.compile()))
    }

    /// The events to replay under these catalogs.
    ///
    /// # Errors
    /// The exit code, where the settings or the paths cannot be used; it has been printed why.
    pub(crate) fn source(&self, catalogs: &[&Path]) -> Result<EventSource<'_>, ExitCode> {
        self.source.source(catalogs)
    }

    /// How to open the models of a catalog.
    pub(crate) fn model_access(&self) -> ModelAccess {
        self.models.access()
    }

    /// Ends a replay: with `--from-topic` the clock runs on to `now`, as the service's does, unless the replay has an
    /// earlier end.
    pub(crate) fn finish(&self, replay: &mut Replay, now: Timestamp, sink: &mut impl Sink) {
        self.source.finish(replay, now, sink);
    }
}

/// An instant on the command line.
///
/// # Errors
/// A text that is not RFC 3339 with an offset, or lies outside the years 0000 to 9999.
pub(crate) fn parse_time(text: &str) -> Result<Timestamp, TimestampError> {
    Timestamp::parse(text).ok().filter(|time| time.is_writable()).ok_or(TimestampError)
}
