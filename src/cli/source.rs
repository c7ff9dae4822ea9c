//! Where a tool's events come from: recorded files, or the input topic itself.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::replay::{InputError, Replay, each_line, records_bar};
use super::report;
use super::run::{EXIT_SETTINGS, Needs, SettingsArgs};
use crate::catalog::Catalog;
use crate::codec::Decoder;
use crate::engine::Sink;
use crate::kafka::{EventListener, TopicScan, TopicScanError};
use crate::model::{Event, Timestamp};
use crate::settings::Settings;

/// Where the events come from
#[derive(Debug, Args)]
pub struct SourceArgs {
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
    /// Read the input topic instead, from its beginning to the end that it has now, its partitions merged by time
    #[arg(long)]
    from_topic: bool,
    #[command(flatten, next_help_heading = "With --from-topic")]
    settings: SettingsArgs,
}

/// Events that can be read once.
pub enum Source<'a> {
    Files(&'a [PathBuf]),
    Topics(Box<Settings>),
}

/// Why events cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Archive(#[from] TopicScanError),
}

impl SourceArgs {
    /// # Errors
    /// The exit code, where settings that are needed cannot be used; what is wrong with them has been said.
    pub fn source(&self) -> Result<Source<'_>, ExitCode> {
        if !self.from_topic {
            return Ok(Source::Files(&self.input));
        }
        let settings = self.settings.load(Needs::Kafka).ok_or(ExitCode::from(EXIT_SETTINGS))?;
        Ok(Source::Topics(Box::new(settings)))
    }

    /// Ends a replay: with a topic the clock runs on to now, as the service's does, unless the replay stops before.
    pub fn finish(&self, replay: &mut Replay, now: Timestamp, sink: &mut impl Sink) {
        if self.from_topic && replay.until().is_none() && replay.world().clock().is_some() {
            replay.advance(now, sink);
        }
        replay.finish(sink);
    }
}

impl Source<'_> {
    /// Hands out every line; on a terminal a bar shows how far it is. `catalog` says where a topic's events have their
    /// time, `now` which of them lie in the future.
    pub fn each_line(&self, catalog: &Catalog, now: Timestamp, mut each: impl FnMut(&[u8])) -> Result<(), SourceError> {
        let settings = match self {
            Source::Files(files) => {
                return Ok(each_line(files, |line, _| {
                    each(line);
                    Ok::<(), InputError>(())
                })?);
            }
            Source::Topics(settings) => settings,
        };
        // What goes wrong for good is told by the error.
        let silent: EventListener = Arc::new(|_| ());
        let archive = TopicScan::open(settings, &silent)?;
        let (mut decoder, mut event) = (Decoder::new(catalog), Event::default());
        let time_of = |line: &[u8]| decoder.decode(line, now, &mut event).ok().map(|()| event.time);
        let bar = records_bar(archive.total());
        let mut events = 0_u64;
        archive.each(time_of, |line, behind| {
            each(line);
            events += 1;
            bar.tick(events, behind);
        })?;
        bar.finish();
        if events == 0 {
            report(&format!("{}: there are no records", settings.input.topics.join(", ")));
        }
        Ok(())
    }
}
