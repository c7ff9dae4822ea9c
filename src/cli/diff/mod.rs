//! `tagstream diff`: compares the audiences of two catalogs over the same events.
//!
//! - `catalog_run`: one catalog over the events; `audience_diff`: the comparison of two runs.

mod catalog_run;
mod audience_diff;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value as Json, json};

use self::audience_diff::AudienceDiffs;
use self::catalog_run::{BatchSender, CatalogRun};
use crate::catalog::Colours;
use crate::cli::input::replay_args::{ReplayToolArgs, parse_time};
use crate::cli::output::audiences::left_out;
use crate::cli::output::console::{Format, fail, print_document, print_text};
use crate::cli::output::escape::escaped;
use crate::cli::output::warnings::print_warnings;
use crate::engine::Partition;
use crate::model::Timestamp;

/// Show what a changed catalog would change: audiences before and after, who enters and leaves, how often tags flip
///
/// Exits with 0 when both catalogs were replayed, 1 when a file is invalid, 2 on wrong usage.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tagstream diff catalog.yaml catalog.new.yaml --input events.ndjson.gz
  git show main:catalog.yaml > /tmp/old.yaml && tagstream diff /tmp/old.yaml catalog.yaml --input events.ndjson.gz
  tagstream diff /tmp/old.yaml catalog.yaml --from-topic     the topic and its brokers as in tagstream.toml")]
pub(crate) struct DiffArgs {
    /// The present catalog
    old: PathBuf,
    /// The changed catalog
    new: PathBuf,
    /// Compare at this instant (RFC 3339); by default at the last event, with --from-topic now
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<Timestamp>,
    /// The number of entering and leaving keys to print for each audience
    #[arg(long, value_name = "N", default_value_t = 5)]
    samples: usize,
    /// Also show the audiences that do not differ
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    common: ReplayToolArgs,
}

pub(crate) fn run(args: &DiffArgs, now: Timestamp) -> ExitCode {
    let source = match args.common.source(&[&args.old, &args.new]) {
        Ok(source) => source,
        Err(code) => return code,
    };
    let access = args.common.model_access();
    let (old, new) =
        (CatalogRun::open(&args.old, &access, now, args.until), CatalogRun::open(&args.new, &access, now, args.until));
    let (Some(mut old), Some(mut new)) = (old, new) else {
        return ExitCode::FAILURE;
    };
    let catalog = Arc::clone(&new.replay.partition_set().partitions()[0].program().catalog);
    let fed = thread::scope(|scope| {
        let mut feed = BatchSender::start([&mut old, &mut new], scope);
        source.each_record(&catalog, now, |record| feed.record(record))
    });
    if let Err(error) = fed {
        return fail(&error);
    }
    for run in [&mut old, &mut new] {
        args.common.finish(&mut run.replay, now, &mut run.changes);
    }
    new.rejects.print("");
    print_warnings(&mut new.replay);
    let diffs = AudienceDiffs::between(&mut old, &mut new, args.samples);
    match args.common.format {
        Format::Text => print_text(&text(&diffs, &old, &new, args.all), Colours::Off),
        Format::Json => print_document(&json(&diffs, &old, &new)),
    }
}

fn text(diffs: &AudienceDiffs, old: &CatalogRun, new: &CatalogRun, all: bool) -> String {
    let flips_differ = |tag: &str| old.flip_rate(tag) != new.flip_rate(tag);
    let mut shown = Vec::new();
    let (mut rows, mut last_tag) = (0, "");
    for (audience, row) in diffs.rows() {
        let is_first = last_tag != &*audience.tag;
        if all || row.differs() || is_first && flips_differ(&audience.tag) {
            shown.push((audience, row));
        }
        (rows, last_tag) = (rows + 1, &audience.tag);
    }
    if shown.is_empty() {
        return "nothing differs (--all shows all audiences)\n".to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(["audience", "before", "after", "enter", "leave", "other value", "flips before", "flips after"]);
    let size = |size: Option<u64>| size.map_or("–".to_owned(), |n| n.to_string());
    let rate = |rate: Option<f64>| rate.map_or("–".to_owned(), |rate| format!("{rate:.4}"));
    let mut last = "";
    for (audience, row) in &shown {
        let is_first = last != &*audience.tag;
        let flips = |run: &CatalogRun| if is_first { rate(run.flip_rate(&audience.tag)) } else { String::new() };
        table.add_row([
            audience.to_string(),
            size(row.before),
            size(row.after),
            row.enter.to_string(),
            row.leave.to_string(),
            row.other_value.to_string(),
            flips(old),
            flips(new),
        ]);
        last = &audience.tag;
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let rest = left_out(rows - shown.len(), "does not differ", "do not differ");
    let mut text = format!("{table}\n{rest}flips: changes of the tag an entity a day\n");
    for (audience, row) in shown {
        for (verb, samples, all) in [("enter", &row.entering, row.enter), ("leave", &row.leaving, row.leave)] {
            if !samples.is_empty() {
                let more = if all > samples.len() as u64 { ", …" } else { "" };
                let keys: Vec<_> = samples.iter().map(|key| escaped(key)).collect();
                text.push_str(&format!("{audience}: {verb} {}{more}\n", keys.join(", ")));
            }
        }
    }
    text
}

/// The documented shape: see `deploy/docs/tools.md`.
fn json(diffs: &AudienceDiffs, old: &CatalogRun, new: &CatalogRun) -> String {
    let audiences: Vec<Json> = diffs
        .rows()
        .map(|(audience, row)| {
            json!({
                "tag": audience.tag,
                "part": audience.part,
                "before": row.before,
                "after": row.after,
                "enter": row.enter,
                "leave": row.leave,
                "other_value": row.other_value,
                "entering": row.entering,
                "leaving": row.leaving,
                "flips_before": old.flip_rate(&audience.tag),
                "flips_after": new.flip_rate(&audience.tag),
            })
        })
        .collect();
    let partitions = new.replay.partition_set();
    let at = partitions.clock().map(|clock| clock.to_string());
    let entities: usize = partitions.partitions().iter().map(Partition::entities).sum();
    format!("{:#}\n", json!({ "at": at, "entities": entities, "audiences": audiences }))
}
