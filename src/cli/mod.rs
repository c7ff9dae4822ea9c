//! The command line: one file or folder per command, and what the commands share.
//!
//! - `output`: what the commands print;
//! - `input`: what the commands read;
//! - `init`, `check`, `test`: write a catalog;
//! - `replay`, `explain`, `diff`, `forecast`: see what a catalog does with recorded events;
//! - `service`: the service, its topics, the read side, and the demo.
//!
//! A room imports only rooms before it. The commands that read recorded events drive the engine through
//! [`crate::replay`], so they all see what the service would see.

mod output;
mod input;
mod init;
mod check;
mod test;
mod replay;
mod explain;
mod diff;
mod forecast;
mod service;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::model::Timestamp;
use service::{demo, run, serve, token, topics};

/// Exact tag changes from behaviour events, the instant a threshold is crossed
#[derive(Debug, Parser)]
#[command(name = "tagstream", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::CheckArgs),
    Demo(demo::DemoArgs),
    Diff(diff::DiffArgs),
    Explain(explain::ExplainArgs),
    Forecast(forecast::ForecastArgs),
    Init(init::InitArgs),
    Replay(replay::ReplayArgs),
    Run(run::RunArgs),
    Serve(serve::ServeArgs),
    Test(test::TestArgs),
    Token(token::TokenArgs),
    Topics(topics::TopicsArgs),
}

/// Runs the command line; `now` is the wall clock.
pub fn main(now: Timestamp) -> ExitCode {
    match Cli::parse().command {
        Command::Check(args) => check::run(&args),
        Command::Demo(args) => demo::run(&args, now),
        Command::Diff(args) => diff::run(&args, now),
        Command::Explain(args) => explain::run(&args, now),
        Command::Forecast(args) => forecast::run(&args, now),
        Command::Init(args) => init::run(&args),
        Command::Replay(args) => replay::run(&args, now),
        Command::Run(args) => run::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Token(args) => token::run(&args),
        Command::Topics(args) => topics::run(&args),
    }
}
