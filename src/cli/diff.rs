//! `tagstream diff`: what a changed catalog would change for recorded users.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value as Json, json};

use super::audiences::{Audience, Audiences, left_out};
use super::models::{ModelAccess, ModelArgs};
use super::replay::{Outcome, Rejects, Replay, parse_time};
use super::source::SourceArgs;
use super::{Format, catalog_file, fail, print};
use crate::engine::{Partition, Sink, World};
use crate::model::{CurrentTag, TagChange, Timestamp};

/// What a changed catalog would change: audiences before and after, who enters and leaves, how often tags flip
///
/// Exits with 0 when both catalogs were replayed, 1 when a file is not as it should be, 2 on wrong usage.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tagstream diff catalog.yaml catalog.new.yaml --input events.ndjson.gz
  git show main:catalog.yaml > /tmp/old.yaml && tagstream diff /tmp/old.yaml catalog.yaml --input events.ndjson.gz
  tagstream diff /tmp/old.yaml catalog.yaml --from-topic     the topic and its brokers as in tagstream.toml")]
pub struct DiffArgs {
    /// The catalog as it is
    old: PathBuf,
    /// The catalog as it would be
    new: PathBuf,
    /// Compare at this instant (RFC 3339); by default at the last event, with --from-topic now
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<Timestamp>,
    /// How many of those who enter and leave to name, for each audience
    #[arg(long, value_name = "N", default_value_t = 5)]
    samples: usize,
    /// Also the audiences that do not differ
    #[arg(long)]
    all: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    source: SourceArgs,
}

/// One catalog over the events.
struct Side {
    replay: Replay,
    audiences: Audiences,
    flips: Flips,
    rejects: Rejects,
    events: Option<(Timestamp, Timestamp)>,
}

/// Changes by tag.
#[derive(Default)]
struct Flips(HashMap<Box<str>, u64>);

impl Sink for Flips {
    fn change(&mut self, change: &TagChange<'_>) {
        match self.0.get_mut(change.tag) {
            Some(flips) => *flips += 1,
            None => drop(self.0.insert(change.tag.into(), 1)),
        }
    }
}

impl Side {
    fn open(catalog: &Path, access: &ModelAccess, now: Timestamp, until: Option<Timestamp>) -> Option<Self> {
        let programs = catalog_file::require(catalog, access)?.programs();
        Some(Side {
            audiences: Audiences::new(&programs.catalog),
            replay: Replay::new(&programs, now, until),
            flips: Flips::default(),
            rejects: Rejects::default(),
            events: None,
        })
    }

    fn line(&mut self, line: &[u8]) {
        match self.replay.line(line, &mut self.flips) {
            Outcome::Rejected(reject) => self.rejects.count(reject),
            Outcome::LeftOut => {}
            Outcome::Applied => {
                if let Some(clock) = self.replay.world().clock() {
                    self.events = Some((self.events.map_or(clock, |(first, _)| first), clock));
                }
            }
        }
    }

    /// Changes of a tag an entity a day; nothing where the events have no length.
    fn flip_rate(&self, tag: &str) -> Option<f64> {
        let (first, _) = self.events?;
        let world = self.replay.world();
        let days = world.clock()?.since(first) as f64 / 86_400_000.0;
        let known = self.audiences.list().iter().any(|audience| *audience.tag == *tag);
        let of_tag = world.partitions().iter().find(|partition| partition.has_tag(tag));
        let entities = of_tag.map_or(0, Partition::entities) as f64;
        let flips = self.flips.0.get(tag).copied().unwrap_or(0) as f64;
        (known && days > 0.0 && entities > 0.0).then(|| flips / entities / days)
    }
}

/// What becomes of one audience.
#[derive(Clone, Debug, Default)]
struct Move {
    /// `None`: that catalog has no such audience.
    before: Option<u64>,
    after: Option<u64>,
    enter: u64,
    leave: u64,
    /// Of a tag without bands and stages: who has another value.
    other_value: u64,
    entering: Vec<String>,
    leaving: Vec<String>,
}

/// The audiences of both catalogs: the new one's in its order, then those that only the old one has.
struct Moves {
    audiences: Vec<Audience>,
    places: HashMap<Audience, usize>,
    moves: Vec<Move>,
    samples: usize,
}

pub fn run(args: &DiffArgs, now: Timestamp) -> ExitCode {
    let source = match args.source.source() {
        Ok(source) => source,
        Err(code) => return code,
    };
    let access = args.models.access();
    let (old, new) = (Side::open(&args.old, &access, now, args.until), Side::open(&args.new, &access, now, args.until));
    let (Some(mut old), Some(mut new)) = (old, new) else {
        return ExitCode::FAILURE;
    };
    let catalog = Arc::clone(&new.replay.world().partitions()[0].program().catalog);
    let fed = source.each_line(&catalog, now, |line| {
        old.line(line);
        new.line(line);
    });
    if let Err(error) = fed {
        return fail(&error);
    }
    for side in [&mut old, &mut new] {
        args.source.finish(&mut side.replay, now, &mut side.flips);
    }
    new.rejects.tell("");
    new.replay.tell_remarks();
    let mut moves = Moves::new(&old.audiences, &new.audiences, args.samples);
    moves.compare(&mut old, &mut new);
    print(&match args.format {
        Format::Text => text(&moves, &old, &new, args.all),
        Format::Json => json(&moves, &old, &new),
    });
    ExitCode::SUCCESS
}

