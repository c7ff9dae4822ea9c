//! `tagstream explain`: how an entity's tags came to their values, and why its other tags are off.
//!
//! `report` writes the result as text or JSON.

mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::catalog::{Catalog, Colours, TagId};
use crate::cli::input::replay_args::{ReplayToolArgs, parse_time};
use crate::cli::output::console::{self, Format, fail, print_document, print_text};
use crate::cli::output::escape::escaped;
use crate::cli::output::format::distance;
use crate::cli::output::reject_counts::RejectCounts;
use crate::cli::output::warnings::print_warnings;
use crate::engine::Sink;
use crate::model::{Command, EntityKindId, Event, Scalar, TagChange, Timestamp, Value};
use crate::replay::Replay;

/// Explain why a user has some tags and not the others: every change, every condition, and what comes next
///
/// Exits with 0 when the user was found, 1 when not or when a file is invalid, 2 on wrong usage.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tagstream explain catalog.yaml --input events.ndjson.gz --key u-42
  tagstream explain catalog.yaml --input events.ndjson.gz --key u-42 --tag churn_risk --at 2026-03-15T08:00:00Z
  tagstream explain catalog.yaml --from-topic --key u-42     the topic and its brokers as in tagstream.toml")]
pub(crate) struct ExplainArgs {
    /// The catalog
    catalog: PathBuf,
    /// The user's key
    #[arg(long, short, allow_hyphen_values = true)]
    key: String,
    /// The kind of entity that the key is of, where the catalog has kinds other than users
    #[arg(long, value_name = "KIND", default_value = "user")]
    entity: String,
    /// Explain only this tag
    #[arg(long, short)]
    tag: Option<String>,
    /// Explain the state at this instant (RFC 3339); by default at the last event, with --from-topic now
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<Timestamp>,
    #[command(flatten)]
    common: ReplayToolArgs,
}

/// An owned change of one of the entity's tags.
struct RecordedChange {
    tag: Box<str>,
    at: Timestamp,
    change: &'static str,
    value: Option<Value>,
    previous: Option<Value>,
    cause: &'static str,
    because: Vec<(String, Option<Value>)>,
}

/// Records every change of the entity.
struct ChangeHistory<'a> {
    args: &'a ExplainArgs,
    changes: Vec<RecordedChange>,
}

