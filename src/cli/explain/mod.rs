//! `tagstream explain`: how a user's tags came to be as they are, and why others are not on.

mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use super::models::ModelArgs;
use super::replay::{InputError, Rejects, Replay, each_line, parse_time};
use super::{Format, catalog_file, fail, print};
use crate::catalog::TagId;
use crate::engine::{Program, Sink};
use crate::model::{Scalar, TagChange, Timestamp, Value};

/// Why a user has the tags that they have, and not the others: every change, every condition, and what comes next
///
/// Exits with 0 when the user was found, 1 when not or a file is not as it should be, 2 on wrong usage.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tagstream explain catalog.yaml --input events.ndjson.gz --key u-42
  tagstream explain catalog.yaml --input events.ndjson.gz --key u-42 --tag churn_risk --at 2026-03-15T08:00:00Z")]
pub struct ExplainArgs {
    /// The catalog
    catalog: PathBuf,
    /// NDJSON files, plain, gzip or zstd, read one after the other; - is the standard input
    #[arg(long, short, required = true, value_name = "FILE", value_delimiter = ',')]
    input: Vec<PathBuf>,
    /// The user's key
    #[arg(long, short)]
    key: String,
    /// Only this tag
    #[arg(long, short)]
    tag: Option<String>,
    /// As it was at this instant (RFC 3339); by default at the last event
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<Timestamp>,
    /// How to report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    models: ModelArgs,
}

/// A change of the user's tags, kept.
struct Step {
    tag: Box<str>,
    at: Timestamp,
    change: &'static str,
    value: Option<Value>,
    previous: Option<Value>,
    cause: &'static str,
    because: Vec<(String, Option<Value>)>,
}

/// Keeps every change: those of the one user whose events are applied.
#[derive(Default)]
struct History(Vec<Step>);

impl Sink for History {
    fn change(&mut self, change: &TagChange<'_>) {
        let because =
            change.because.iter().map(|(label, value): &(&str, Scalar<'_>)| ((*label).to_owned(), value.to_value()));
        self.0.push(Step {
            tag: change.tag.into(),
            at: change.at,
            change: change.kind().name(),
            value: change.value.to_value(),
            previous: change.previous.to_value(),
            cause: change.cause.name(),
            because: because.collect(),
        });
    }
}

pub fn run(args: &ExplainArgs, now: Timestamp) -> ExitCode {
    let Some(runnable) = catalog_file::require(&args.catalog, &args.models.access()) else {
        return ExitCode::FAILURE;
    };
    let program = runnable.program();
    let tags = match wanted(args, &program) {
        Ok(tags) => tags,
        Err(code) => return code,
    };
    let mut replay = Replay::new(program.clone(), now, args.at);
    let mut history = History::default();
    if let Err(error) = feed(args, &mut replay, &mut history) {
        return fail(&error);
    }
    let partition = replay.partition();
    let explained: Option<Vec<_>> = tags.iter().map(|tag| Some((*tag, partition.explain(&args.key, *tag)?))).collect();
    let Some(explained) = explained else {
        let until = args.at.map(|at| format!(" up to {at}")).unwrap_or_default();
        super::report(&format!("error: no event of `{}` was found{until}", args.key));
        return ExitCode::FAILURE;
    };
    print(&match args.format {
        Format::Text => report::text(&args.key, &program, &explained, &history.0),
        Format::Json => report::json(&args.key, &program, &explained, &history.0),
    });
    ExitCode::SUCCESS
}

/// The tags to explain; an unknown one is wrong usage.
fn wanted(args: &ExplainArgs, program: &Arc<Program>) -> Result<Vec<TagId>, ExitCode> {
    let ids = program.catalog.tags.iter().zip(0..).map(|(tag, id)| (&*tag.name, TagId(id)));
    let Some(name) = &args.tag else {
        return Ok(ids.map(|(_, id)| id).collect());
    };
    let found = ids.filter(|(known, _)| known == name).map(|(_, id)| id).collect::<Vec<_>>();
    if found.is_empty() {
        let names = program.catalog.tags.iter().map(|tag| &*tag.name);
        let help = crate::catalog::did_you_mean(name, names).map(|help| format!("; {help}")).unwrap_or_default();
        super::report(&format!("error: the catalog has no tag `{name}`{help}"));
        return Err(ExitCode::from(2));
    }
    Ok(found)
}

/// Counts the user's events. Of all others only the time matters: it is what moves the clock.
fn feed(args: &ExplainArgs, replay: &mut Replay, history: &mut History) -> Result<(), InputError> {
    let until = args.at.unwrap_or(Timestamp::FOREVER);
    let mut rejects = Rejects::default();
    each_line(&args.input, |line, _| {
        match replay.read(line).map(|event| (event.time, event.key() == args.key)) {
            Err(reject) => rejects.count(reject),
            Ok((time, _)) if time > until => {}
            Ok((_, true)) => replay.apply(history),
            Ok((time, false)) => replay.advance(time, history),
        }
        Ok::<(), InputError>(())
    })?;
    replay.finish(history);
    rejects.tell("");
    Ok(())
}
