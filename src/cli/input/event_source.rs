//! The source of a command's events: recorded files, or the input topic.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::catalog_file::check_stdin;
use super::lines::each_line;
use super::settings_args::{EXIT_SETTINGS, Needs, SettingsArgs};
use crate::catalog::Catalog;
use crate::cli::output::console::{fail, report};
use crate::cli::output::progress::Progress;
use crate::codec::{Decoder, InputRecord, PayloadFormat};
use crate::engine::Sink;
use crate::kafka::{EventListener, TopicScan, TopicScanError};
use crate::model::{Event, Timestamp};
use crate::registry::{ConfluentFormat, RegistryError};
use crate::replay::{ReadError, Replay};
use crate::settings::{InputFormat, Settings};

/// Where the events come from
#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// NDJSON files, plain, gzip or zstd, read one after the other; - is the standard input
    #[arg(
        long,
        short,
        required_unless_present = "from_topic",
        conflicts_with = "from_topic",
        value_name = "FILE",
        value_delimiter = ','
    )]
    input: Vec<PathBuf>,
    /// Read the input topic instead, from its beginning to its present end, with its partitions merged by time
    #[arg(long)]
    from_topic: bool,
    #[command(flatten, next_help_heading = "With --from-topic")]
    settings: SettingsArgs,
}

/// A source of events, which can be read once.
pub(crate) enum EventSource<'a> {
    Files(&'a [PathBuf]),
    Topics(Box<Settings>),
}

/// Why events cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EventSourceError {
    #[error(transparent)]
    Input(#[from] ReadError),
    #[error(transparent)]
    Archive(#[from] TopicScanError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl SourceArgs {
    /// The events for a command that also reads these catalogs.
    ///
    /// # Errors
    /// The exit code, where the settings are needed and wrong, or the standard input is given twice; it has been printed why.
    pub(crate) fn source(&self, catalogs: &[&Path]) -> Result<EventSource<'_>, ExitCode> {
        let inputs = self.input.iter().map(PathBuf::as_path);
        check_stdin(inputs.chain(catalogs.iter().copied())).map_err(|error| fail(&error))?;
        if !self.from_topic {
            return Ok(EventSource::Files(&self.input));
        }
        let settings = self.settings.load(Needs::Kafka).ok_or(ExitCode::from(EXIT_SETTINGS))?;
        Ok(EventSource::Topics(Box::new(settings)))
    }

    /// Ends a replay: with a topic the clock runs on to `now`, as the service's does, unless the replay has an earlier end.
    pub(crate) fn finish(&self, replay: &mut Replay, now: Timestamp, sink: &mut impl Sink) {
        if self.from_topic && replay.until().is_none() && replay.partition_set().clock().is_some() {
            replay.advance(now, sink);
        }
        replay.finish(sink);
    }
}

impl EventSource<'_> {
    /// Passes every line or record to `each`; on a terminal a bar shows the progress. `catalog` says where the events of a topic
    /// have their time, `now` which of them are in the future.
    pub(crate) fn each_record(
        &self,
        catalog: &Catalog,
        now: Timestamp,
        mut each: impl FnMut(InputRecord<'_>),
    ) -> Result<(), EventSourceError> {
        let settings = match self {
            EventSource::Files(files) => {
                return Ok(each_line(files, |line, _, _| {
                    each(InputRecord::line(line));
                    Ok::<(), ReadError>(())
                })?);
            }
            EventSource::Topics(settings) => settings,
        };
        // The error says what fails for good.
        let silent: EventListener = Arc::new(|_| ());
        let payloads = match &settings.input.format {
            InputFormat::Json => None,
            InputFormat::Confluent(registry) => Some(ConfluentFormat::start(registry)?),
        };
        let payloads = payloads.as_ref().map(|format| format as &dyn PayloadFormat);
        let archive = TopicScan::open(settings, payloads, &silent)?;
        let (mut decoder, mut event) = (Decoder::new(catalog), Event::default());
        let time_of = |record: InputRecord<'_>| {
            decoder.decode_record(record, record.came_at(now), &mut event).ok().map(|()| event.time)
        };
        let mut progress = Progress::of_offsets(archive.total());
        archive.each(time_of, |record, behind| {
            each(record);
            progress.count(1, || behind);
        })?;
        progress.finish();
        if progress.events() == 0 {
            report(&format!("{}: there are no records", settings.input.topics.join(", ")));
        }
        Ok(())
    }
}
