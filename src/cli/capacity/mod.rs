//! `tagstream capacity`: what an installation needs for so many users and events.
//!
//! - `estimate`: the arithmetic.

mod estimate;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::catalog::Colours;
use crate::cli::input::replay_args::ReplayToolArgs;
use crate::cli::output::console::{Format, fail, print_document, print_text, report};
use crate::cli::output::format::distance;
use crate::cli::output::reject_counts::RejectCounts;
use crate::codec::{ChangeFormat, write_change};
use crate::engine::{Partition, Sink};
use crate::model::{TagChange, Timestamp};
use crate::replay::{LineOutcome, Replay};
use estimate::{Estimate, Load, Sample};

/// Estimate what an installation needs: workers, partitions, memory, disk and the time of a restore
///
/// Replays a sample of the events here, measures what they cost and keep, and extrapolates. The sample should be as long
/// as the catalog's windows, with all events of some of the users.
///
/// Exits with 0 when done, 1 when a file is invalid, 2 on wrong usage.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tagstream capacity catalog.yaml --input sample.ndjson.gz --users 50M --events 20k/s
  tagstream capacity catalog.yaml --input sample.ndjson.gz --users 2M --events 40M/d --retention 7d --replication 3
  tagstream capacity catalog.yaml --from-topic --users 2M --events 40M/d --format json")]
pub(crate) struct CapacityArgs {
    /// The catalog
    catalog: PathBuf,
    /// How many users there will be, such as 800k or 50M
    #[arg(long, value_name = "NUMBER", value_parser = parse_number)]
    users: f64,
    /// How many events come in the busiest hour, by the second, minute, hour or day: 20k/s, 40M/d
    #[arg(long, value_name = "NUMBER/UNIT", value_parser = parse_rate)]
    events: f64,
    /// How long the topic of tag changes keeps them
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = crate::catalog::parse_duration)]
    retention: i64,
    /// How many replicas the topics have
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=10))]
    replication: u32,
    /// The service's output.format: tagstream, cloudevents or segment
    #[arg(long, value_name = "FORMAT", default_value = "tagstream", value_parser = parse_format)]
    output_format: ChangeFormat,
    #[command(flatten)]
    common: ReplayToolArgs,
}

/// A number with `k`, `M` or `G` behind it: thousands, millions, billions.
fn parse_number(text: &str) -> Result<f64, String> {
    let (digits, factor) = match text.char_indices().last() {
        Some((at, 'k')) => (&text[..at], 1e3),
        Some((at, 'M')) => (&text[..at], 1e6),
        Some((at, 'G')) => (&text[..at], 1e9),
        _ => (text, 1.0),
    };
    let number = digits.parse::<f64>().ok().map(|number| number * factor);
    number.filter(|number| (1.0..=1e12).contains(number)).ok_or_else(|| {
        "write a number from 1 to 1000G, with k, M or G for thousands, millions or billions: `50M`".to_owned()
    })
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let expected = || "write how many in which time, such as `20k/s`, `1.5M/h` or `40M/d`".to_owned();
    let (number, unit) = text.split_once('/').ok_or_else(expected)?;
    let seconds = match unit {
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return Err(expected()),
    };
    Ok(parse_number(number)? / seconds)
}

fn parse_format(text: &str) -> Result<ChangeFormat, String> {
    let found = ChangeFormat::ALL.into_iter().find(|format| format.name() == text);
    found.ok_or_else(|| "write `tagstream`, `cloudevents` or `segment`".to_owned())
}

/// Writes changes as the service does, and counts them.
struct ChangeSizes {
    format: ChangeFormat,
    object: Vec<u8>,
    record: Vec<u8>,
    changes: u64,
    bytes: u64,
}

impl ChangeSizes {
    fn new(format: ChangeFormat) -> Self {
        ChangeSizes { format, object: Vec::new(), record: Vec::new(), changes: 0, bytes: 0 }
    }
}

/// Of a change: its id, type, source and time in headers, and what Kafka adds to a record; without the media type.
const CHANGE_HEAD_BYTES: usize = 174;
/// The application's name is in each record of the other formats; that of the sample's service is not known.
const APPLICATION: &str = "tagstream";

impl Sink for ChangeSizes {
    fn change(&mut self, change: &TagChange<'_>) {
        self.object.clear();
        write_change(change, &mut self.object);
        let mut record = &self.object;
        if self.format != ChangeFormat::Tagstream {
            self.record.clear();
            self.format.write(&self.object, APPLICATION, &mut self.record);
            record = &self.record;
        }
        self.changes += 1;
        self.bytes += (record.len() + change.key.len() + self.format.content_type().len() + CHANGE_HEAD_BYTES) as u64;
    }
}

