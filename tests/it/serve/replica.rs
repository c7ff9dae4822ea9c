//! A follower beside the engine that writes the changelog: it shows what the engine had at each transaction, and nothing else.

use std::sync::Arc;

use tagstream::catalog::TagId;
use tagstream::engine::{Partition, Program, StateReader};
use tagstream::kafka::PartitionName;
use tagstream::model::{EntityKindId, Timestamp, Value};
use tagstream::serve::replica::{FollowError, PartitionFollower, PartitionView, Replica};

use crate::engine::changelog::{Compacted, Driven, program};
use crate::generate::{self, Case};

/// An entity's key, and its tags: name, value, since when.
pub(super) type Tags = (String, Vec<(String, Option<Value>, Timestamp)>);

/// What the engine has, by key.
pub(super) fn of_engine(partition: &mut Partition) -> Vec<Tags> {
    let mut all = Vec::new();
    partition.each_entity(|key, tags| {
        let tags = tags.iter().map(|tag| (tag.tag.to_owned(), tag.value.to_value(), tag.since)).collect();
        all.push((key.to_owned(), tags));
    });
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

pub(super) fn of_view(view: &PartitionView) -> Vec<Tags> {
    let mut reader = view.reader();
    let program = view.program();
    let tags_of = |state: &[u8], reader: &mut StateReader| {
        reader.open(state);
        let ids = (0..).map(TagId).zip(&program.catalog.tags).filter(|(_, tag)| tag.entity == program.kind);
        let tags = ids.filter_map(|(id, tag)| {
            let reading = reader.tag(id)?;
            Some((tag.name.to_string(), reading.value.to_value(), reading.since))
        });
        (StateReader::key_of(state).to_owned(), tags.collect())
    };
    let mut all: Vec<Tags> = view.states().map(|(_, state, _)| tags_of(state, &mut reader)).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// The bitmaps say the same as the states.
pub(super) fn check_bitmaps(view: &PartitionView) {
    let program = view.program();
    for (id, tag) in (0..).map(TagId).zip(&program.catalog.tags) {
        let labels = tag.definition.labels();
        let (mut with, mut by_label) = (Vec::new(), vec![Vec::new(); labels.len()]);
        let mut reader = view.reader();
        for (number, state, _) in view.states().filter(|_| tag.entity == program.kind) {
            reader.open(state);
            let Some(reading) = reader.tag(id) else { continue };
            with.push(number);
            let value = reading.value.to_value();
            let is_it = |label: &&str| value == Some(Value::String((*label).into()));
            let place = labels.iter().position(is_it);
            assert_eq!(reading.label.map(usize::from), place, "{}", tag.name);
            if let Some(place) = place {
                by_label[place].push(number);
            }
        }
        assert_eq!(view.with_tag(id).iter().collect::<Vec<_>>(), with, "{}", tag.name);
        for (label, numbers) in (0..).zip(by_label) {
            assert_eq!(view.with_label(id, label).expect("a label").iter().collect::<Vec<_>>(), numbers);
        }
    }
}

/// Counters and explanations of every entity are the engine's own.
fn check_entities(view: &PartitionView, partition: &Partition) {
    assert_eq!(view.standing.clock(), partition.clock());
    assert_eq!(view.entities() as usize, partition.entities());
    let program = view.program();
    for (_, state, _) in view.states() {
        let key = StateReader::key_of(state);
        let number = view.find(key).expect("it is known");
        let alone = view.alone(number).expect("it has a state");
        assert_eq!(alone.counters(key), partition.counters(key), "{key}");
        for (id, tag) in (0..).map(TagId).zip(&program.catalog.tags).filter(|(_, tag)| tag.entity == program.kind) {
            assert_eq!(alone.explain(key, id), partition.explain(key, id), "{key} {}", tag.name);
        }
    }
}

/// A follower and how far it has read.
struct Reader {
    follower: PartitionFollower,
    /// The offset of the next record.
    next: usize,
}

impl Reader {
    fn new(program: &Arc<Program>, log: &Compacted) -> Self {
        let end = log.records.last().map_or(0, |record| record.offset as i64 + 1);
        let mut follower = PartitionFollower::new(PartitionName::from(0), Arc::clone(program), end);
        follower.reach(0).expect("nothing is missing");
        Reader { follower, next: 0 }
    }

    /// Reads records as they stand in the log now; at most `most`.
    fn read(&mut self, log: &Compacted, most: usize) -> Result<(), FollowError> {
        let next = self.next;
        for record in log.records.iter().filter(|record| record.offset >= next).take(most) {
            self.next = record.offset + 1;
            self.follower.take(record.offset as i64, &record.key, record.value.as_deref())?;
            self.follower.reach(self.next as i64)?;
        }
        Ok(())
    }
}

fn follow(case: &Case, seed: u64) {
    let mut dice = fastrand::Rng::with_seed(seed);
    let program = program(&case.catalog);
    let mut driven = Driven::new(&program);
    let mut log = Compacted::default();
    let mut reader = Reader::new(&program, &log);
    let mut shown: Option<Vec<Tags>> = None;
    for line in &case.lines {
        driven.line(line, case.until);
        if dice.u8(..3) > 0 {
            continue;
        }
        log.write(&mut driven.partition);
        let now = of_engine(&mut driven.partition);
        // A part of the transaction changes nothing that is shown.
        let transaction = log.records.iter().filter(|record| record.offset >= reader.next).count();
        if reader.follower.is_live() && shown.is_some() {
            reader.read(&log, dice.usize(..transaction)).expect("the log is whole");
            let view = reader.follower.view().expect("it is live");
            assert_eq!(Some(of_view(&view)), shown, "half a transaction is shown");
        }
        reader.read(&log, usize::MAX).expect("the log is whole");
        let view = reader.follower.view().expect("it has caught up");
        assert_eq!(of_view(&view), now);
        check_bitmaps(&view);
        if dice.u8(..4) == 0 {
            check_entities(&view, &driven.partition);
            let clean = log.records.len();
            log.compact(dice.usize(..=clean), clean, dice.bool());
        }
        if dice.u8(..5) == 0 {
            // Another server starts now.
            reader = Reader::new(&program, &log);
            reader.read(&log, usize::MAX).expect("the log is whole");
            assert_eq!(of_view(&reader.follower.view().expect("it has caught up")), now, "after a start");
        }
        shown = Some(now);
    }
}

#[test]
fn a_follower_shows_what_the_engine_had_at_each_transaction() {
    for seed in generate::seeds(30) {
        follow(&generate::case(seed), seed);
        follow(&generate::sharp(seed), seed);
        follow(&generate::repeats(seed), seed);
    }
}

const CATALOG: &str = "
version: 1
counters: { visits: { count: visit, window: 30d } }
tags: { seen: { when: visits >= 1 } }
";

fn visit(driven: &mut Driven, user: &str, second: u32) {
    let line = format!(r#"{{"user_id":"{user}","type":"visit","timestamp":"2026-03-01T00:00:{second:02}Z"}}"#);
    driven.line(line.as_bytes(), None);
}

#[test]
fn a_segment_that_compaction_took_away_is_noticed() {
    let program = program(CATALOG);
    let (mut driven, mut log) = (Driven::new(&program), Compacted::default());
    visit(&mut driven, "a", 0);
    log.write(&mut driven.partition);
    let mut reader = Reader::new(&program, &log);
    reader.read(&log, usize::MAX).expect("the log is whole");
    let before = of_view(&reader.follower.view().expect("it is live"));
    // Many transactions of one entity: their segments die, and compaction removes them before they are read.
    for second in 1..50 {
        visit(&mut driven, "a", second);
        for other in 0..200 {
            visit(&mut driven, &format!("user-{other}"), second);
        }
        log.write(&mut driven.partition);
    }
    log.compact_all();
    let error = reader.read(&log, usize::MAX).expect_err("segments are missing");
    assert!(error.to_string().starts_with("segment ") && error.to_string().ends_with("is missing"), "{error}");
    assert!(reader.follower.view().is_none(), "a state with a gap is shown: {before:?}");
    let mut again = Reader::new(&program, &log);
    again.read(&log, usize::MAX).expect("the log is whole");
    assert_eq!(of_view(&again.follower.view().expect("it is live")), of_engine(&mut driven.partition));
}

#[test]
fn what_is_shown_never_goes_back() {
    let program = program(CATALOG);
    let compiled = tagstream::engine::CompiledCatalog::new((*program.catalog).clone());
    let (mut driven, mut log, replica) = (Driven::new(&program), Compacted::default(), Replica::default());
    assert_eq!(replica.not_ready(), ["no changelog has been read yet"]);
    let mut views = Vec::new();
    let mut reader = Reader::new(&program, &log);
    for second in 0..3 {
        visit(&mut driven, "a", second);
        log.write(&mut driven.partition);
        reader.read(&log, usize::MAX).expect("the log is whole");
        views.push(Arc::new(reader.follower.view().expect("it is live")));
    }
    let clock = || replica.view().expect("a view").clock().map(|clock| clock.to_string());
    replica.show(&compiled, vec![Arc::clone(&views[1])]);
    let held = replica.view().expect("a view");
    replica.show(&compiled, vec![Arc::clone(&views[0])]);
    assert_eq!(clock().as_deref(), Some("2026-03-01T00:00:01.000Z"));
    replica.show(&compiled, vec![Arc::clone(&views[2])]);
    assert_eq!(clock().as_deref(), Some("2026-03-01T00:00:02.000Z"));
    // An answer that began before goes on with what it has.
    assert_eq!(held.clock().map(|clock| clock.to_string()).as_deref(), Some("2026-03-01T00:00:01.000Z"));
    assert!(held.find(EntityKindId(0), "a").is_some() && held.find(EntityKindId(0), "b").is_none());
    assert!(replica.not_ready().is_empty());
}
