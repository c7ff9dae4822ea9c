//! `tagstream replay`: the tag changes of recorded events.

mod driver;
mod input;
mod output;
mod rejects;
mod remarks;
mod summary;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

pub use driver::{Outcome, Replay};
pub use input::{Input, InputError, each_line, records_bar};
use output::{Output, OutputError};
pub use rejects::Rejects;
pub use remarks::counted;
use summary::Summary;

use super::models::ModelArgs;
use super::{catalog_file, fail};
use crate::codec::RejectedLine;
use crate::model::{Timestamp, TimestampError};

/// The tag changes of recorded events, as NDJSON
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tagstream replay catalog.yaml --input events.ndjson.gz > changes.ndjson
  tagstream replay catalog.yaml --input jan.ndjson.zst,feb.ndjson.zst --output changes.ndjson --summary
  zcat events.gz | tagstream replay catalog.yaml --input - --until 2026-04-01T00:00:00Z")]
pub struct ReplayArgs {
    /// The catalog
    catalog: PathBuf,
    /// NDJSON files, plain, gzip or zstd, read one after the other; - is the standard input
    #[arg(long, short, required = true, value_name = "FILE", value_delimiter = ',')]
    input: Vec<PathBuf>,
    /// Leave out events after this instant (RFC 3339) and let time pass up to it
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<Timestamp>,
    /// Where the changes go, instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where rejected lines go, each as {"reason", "line", "raw"}
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Print a table of the tags: entered, left, now on
    #[arg(long)]
    summary: bool,
    #[command(flatten)]
    models: ModelArgs,
}

/// An instant on the command line.
pub fn parse_time(text: &str) -> Result<Timestamp, TimestampError> {
    Timestamp::parse(text).ok().filter(|time| time.is_writable()).ok_or(TimestampError)
}

/// Exit codes: 0 when done, 1 when the catalog or a file is not as it should be.
pub fn run(args: &ReplayArgs, now: Timestamp) -> ExitCode {
    let Some(runnable) = catalog_file::require(&args.catalog, &args.models.access()) else {
        return ExitCode::FAILURE;
    };
    let programs = runnable.programs();
    let mut replay = Replay::new(&programs, now, args.until);
    let summary = args.summary.then(|| Summary::new(&programs.catalog));
    let mut output = match Output::open(args.output.as_deref(), args.rejects.as_deref(), summary) {
        Ok(output) => output,
        Err(error) => return fail(&error),
    };
    match feed(args, &mut replay, &mut output) {
        Ok(()) => {}
        Err(ReplayError::Output(error)) if error.is_broken_pipe() => return ExitCode::SUCCESS,
        Err(error) => return fail(&error),
    }
    if let Some(table) = output.summary_table() {
        // The changes own the standard output unless they go to a file.
        if args.output.is_some() {
            println!("{table}");
        } else {
            eprintln!("{table}");
        }
    }
    output.rejected().tell(if args.rejects.is_some() { "" } else { " (--rejects FILE keeps them)" });
    replay.tell_remarks();
    ExitCode::SUCCESS
}

#[derive(Debug, thiserror::Error)]
enum ReplayError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Output(#[from] OutputError),
}

fn feed(args: &ReplayArgs, replay: &mut Replay, output: &mut Output) -> Result<(), ReplayError> {
    let name_inputs = args.input.len() > 1;
    each_line(&args.input, |line, input| {
        if let Outcome::Rejected(reason) = replay.line(line, output) {
            let name = name_inputs.then(|| input.name().to_string_lossy());
            output.reject(&RejectedLine {
                reason,
                detail: replay.detail(),
                input: name.as_deref(),
                line: input.line_number(),
                raw: line,
            });
        }
        Ok::<(), ReplayError>(output.check()?)
    })?;
    replay.finish(output);
    Ok(output.finish()?)
}
