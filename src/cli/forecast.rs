//! `tagstream forecast`: how many entities will enter and leave each audience if no event comes, day by day.

use std::path::PathBuf;
use std::process::ExitCode;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value as Json, json};

use crate::catalog::Colours;
use crate::cli::input::replay_args::{ReplayToolArgs, parse_time};
use crate::cli::output::audiences::{Audiences, left_out};
use crate::cli::output::console::{Format, fail, print_document, print_text, report};
use crate::cli::output::format::distance;
use crate::cli::output::reject_counts::RejectCounts;
use crate::cli::output::warnings::print_warnings;
use crate::engine::{Program, Sink};
use crate::model::{TagChange, Timestamp};
use crate::replay::{LineOutcome, Replay};

/// Show how many entities will enter and leave each tag if no event comes, day by day in the catalog's time zone
///
/// Exits with 0 when done, 1 when a file is invalid, 2 on wrong usage.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tagstream forecast catalog.yaml --input events.ndjson.gz
  tagstream forecast catalog.yaml --input events.ndjson.gz --horizon 30d --format json
  tagstream forecast catalog.yaml --from-topic               the topic and its brokers as in tagstream.toml")]
pub(crate) struct ForecastArgs {
    /// The catalog
    catalog: PathBuf,
    /// How far to look, such as 7d or 36h; at most a year
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = parse_horizon)]
    horizon: i64,
    /// Leave out events after this instant (RFC 3339) and look ahead from there; by default from the last event, with
    /// --from-topic from now
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<Timestamp>,
    /// Also show the audiences that do not change
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    common: ReplayToolArgs,
}

/// The longest horizon, 366 days: beyond it, future events matter more than their absence.
const HORIZON_MS_MAX: i64 = 366 * 86_400_000;

fn parse_horizon(text: &str) -> Result<i64, String> {
    match crate::catalog::parse_duration(text) {
        Ok(ms) if (1..=HORIZON_MS_MAX).contains(&ms) => Ok(ms),
        Ok(_) => Err("a horizon is more than 0 and at most 366d".to_owned()),
        Err(_) if text.ends_with('y') => Err("years differ in length; write days: `365d`".to_owned()),
        Err(_) if text.ends_with("mo") => Err("months differ in length; write days: `30d`".to_owned()),
        Err(error) => Err(error),
    }
}

/// How many entities enter and leave in one day, by audience.
#[derive(Clone, Debug)]
struct Day {
    /// The local date.
    date: String,
    entered: Vec<u64>,
    left: Vec<u64>,
}

struct DayCounter {
    audiences: Audiences,
    day: Day,
}

impl Sink for DayCounter {
    fn change(&mut self, change: &TagChange<'_>) {
        let to = self.audiences.find(change.tag, change.value);
        let from = self.audiences.find(change.tag, change.previous);
        // Another value of a tag without bands and stages is the same audience.
        if to != from {
            to.into_iter().for_each(|to| self.day.entered[to] += 1);
            from.into_iter().for_each(|from| self.day.left[from] += 1);
        }
    }
}

impl DayCounter {
    /// Takes the counts and resets them.
    fn take(&mut self) -> Day {
        let zeros = vec![0; self.audiences.list().len()];
        std::mem::replace(&mut self.day, Day { date: String::new(), entered: zeros.clone(), left: zeros })
    }
}

pub(crate) fn run(args: &ForecastArgs, now: Timestamp) -> ExitCode {
    let (source, compiled) = match args.common.open(&args.catalog) {
        Ok(opened) => opened,
        Err(code) => return code,
    };
    let mut replay = Replay::new(&compiled, now, args.at);
    let audiences = Audiences::new(&compiled.catalog);
    let mut counter = DayCounter { audiences, day: Day { date: String::new(), entered: Vec::new(), left: Vec::new() } };
    counter.take();
    let mut rejects = RejectCounts::default();
    let fed = source.each_record(&compiled.catalog, now, |record| {
        if let LineOutcome::Rejected(reject) = replay.record(record, &mut counter) {
            rejects.count(reject);
        }
    });
    if let Err(error) = fed {
        return fail(&error);
    }
    args.common.finish(&mut replay, now, &mut counter);
    rejects.print("");
    print_warnings(&mut replay);
    let Some(from) = replay.partition_set().clock() else {
        report("error: there are no events to look ahead from");
        return ExitCode::FAILURE;
    };
    let past = counter.take();
    let sizes: Vec<u64> = past.entered.iter().zip(&past.left).map(|(entered, left)| entered - left).collect();
    let days = look_ahead(compiled.user(), &mut replay, &mut counter, from, from.plus(args.horizon));
    match args.common.format {
        Format::Text => print_text(&text(&counter.audiences, from, args, &sizes, &days), Colours::Off),
        Format::Json => print_document(&json(&counter.audiences, from, args.horizon, &sizes, &days)),
    }
}

