//! The commands: one file each, and what they share.

pub mod replay;
pub mod run;
pub mod topics;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::catalog::{self, Catalog};
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
    Run(run::RunArgs),
    Topics(topics::TopicsArgs),
}

/// Runs the command line; `now` is the wall clock.
pub fn main(now: Timestamp) -> ExitCode {
    match Cli::parse().command {
        Command::Replay(args) => replay::run(&args, now),
        Command::Run(args) => run::run(&args),
        Command::Topics(args) => topics::run(&args),
    }
}

/// Says something that is no result.
fn report(message: &str) {
    eprintln!("tagstream: {message}");
}

/// Reads a catalog, or says what is wrong with it.
fn load_catalog(path: &Path) -> Option<Catalog> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            report(&format!("error: {}: {error}", path.display()));
            return None;
        }
    };
    let loaded = catalog::load(&path.to_string_lossy(), &text);
    for problem in &loaded.problems {
        report(&format!("{}:{}:{}: {}", path.display(), problem.line, problem.column, problem.message));
    }
    loaded.catalog
}