impl Sink for ChangeHistory<'_> {
    fn change(&mut self, change: &TagChange<'_>) {
        if change.entity != self.args.entity || change.key != self.args.key {
            return;
        }
        let because =
            change.because.iter().map(|(label, value): &(&str, Scalar<'_>)| ((*label).to_owned(), value.to_value()));
        self.changes.push(RecordedChange {
            tag: change.tag.into(),
            at: change.at,
            change: change.change_type().name(),
            value: change.value.to_value(),
            previous: change.previous.to_value(),
            cause: change.cause.name(),
            because: because.collect(),
        });
    }
}

/// What events say of a key, for the message if no entity has it in the end.
#[derive(Default)]
struct KeyTrace {
    /// The last event of the entity.
    last: Option<LastSeen>,
    /// Another kind of entity with this key.
    elsewhere: Option<EntityKindId>,
}

#[derive(Clone, Copy)]
enum LastSeen {
    /// The time of the latest event.
    Event(Timestamp),
    Erased(Timestamp),
}

impl KeyTrace {
    /// Takes an event; returns whether it is about the entity. Events after `until` do not count.
    fn note(&mut self, event: &Event, until: Timestamp, key: &str, kind: EntityKindId) -> bool {
        let is_it = event.key_of(kind) == Some(key);
        if event.time <= until && is_it {
            self.last = Some(match (event.command, self.last) {
                (Some(Command::Erase), _) => LastSeen::Erased(event.time),
                (_, Some(LastSeen::Event(before))) => LastSeen::Event(before.max(event.time)),
                _ => LastSeen::Event(event.time),
            });
        } else if event.time <= until && self.elsewhere.is_none() {
            self.elsewhere = event.kinds_of(key).next();
        }
        is_it
    }

    /// Why no entity has the key.
    fn why_not_found(&self, args: &ExplainArgs, kind: EntityKindId, catalog: &Catalog) -> String {
        let (key, kind) = (escaped(&args.key), catalog.entity(kind));
        match (self.last, kind.forget_after_ms, self.elsewhere) {
            (Some(LastSeen::Erased(at)), ..) => format!("`{key}` was erased at {at}"),
            (Some(LastSeen::Event(at)), Some(after_ms), _) => {
                format!("`{key}` was forgotten at {}, silent for {}", at.plus(after_ms), distance(after_ms))
            }
            (_, _, Some(other)) => {
                let other = &catalog.entity(other).name;
                format!("no event of the {} `{key}` was found, but of the {other}: add --entity {other}", kind.name)
            }
            _ => {
                let until = args.at.map(|at| format!(" up to {at}")).unwrap_or_default();
                format!("no event of `{key}` was found{until}")
            }
        }
    }
}

pub(crate) fn run(args: &ExplainArgs, now: Timestamp) -> ExitCode {
    let (source, compiled) = match args.common.open(&args.catalog) {
        Ok(opened) => opened,
        Err(code) => return code,
    };
    let found = kind(args, &compiled.catalog).and_then(|kind| Ok((kind, wanted(args, kind, &compiled.catalog)?)));
    let (kind, tags) = match found {
        Ok(found) => found,
        Err(code) => return code,
    };
    let mut replay = Replay::new(&compiled, now, args.at);
    let mut history = ChangeHistory { args, changes: Vec::new() };
    let mut rejects = RejectCounts::default();
    let mut trace = KeyTrace::default();
    let until = args.at.unwrap_or(Timestamp::FOREVER);
    // Of the other entities' events only the time matters, which advances the clock.
    let fed = source.each_record(&compiled.catalog, now, |record| {
        match replay.read(record).map(|event| (event.time, trace.note(event, until, &args.key, kind))) {
            Err(reject) => rejects.count(reject),
            Ok((time, _)) if time > until => {}
            Ok((_, true)) => replay.apply(&mut history),
            Ok((time, false)) => replay.advance(time, &mut history),
        }
    });
    if let Err(error) = fed {
        return fail(&error);
    }
    args.common.finish(&mut replay, now, &mut history);
    rejects.print("");
    print_warnings(&mut replay);
    let partition = replay.partition_set().partition(kind);
    let subject = report::Subject { entity: &args.entity, key: &args.key };
    let explained: Option<Vec<_>> = tags.iter().map(|tag| Some((*tag, partition.explain(&args.key, *tag)?))).collect();
    let Some(explained) = explained else {
        console::report(&format!("error: {}", trace.why_not_found(args, kind, &compiled.catalog)));
        return ExitCode::FAILURE;
    };
    match args.common.format {
        Format::Text => {
            print_text(&report::text(subject, &compiled.catalog, &explained, &history.changes), Colours::Off)
        }
        Format::Json => print_document(&report::json(subject, &compiled.catalog, &explained, &history.changes)),
    }
}

/// The kind of entity that the key is of; an unknown kind is wrong usage.
fn kind(args: &ExplainArgs, catalog: &Catalog) -> Result<EntityKindId, ExitCode> {
    let names = catalog.entities.iter().map(|kind| &*kind.name);
    let found = names.clone().zip(0..).find(|(name, _)| *name == args.entity);
    found.map(|(_, index)| EntityKindId(index)).ok_or_else(|| {
        let help =
            crate::catalog::did_you_mean(&args.entity, names).map(|help| format!("; {help}")).unwrap_or_default();
        console::report(&format!("error: the catalog has no entity `{}`{help}", args.entity));
        ExitCode::from(2)
    })
}

/// The tags to explain; an unknown one is wrong usage.
fn wanted(args: &ExplainArgs, kind: EntityKindId, catalog: &Catalog) -> Result<Vec<TagId>, ExitCode> {
    let tags = catalog.tags.iter().zip(0..).filter(|(tag, _)| tag.entity == kind);
    let ids = tags.clone().map(|(tag, id)| (&*tag.name, TagId(id)));
    let Some(name) = &args.tag else {
        return Ok(ids.map(|(_, id)| id).collect());
    };
    let found = ids.filter(|(known, _)| known == name).map(|(_, id)| id).collect::<Vec<_>>();
    if found.is_empty() {
        if let Some(tag) = catalog.tags.iter().find(|tag| *tag.name == **name) {
            let entity = &catalog.entity(tag.entity).name;
            console::report(&format!("error: `{name}` is put on `{entity}`: add --entity {entity}"));
            return Err(ExitCode::from(2));
        }
        let names = tags.map(|(tag, _)| &*tag.name);
        let help = crate::catalog::did_you_mean(name, names).map(|help| format!("; {help}")).unwrap_or_default();
        console::report(&format!("error: the catalog has no tag `{name}`{help}"));
        return Err(ExitCode::from(2));
    }
    Ok(found)
}
