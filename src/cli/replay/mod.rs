//! `tagstream replay`: writes the tag changes of recorded events.
//!
//! - `summary`: the table of `--summary`; `output`: where changes and rejected lines are written.

mod summary;
mod output;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use self::output::{OutputError, ReplayOutput};
use self::summary::Summary;
use crate::catalog::Colours;
use crate::cli::input::catalog_file;
use crate::cli::input::lines::each_batch;
use crate::cli::input::models::ModelArgs;
use crate::cli::input::replay_args::parse_time;
use crate::cli::output::console::{fail, print_error, print_text};
use crate::cli::output::warnings::print_warnings;
use crate::codec::RejectedLine;
use crate::model::Timestamp;
use crate::replay::{ReadError, Replay};

/// Write the tag changes of recorded events, as NDJSON
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tagstream replay catalog.yaml --input events.ndjson.gz > changes.ndjson
  tagstream replay catalog.yaml --input jan.ndjson.zst,feb.ndjson.zst --output changes.ndjson --summary
  zcat events.gz | tagstream replay catalog.yaml --input - --until 2026-04-01T00:00:00Z")]
pub(crate) struct ReplayArgs {
    /// The catalog
    catalog: PathBuf,
    /// NDJSON files, plain, gzip or zstd, read one after the other; - is the standard input
    #[arg(long, short, required = true, value_name = "FILE", value_delimiter = ',')]
    input: Vec<PathBuf>,
    /// Leave out events after this instant (RFC 3339) and let time pass up to it
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<Timestamp>,
    /// Write the changes to this file instead of the standard output; - is the standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write rejected lines to this file, each as {"reason", "line", "raw"}; - is the standard output
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Print a table of the tags: how many entities entered, left, and have it now
    #[arg(long)]
    summary: bool,
    #[command(flatten)]
    models: ModelArgs,
}

/// Exit codes: 0 when done, 1 when the catalog or a file is invalid.
pub(crate) fn run(args: &ReplayArgs, now: Timestamp) -> ExitCode {
    let read: Vec<&Path> = args.input.iter().chain([&args.catalog]).map(PathBuf::as_path).collect();
    if let Err(error) = catalog_file::check_stdin(read.iter().copied()) {
        return fail(&error);
    }
    let Some(runnable) = catalog_file::require(&args.catalog, &args.models.access()) else {
        return ExitCode::FAILURE;
    };
    let compiled = runnable.compile();
    let mut replay = Replay::new(&compiled, now, args.until);
    let summary = args.summary.then(|| Summary::new(&compiled.catalog));
    let mut output = match ReplayOutput::open(args.output.as_deref(), args.rejects.as_deref(), summary, &read) {
        Ok(output) => output,
        Err(error) => return fail(&error),
    };
    match feed(args, &mut replay, &mut output) {
        Ok(()) => {}
        Err(ReplayError::Output(error)) if error.is_broken_pipe() => return ExitCode::SUCCESS,
        Err(error) => return fail(&error),
    }
    let mut printed = ExitCode::SUCCESS;
    if let Some(table) = output.summary_table() {
        // The standard output is for the changes, unless they go to a file.
        if args.output.is_some() {
            printed = print_text(&format!("{table}\n"), Colours::Off);
        } else {
            print_error(&format!("{table}\n"), Colours::Off);
        }
    }
    output.rejected().print(if args.rejects.is_some() { "" } else { " (--rejects FILE keeps them)" });
    print_warnings(&mut replay);
    printed
}

#[derive(Debug, thiserror::Error)]
enum ReplayError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Output(#[from] OutputError),
}

fn feed(args: &ReplayArgs, replay: &mut Replay, output: &mut ReplayOutput) -> Result<(), ReplayError> {
    let name_inputs = args.input.len() > 1;
    each_batch(&args.input, |batch, path| {
        replay.lines(batch.lines(), output, |output, index, reason, detail| {
            let name = name_inputs.then(|| path.to_string_lossy());
            output.reject(&RejectedLine {
                reason,
                detail,
                input: name.as_deref(),
                line: batch.number(index),
                raw: batch.line(index),
            });
        });
        Ok::<(), ReplayError>(output.check()?)
    })?;
    replay.finish(output);
    Ok(output.finish()?)
}