pub(crate) fn run(args: &CapacityArgs, now: Timestamp) -> ExitCode {
    let (source, compiled) = match args.common.open(&args.catalog) {
        Ok(opened) => opened,
        Err(code) => return code,
    };
    let mut replay = Replay::new(&compiled, now, None);
    let (mut sizes, mut rejects, mut sample, mut first) =
        (ChangeSizes::new(args.output_format), RejectCounts::default(), Sample::default(), None);
    let stopwatch = Stopwatch::start();
    let fed = source.each_record(&compiled.catalog, now, |record| match replay.record(record, &mut sizes) {
        LineOutcome::Applied => {
            sample.events += 1;
            first = first.or(replay.partition_set().clock());
        }
        LineOutcome::Rejected(reject) => rejects.count(reject),
        LineOutcome::LeftOut => {}
    });
    if let Err(error) = fed {
        return fail(&error);
    }
    sample.cpu_ns = stopwatch.elapsed().as_nanos() as u64;
    rejects.print("");
    let partitions = replay.partition_set().partitions();
    sample.entities = partitions.iter().map(|partition| partition.entities() as u64).sum();
    sample.state_bytes = partitions.iter().map(Partition::state_bytes).sum();
    (sample.changes, sample.change_bytes) = (sizes.changes, sizes.bytes);
    sample.span_ms = first.zip(replay.partition_set().clock()).map_or(0, |(first, last)| last.since(first));
    let load = Load {
        users: args.users,
        events_a_second: args.events,
        replication: f64::from(args.replication),
        retention_ms: args.retention,
    };
    let Some(estimate) = Estimate::of(&sample, &load) else {
        report("error: there are no events to measure");
        return ExitCode::FAILURE;
    };
    match args.common.format {
        Format::Text => print_text(&text(&sample, &load, &estimate), Colours::Off),
        Format::Json => print_document(&json(&sample, &estimate)),
    }
}

/// The CPU time of this thread, where the kernel tells it; else the time that passes.
struct Stopwatch {
    cpu_ns: Option<u64>,
    started: Instant,
}

impl Stopwatch {
    fn start() -> Self {
        Stopwatch { cpu_ns: thread_cpu_ns(), started: Instant::now() }
    }

    fn elapsed(&self) -> Duration {
        let cpu = self.cpu_ns.zip(thread_cpu_ns()).map(|(before, after)| after.saturating_sub(before));
        cpu.map_or_else(|| self.started.elapsed(), Duration::from_nanos)
    }
}

fn thread_cpu_ns() -> Option<u64> {
    fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

fn text(sample: &Sample, load: &Load, estimate: &Estimate) -> String {
    let Estimate { workers, partitions, .. } = estimate;
    let rows = [
        ("CPU", format!("{:.1} cores ({:.1} µs an event)", estimate.cores, estimate.cpu_us_an_event)),
        ("workers", format!("{workers}, one core each, so that they are busy 60 % of the time")),
        ("partitions of the input", format!("at least {partitions}")),
        ("memory of all processes", bytes(estimate.memory)),
        ("changelog, with replicas", bytes(estimate.changelog_disk)),
        ("changelog, written", format!("at most {} a second", bytes(estimate.changelog_bytes_a_second))),
        (
            "tag changes",
            format!("{} a second, {:.0} bytes each", short(estimate.changes_a_second), estimate.bytes_a_change),
        ),
        ("tag changes, written", format!("at most {} a second", bytes(estimate.changes_bytes_a_second))),
        (
            "tag changes, with replicas",
            format!("at most {} in {}", bytes(estimate.changes_disk), distance(load.retention_ms)),
        ),
        ("restore without snapshots", format!("{:.0} s", estimate.restore_seconds.ceil())),
    ];
    let mut text = format!(
        "the sample: {} events of {} entities over {}; {:.3} tag changes an event, {:.0} bytes of state an entity\n",
        sample.events,
        sample.entities,
        distance(sample.span_ms),
        sample.changes as f64 / sample.events as f64,
        estimate.state_bytes_a_user,
    );
    text.push_str(&format!("for {} users and {} events a second:\n", short(load.users), short(load.events_a_second)));
    for (name, value) in rows {
        text.push_str(&format!("  {name:28}{value}\n"));
    }
    text
}

/// The documented shape: see `deploy/docs/capacity.md`.
fn json(sample: &Sample, estimate: &Estimate) -> String {
    let document = json!({
        "sample": {
            "events": sample.events,
            "entities": sample.entities,
            "seconds": sample.span_ms / 1_000,
            "changes": sample.changes,
            "state_bytes": sample.state_bytes,
        },
        "cpu_microseconds_per_event": estimate.cpu_us_an_event,
        "cores": estimate.cores,
        "workers": estimate.workers,
        "partitions": estimate.partitions,
        "memory_bytes": estimate.memory.round(),
        "changelog_disk_bytes": estimate.changelog_disk.round(),
        "changelog_bytes_per_second": estimate.changelog_bytes_a_second.round(),
        "tag_changes_per_second": estimate.changes_a_second,
        "tag_change_bytes": estimate.bytes_a_change,
        "tag_changes_bytes_per_second": estimate.changes_bytes_a_second.round(),
        "tag_changes_disk_bytes": estimate.changes_disk.round(),
        "restore_seconds": estimate.restore_seconds,
    });
    format!("{document:#}\n")
}

/// A size in the unit in which it has at most three digits before the point.
fn bytes(bytes: f64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let unit = (0..units.len() - 1).find(|power| bytes < 1_024_f64.powi(*power as i32 + 1)).unwrap_or(units.len() - 1);
    let digits = usize::from(unit > 0);
    format!("{:.digits$} {}", bytes / 1_024_f64.powi(unit as i32), units[unit])
}

/// A number with `k`, `M` or `G`, as on the command line.
fn short(number: f64) -> String {
    let (scaled, unit) = match number {
        1e9.. => (number / 1e9, "G"),
        1e6.. => (number / 1e6, "M"),
        1e4.. => (number / 1e3, "k"),
        _ => (number, ""),
    };
    let text = format!("{scaled:.1}");
    format!("{}{unit}", text.strip_suffix(".0").unwrap_or(&text))
}
