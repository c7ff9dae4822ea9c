//! `tagstream demo`: the service with generated events, on an embedded broker.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::cli::output::console::report;
use crate::demo::{self, DemoError, DemoOptions, OutsideFeed, Period, Speed};
use crate::model::Timestamp;
use crate::service::ServiceError;

/// Run the service on an embedded broker, with generated events of a gym: nothing to install
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tagstream demo                                         two months of a thousand members in a minute
  tagstream demo --speed max | grep churn_risk           the tag changes as NDJSON
  tagstream demo --speed max --save events.ndjson > changes.ndjson
  tagstream replay deploy/examples/gym/catalog.yaml --input events.ndjson --summary
  tagstream demo --feed kafka-1:9092                     only the events, to the topic events of your Kafka
  tagstream demo --feed kafka-1:9092 --live              what happens from now on, until Ctrl-C")]
pub(crate) struct DemoArgs {
    /// The number of people near the gym
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    members: u32,
    /// The number of days; the last one ends now
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=730))]
    days: u32,
    /// How many times faster than real time, or max; 86400 is one day per second
    #[arg(long, value_name = "TIMES", default_value = "86400", value_parser = parse_speed)]
    speed: Speed,
    /// The seed of the generated events
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Also write the events to a file, one per line
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Keep the page after the last day, until Ctrl-C
    #[arg(long)]
    stay: bool,
    /// Only send the events, to a Kafka of yours: host:port,host:port. The days end today
    #[arg(long, value_name = "BROKERS", conflicts_with_all = ["stay", "save", "speed"])]
    feed: Option<String>,
    /// The topic for --feed
    #[arg(long, value_name = "TOPIC", default_value = "events", requires = "feed")]
    topic: String,
    /// With --feed: leave the days until now out, and send what happens from now on, each event at its time, until Ctrl-C
    #[arg(long, requires = "feed")]
    live: bool,
}

fn parse_speed(text: &str) -> Result<Speed, String> {
    match text.parse::<f64>() {
        Ok(times) if times >= 1.0 && times.is_finite() => Ok(Speed::Times(times)),
        _ if text == "max" => Ok(Speed::Max),
        _ => Err("a number of at least 1, or max".to_owned()),
    }
}

/// Exit codes: 0 when the demo ended or was interrupted, 1 on an error.
pub(crate) fn run(args: &DemoArgs, now: Timestamp) -> ExitCode {
    let DemoArgs { members, days, speed, seed, ref save, stay, live, .. } = *args;
    if let Some(brokers) = args.feed.clone() {
        let period = if live { Period::FromNowOn } else { Period::UntilNow };
        let feed = OutsideFeed { brokers, topic: args.topic.clone(), members, days, seed, period };
        return match feed.run(now) {
            Ok(events) => {
                report(&format!("sent {events} events to {}", args.topic));
                ExitCode::SUCCESS
            }
            Err(error) => {
                report(&format!("error: {error}"));
                ExitCode::FAILURE
            }
        };
    }
    match demo::run(&DemoOptions { members, days, seed, speed, save: save.clone(), stay }, now) {
        Ok(()) => ExitCode::SUCCESS,
        Err(DemoError::View(error)) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(DemoError::Service(ServiceError::Forced(_))) => ExitCode::from(EXIT_INTERRUPTED),
        Err(error) => {
            report(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// 128 + SIGINT, as shells report a program that an interrupt has ended.
const EXIT_INTERRUPTED: u8 = 130;
