//! The commands: one file each, and what they share.

mod catalog_file;
pub mod check;
pub mod demo;
pub mod replay;
pub mod run;
pub mod topics;

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
    Replay(replay::ReplayArgs),
    Run(run::RunArgs),
    Topics(topics::TopicsArgs),
}

/// Runs the command line; `now` is the wall clock.
pub fn main(now: Timestamp) -> ExitCode {
    match Cli::parse().command {
        Command::Check(args) => check::run(args),
        Command::Demo(args) => demo::run(&args, now),
        Command::Replay(args) => replay::run(&args, now),
        Command::Run(args) => run::run(&args),
        Command::Topics(args) => topics::run(&args),
    }
}

/// Says something that is no result.
fn report(message: &str) {
    eprintln!("tagstream: {message}");
}
