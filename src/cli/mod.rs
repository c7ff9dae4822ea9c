//! The command line: one file or folder per command, and what the commands share.
//!
//! - `output`: what the commands print;
//! - `input`: what the commands read;
//! - `init`, `check`, `test`: write a catalog;
//! - `replay`, `explain`, `diff`, `forecast`: see what a catalog does with recorded events;
//! - `capacity`: what an installation needs for it;
//! - `manual`: completions for shells, and manual pages;
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
mod capacity;
mod service;
mod manual;

use std::process::ExitCode;

use std::sync::LazyLock;

use clap::{Parser, Subcommand};

use crate::model::Timestamp;
use service::{demo, push, run, serve, token, topics};

/// With the commit that the binary was built from, where the build was told: `TAGSTREAM_COMMIT=$(git rev-parse --short=12 HEAD)`.
static VERSION: LazyLock<String> = LazyLock::new(|| match option_env!("TAGSTREAM_COMMIT") {
    None | Some("") => env!("CARGO_PKG_VERSION").to_owned(),
    Some(commit) => format!("{} ({commit})", env!("CARGO_PKG_VERSION")),
});

/// Exact tag changes from behaviour events, the instant a threshold is crossed
#[derive(Debug, Parser)]
#[command(name = "tagstream", version = VERSION.as_str(), propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Capacity(capacity::CapacityArgs),
    Check(check::CheckArgs),
    Demo(demo::DemoArgs),
    Diff(diff::DiffArgs),
    Explain(explain::ExplainArgs),
    Forecast(forecast::ForecastArgs),
    Init(init::InitArgs),
    Manual(manual::ManualArgs),
    Push(push::PushArgs),
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
        Command::Capacity(args) => capacity::run(&args, now),
        Command::Check(args) => check::run(&args),
        Command::Demo(args) => demo::run(&args, now),
        Command::Diff(args) => diff::run(&args, now),
        Command::Explain(args) => explain::run(&args, now),
        Command::Forecast(args) => forecast::run(&args, now),
        Command::Init(args) => init::run(&args),
        Command::Manual(args) => manual::run(&args, &mut <Cli as clap::CommandFactory>::command()),
        Command::Push(args) => push::run(&args),
        Command::Replay(args) => replay::run(&args, now),
        Command::Run(args) => run::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Token(args) => token::run(&args),
        Command::Topics(args) => topics::run(&args),
    }
}
