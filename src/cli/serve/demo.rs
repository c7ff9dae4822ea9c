//! `tagstream demo`: the service with generated events, on an embedded broker.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::cli::output::console::report;
use crate::demo::{self, DemoError, DemoOptions, Speed};
use crate::model::Timestamp;
use crate::service::ServiceError;

/// The service on an embedded broker, with the events of a gym that does not exist: nothing to install
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tagstream demo                                         two months of a thousand members in a minute
  tagstream demo --speed max | grep churn_risk           the tag changes as NDJSON
  tagstream demo --speed max --save events.ndjson > changes.ndjson
  tagstream replay deploy/examples/gym/catalog.yaml --input events.ndjson --summary")]
pub struct DemoArgs {
    /// How many people live near the gym
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    members: u32,
    /// How many days it shows; they end now
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=730))]
    days: u32,
    /// How many times faster than life, or max; 86400 is a day a second
    #[arg(long, value_name = "TIMES", default_value = "86400", value_parser = parse_speed)]
    speed: Speed,
    /// Another seed is another gym
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Also write the events to a file, one a line
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

fn parse_speed(text: &str) -> Result<Speed, String> {
    match text.parse::<f64>() {
        Ok(times) if times >= 1.0 && times.is_finite() => Ok(Speed::Times(times)),
        _ if text == "max" => Ok(Speed::Max),
        _ => Err("a number from 1 on, or max".to_owned()),
    }
}

/// Exit codes: 0 when it was shown, or interrupted; 1 when it could not be.
pub fn run(args: &DemoArgs, now: Timestamp) -> ExitCode {
    let DemoArgs { members, days, speed, seed, ref save } = *args;
    match demo::run(&DemoOptions { members, days, seed, speed, save: save.clone() }, now) {
        Ok(()) => ExitCode::SUCCESS,
        Err(DemoError::View(error)) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(DemoError::Service(ServiceError::Forced(_))) => ExitCode::from(EXIT_INTERRUPTED),
        Err(error) => {
            report(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// What shells expect of a program that an interrupt ended at once.
const EXIT_INTERRUPTED: u8 = 130;