impl Move {
    fn differs(&self) -> bool {
        self.before != self.after || self.enter + self.leave + self.other_value > 0
    }
}

impl Moves {
    fn new(old: &Audiences, new: &Audiences, samples: usize) -> Self {
        let mut audiences = new.list().to_vec();
        audiences.extend(old.list().iter().filter(|audience| !new.list().contains(audience)).cloned());
        let places: HashMap<_, _> = audiences.iter().cloned().zip(0..).collect();
        let mut moves = vec![Move::default(); audiences.len()];
        old.list().iter().for_each(|audience| moves[places[audience]].before = Some(0));
        new.list().iter().for_each(|audience| moves[places[audience]].after = Some(0));
        Moves { audiences, places, moves, samples }
    }

    /// Looks at every entity under both catalogs.
    fn compare(&mut self, old: &mut Side, new: &mut Side) {
        let (old_names, new_names) = (&old.audiences, &new.audiences);
        let (old, new) = (old.replay.world_mut(), new.replay.world_mut());
        for after in new.partitions_mut() {
            let mut before = same_kind(old, after);
            after.each_entity(|key, after| {
                let known = before.as_mut().and_then(|before| {
                    before.current_tags(key, |before| self.entity(key, (before, old_names), (after, new_names)))
                });
                if known.is_none() {
                    self.entity(key, (&[], old_names), (after, new_names));
                }
            });
        }
        // Another `input` may take other records for events.
        for before in old.partitions_mut() {
            let mut after = same_kind(new, before);
            before.each_entity(|key, before| {
                if after.as_mut().and_then(|after| after.current_tags(key, |_| ())).is_none() {
                    self.entity(key, (before, old_names), (&[], new_names));
                }
            });
        }
    }

    fn entity(
        &mut self,
        key: &str,
        (before, old): (&[CurrentTag<'_>], &Audiences),
        (after, new): (&[CurrentTag<'_>], &Audiences),
    ) {
        let places = &self.places;
        let place = |audiences: &Audiences, tag: &CurrentTag<'_>| {
            audiences.find(tag.tag, tag.value).map(|at| places[&audiences.list()[at]])
        };
        for tag in before {
            let Some(at) = place(old, tag) else { continue };
            let row = &mut self.moves[at];
            row.before = row.before.map(|n| n + 1);
            let stays = after.iter().find(|other| place(new, other) == Some(at));
            match stays {
                Some(other) => row.other_value += u64::from(other.value != tag.value),
                None => {
                    row.leave += 1;
                    sample(&mut row.leaving, key, self.samples);
                }
            }
        }
        for tag in after {
            let Some(at) = place(new, tag) else { continue };
            let row = &mut self.moves[at];
            row.after = row.after.map(|n| n + 1);
            if !before.iter().any(|other| place(old, other) == Some(at)) {
                row.enter += 1;
                sample(&mut row.entering, key, self.samples);
            }
        }
    }

    fn rows(&self) -> impl Iterator<Item = (&Audience, &Move)> {
        self.audiences.iter().zip(&self.moves)
    }
}

/// The partition of a world that holds the kind of entity of another's.
fn same_kind<'a>(world: &'a mut World, other: &Partition) -> Option<&'a mut Partition> {
    let name = other.program().entity();
    world.partitions_mut().iter_mut().find(|partition| partition.program().entity() == name)
}

fn sample(samples: &mut Vec<String>, key: &str, most: usize) {
    if samples.len() < most {
        samples.push(key.to_owned());
    }
}

fn text(moves: &Moves, old: &Side, new: &Side, all: bool) -> String {
    let flips_differ = |tag: &str| old.flip_rate(tag) != new.flip_rate(tag);
    let mut shown = Vec::new();
    let mut last_tag = "";
    for (audience, row) in moves.rows() {
        let is_first = last_tag != &*audience.tag;
        if all || row.differs() || is_first && flips_differ(&audience.tag) {
            shown.push((audience, row));
        }
        last_tag = &audience.tag;
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
        let flips = |side: &Side| if is_first { rate(side.flip_rate(&audience.tag)) } else { String::new() };
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
    let rest = left_out(moves.moves.len() - shown.len(), "does not differ", "do not differ");
    let mut text = format!("{table}\n{rest}flips: changes of the tag an entity a day\n");
    for (audience, row) in shown {
        for (verb, samples, all) in [("enter", &row.entering, row.enter), ("leave", &row.leaving, row.leave)] {
            if !samples.is_empty() {
                let more = if all > samples.len() as u64 { ", …" } else { "" };
                text.push_str(&format!("{audience}: {verb} {}{more}\n", samples.join(", ")));
            }
        }
    }
    text
}

/// The documented shape: see `deploy/docs/tools.md`.
fn json(moves: &Moves, old: &Side, new: &Side) -> String {
    let audiences: Vec<Json> = moves
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
    let world = new.replay.world();
    let at = world.clock().map(|clock| clock.to_string());
    let entities: usize = world.partitions().iter().map(Partition::entities).sum();
    format!("{:#}\n", json!({ "at": at, "entities": entities, "audiences": audiences }))
}
