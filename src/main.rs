//! The program.

use std::process::ExitCode;

use clap::Parser;
use tagstream::cli::check;

#[derive(Parser)]
#[command(name = "tagstream", version)]
enum Command {
    Check(check::Check),
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::Check(args) => check::run(args),
    }
}