/// Lets time pass from one local midnight to the next. A change at midnight belongs to the new day.
fn look_ahead(
    program: &Program,
    replay: &mut Replay,
    counter: &mut DayCounter,
    from: Timestamp,
    to: Timestamp,
) -> Vec<Day> {
    let mut days = Vec::new();
    let mut at = from;
    while at < to {
        let next = at.plus(1);
        let ends = program.zone.start(program.zone.day(next) + 1);
        at = ends.plus(-1).min(to);
        replay.advance(at, counter);
        let instant = jiff::Timestamp::from_millisecond(next.ms()).unwrap_or_default();
        let date = instant.to_zoned(program.catalog.timezone.clone()).date().to_string();
        days.push(Day { date, ..counter.take() });
    }
    days
}

/// The most columns of days in one table.
const DAYS_A_TABLE: usize = 10;

/// One row per audience, one column per day; several tables, one below the other.
fn text(audiences: &Audiences, from: Timestamp, args: &ForecastArgs, sizes: &[u64], days: &[Day]) -> String {
    let (to, length) = (from.plus(args.horizon), distance(args.horizon));
    let mut text = format!("if nothing happens from {from} to {to} ({length}):\n");
    let moves = |index: &usize| days.iter().any(|day| day.entered[*index] + day.left[*index] > 0);
    let shown: Vec<usize> = (0..sizes.len()).filter(|index| args.all || moves(index)).collect();
    if shown.is_empty() {
        text.push_str("nothing changes (--all shows all audiences)\n");
        return text;
    }
    let mut sizes = sizes.to_vec();
    for days in days.chunks(DAYS_A_TABLE) {
        let then: Vec<u64> = (0..sizes.len()).map(|index| size_after(sizes[index], days, index)).collect();
        text.push_str(&format!("{}\n", table(audiences, &shown, &sizes, days, &then)));
        sizes = then;
    }
    text.push_str(&left_out(sizes.len() - shown.len(), "does not change", "do not change"));
    text
}

fn table(audiences: &Audiences, shown: &[usize], now: &[u64], days: &[Day], then: &[u64]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    let dates = days.iter().map(|day| day.date.get(5..).unwrap_or(&day.date));
    table.set_header(["audience", "now"].into_iter().chain(dates).chain(["then"]));
    for index in shown.iter().copied() {
        let mut row = vec![audiences.list()[index].to_string(), now[index].to_string()];
        row.extend(days.iter().map(|day| moved(day.entered[index], day.left[index])));
        row.push(then[index].to_string());
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn moved(entered: u64, left: u64) -> String {
    match (entered, left) {
        (0, 0) => "·".to_owned(),
        (entered, 0) => format!("+{entered}"),
        (0, left) => format!("−{left}"),
        (entered, left) => format!("+{entered} −{left}"),
    }
}

fn size_after(size: u64, days: &[Day], index: usize) -> u64 {
    let entered: u64 = days.iter().map(|day| day.entered[index]).sum();
    let left: u64 = days.iter().map(|day| day.left[index]).sum();
    size + entered - left
}

/// The documented shape: see `deploy/docs/tools.md`.
fn json(audiences: &Audiences, from: Timestamp, horizon_ms: i64, sizes: &[u64], days: &[Day]) -> String {
    let rows: Vec<Json> = audiences
        .list()
        .iter()
        .zip(sizes)
        .enumerate()
        .map(|(index, (audience, size))| {
            let then = size_after(*size, days, index);
            let day = |day: &Day| json!({ "date": day.date, "enter": day.entered[index], "leave": day.left[index] });
            let days: Vec<Json> = days.iter().map(day).collect();
            json!({ "tag": audience.tag, "part": audience.part, "now": size, "then": then, "days": days })
        })
        .collect();
    let to = from.plus(horizon_ms);
    format!("{:#}\n", json!({ "from": from.to_string(), "to": to.to_string(), "audiences": rows }))
}
