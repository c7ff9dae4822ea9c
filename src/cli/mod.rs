//! The commands: one file each, and what they share.

pub mod replay;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::catalog::Catalog;
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
    Replay(replay::ReplayArgs),
}

/// Runs the command line; `now` is the wall clock.
pub fn main(now: Timestamp) -> ExitCode {
    match Cli::parse().command {
        Command::Replay(args) => replay::run(&args, now),
    }
}

/// Says something that is no result.
fn report(message: &str) {
    eprintln!("tagstream: {message}");
}
