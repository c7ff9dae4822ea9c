//! The commands: one file or folder each, and what they share.
//!
//! Whatever reads recorded events drives a partition through [`replay`]: `test`, `explain`, `diff` and `forecast` see what a
//! replay sees. `source` says whence
//! the events come, `shown` how values and reasons look to people, `audiences` whom a tag reaches.

mod audiences;
mod catalog_file;
pub mod check;
pub mod demo;
pub mod diff;
pub mod explain;
pub mod forecast;
pub mod init;
mod models;
pub mod replay;
pub mod run;
mod shown;
mod source;
pub mod test;
pub mod topics;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::model::Timestamp;

/// Exact tag changes from behaviour events, the instant a threshold is crossed
#[derive(Debug, Parser)]
#[command(name = "tagstream", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Check),
    Demo(demo::DemoArgs),
    Diff(diff::DiffArgs),
    Explain(explain::ExplainArgs),
    Forecast(forecast::ForecastArgs),
    Init(init::InitArgs),
    Replay(replay::ReplayArgs),
    Run(run::RunArgs),
    Test(test::TestArgs),
    Topics(topics::TopicsArgs),
}

/// How the tools for those who write tags report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs: one JSON document.
    Json,
}

/// Runs the command line; `now` is the wall clock.
pub fn main(now: Timestamp) -> ExitCode {
    match Cli::parse().command {
        Command::Check(args) => check::run(args),
        Command::Demo(args) => demo::run(&args, now),
        Command::Diff(args) => diff::run(&args, now),
        Command::Explain(args) => explain::run(&args, now),
        Command::Forecast(args) => forecast::run(&args, now),
        Command::Init(args) => init::run(&args),
        Command::Replay(args) => replay::run(&args, now),
        Command::Run(args) => run::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Topics(args) => topics::run(&args),
    }
}

/// Says something that is no result.
fn report(message: &str) {
    eprintln!("tagstream: {message}");
}

/// Says what went wrong.
fn fail(error: &dyn std::error::Error) -> ExitCode {
    report(&format!("error: {error}"));
    ExitCode::FAILURE
}

/// Writes a result. A reader that went away is no error.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
