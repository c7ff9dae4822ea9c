//! The merge of several inputs, compared with a sort: some inputs are read faster, and readers die meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;

use tagstream::kafka::{SourcePartition, SourcePosition, SourceProgress, TimeMerge};
use tagstream::model::Timestamp;

use crate::generate;

/// A place in the order: clock, source, offset.
type Place = (i64, usize, i64);

/// A record of the merged partition.
#[derive(Clone, Copy, Debug)]
enum Record {
    Event(Place),
    Mark(Place),
    /// The end of a transaction, which no reader sees.
    Nothing,
}

const TOPICS: [&str; 2] = ["events", "more"];

/// A source by its number: two topics with as many partitions each.
fn source(number: usize, partitions: usize) -> SourcePartition {
    SourcePartition { topic: TOPICS[number / partitions].into(), partition: (number % partitions) as i32 }
}

/// What a source passes on: events whose times go up and down, a clock that only grows, and word of it.
fn passed_on(dice: &mut fastrand::Rng, number: usize, count: usize) -> VecDeque<Record> {
    let (mut clock, mut at) = (i64::MIN, dice.i64(0..50));
    let (mut offset, mut records) = (dice.i64(0..5), VecDeque::new());
    // A coarse time has many events at one instant.
    let grain = [1, 10, 40][dice.usize(..3)];
    for _ in 0..count {
        at += dice.i64(0..8);
        if dice.u8(..4) == 0 {
            // It has been read to its end, and follows the wall clock.
            clock = clock.max(at);
            records.push_back(Record::Mark((clock, number, offset)));
            continue;
        }
        let late = if dice.u8(..5) == 0 { dice.i64(0..30) } else { 0 };
        clock = clock.max((at - late) / grain * grain);
        records.push_back(Record::Event((clock, number, offset)));
        // Some go to other partitions.
        offset += dice.i64(1..3);
    }
    records.push_back(Record::Mark((i64::MAX, number, offset)));
    records
}

/// One log of what all sources pass on, some much faster than others.
fn log(dice: &mut fastrand::Rng, sources: usize) -> Vec<Record> {
    let mut rest: Vec<VecDeque<Record>> = (0..sources)
        .map(|number| {
            let count = if dice.u8(..5) == 0 { 0 } else { dice.usize(1..40) };
            passed_on(dice, number, count)
        })
        .collect();
    let mut log = Vec::new();
    while rest.iter().any(|records| !records.is_empty()) {
        let fast = dice.usize(..sources);
        for _ in 0..dice.usize(1..30) {
            log.extend(rest[fast].pop_front());
        }
        if dice.bool() {
            log.push(Record::Nothing);
        }
    }
    log
}

/// As a reader was when it last committed.
struct Saved {
    first_place: i64,
    read_to: i64,
    reached: Vec<SourceProgress>,
    gone: usize,
}

fn save(merge: &TimeMerge<Place>, gone: usize) -> Saved {
    let reached = |(source, clock, next): (&SourcePartition, Option<Timestamp>, i64)| SourceProgress {
        source: source.clone(),
        watermark: clock,
        next,
    };
    let reached = merge.progress().map(reached).collect();
    Saved { first_place: merge.first_place(), read_to: merge.read_to(), reached, gone }
}

/// What goes, in its order, from readers that die now and then.
fn merged(dice: &mut fastrand::Rng, log: &[Record], partitions: usize, mut deaths: usize) -> Vec<Place> {
    let inputs: Vec<(Arc<str>, i32)> = TOPICS.iter().map(|topic| ((*topic).into(), partitions as i32)).collect();
    let mut merge: TimeMerge<Place> = TimeMerge::new(&inputs, 0);
    let mut gone = Vec::new();
    let mut saved = save(&merge, 0);
    let mut at = 0;
    while at < log.len() {
        let place = at as i64;
        let passage = |of: &SourcePartition, (clock, _, offset): Place| (of.clone(), offset, Timestamp::from_ms(clock));
        match log[at] {
            Record::Event(event) => {
                let (of, offset, clock) = passage(&source(event.1, partitions), event);
                let passage = SourcePosition { topic: &of.topic, partition: of.partition, offset, clock };
                merge.take(passage, place, 10, event);
            }
            Record::Mark(mark) => {
                let (of, offset, clock) = passage(&source(mark.1, partitions), mark);
                merge.watermark(SourcePosition { topic: &of.topic, partition: of.partition, offset, clock }, place);
            }
            Record::Nothing => {}
        }
        at += 1;
        // Not always all that may go at once: a body may be full.
        while dice.u8(..8) > 0
            && let Some(clock) = merge.ready()
        {
            let event = merge.release().expect("one is ready");
            assert_eq!(clock.ms(), event.0);
            gone.push(event);
        }
        if dice.u8(..6) == 0 {
            saved = save(&merge, gone.len());
        }
        if deaths > 0 && dice.u8(..20) == 0 {
            deaths -= 1;
            gone.truncate(saved.gone);
            merge = TimeMerge::restored(&inputs, &saved.reached, saved.first_place, saved.read_to);
            at = saved.first_place as usize;
        }
    }
    while let Some(event) = merge.release() {
        gone.push(event);
    }
    assert_eq!((merge.waiting(), merge.waiting_bytes()), (0, 0));
    assert_eq!(merge.first_place(), merge.next_place());
    gone
}

#[test]
fn whatever_comes_first_it_goes_in_the_order_of_time() {
    for seed in generate::seeds(1_000) {
        let mut dice = fastrand::Rng::with_seed(seed);
        let partitions = dice.usize(1..4);
        let log = log(&mut dice, partitions * TOPICS.len());
        let event = |record: &Record| match record {
            Record::Event(event) => Some(*event),
            _ => None,
        };
        let mut sorted: Vec<Place> = log.iter().filter_map(event).collect();
        sorted.sort_unstable();
        let deaths = [0, 1, 12][dice.usize(..3)];
        assert_eq!(merged(&mut dice, &log, partitions, deaths), sorted, "seed {seed}");
    }
}

fn at<'a>(topic: &'a str, offset: i64, clock: i64) -> SourcePosition<'a> {
    SourcePosition { topic, partition: 0, offset, clock: Timestamp::from_ms(clock) }
}

fn two() -> Vec<(Arc<str>, i32)> {
    TOPICS.iter().map(|topic| ((*topic).into(), 1)).collect()
}

#[test]
fn nothing_goes_before_every_source_was_heard_of() {
    let mut merge = TimeMerge::new(&two(), 0);
    assert!(merge.take(at("events", 0, 5), 0, 1, 'a'));
    assert_eq!((merge.ready(), merge.current_watermark()), (None, None));
    merge.watermark(at("more", 0, 3), 1);
    assert_eq!((merge.ready(), merge.current_watermark()), (None, Some(Timestamp::from_ms(3))));
    merge.watermark(at("more", 0, 5), 2);
    // An event of the other source at 5 would come behind it: `events` comes before `more`.
    assert_eq!(merge.release(), Some('a'));
}

#[test]
fn of_one_instant_the_first_source_goes_first_and_the_others_wait_for_it() {
    let mut merge = TimeMerge::new(&two(), 0);
    merge.take(at("more", 0, 5), 0, 1, 'b');
    merge.take(at("events", 7, 5), 1, 1, 'a');
    assert_eq!(merge.release(), Some('a'));
    assert_eq!(merge.release(), None, "another of that instant may come");
    assert_eq!(merge.first_place(), 0);
    merge.watermark(at("events", 8, 6), 2);
    assert_eq!(merge.release(), Some('b'));
    assert_eq!(merge.first_place(), 3);
}

#[test]
fn what_has_been_here_before_is_not_taken_again() {
    let mut merge = TimeMerge::new(&two(), 0);
    assert!(merge.take(at("events", 7, 5), 0, 1, 'a'));
    assert!(!merge.take(at("events", 7, 5), 1, 1, 'a'));
    merge.watermark(at("more", 0, 9), 2);
    assert_eq!(merge.release(), Some('a'));
    assert!(!merge.take(at("events", 6, 5), 3, 1, 'a'));
    assert_eq!(merge.waiting(), 0);
}

#[test]
fn an_input_that_was_added_counts_and_one_that_was_removed_is_not_waited_for() {
    let mut merge = TimeMerge::new(&two(), 0);
    for (place, (topic, partition)) in [("events", 0), ("more", 0), ("more", 1), ("old", 0)].into_iter().enumerate() {
        merge.watermark(SourcePosition { topic, partition, offset: 0, clock: Timestamp::from_ms(5) }, place as i64);
    }
    merge.take(at("old", 0, 6), 4, 1, 'o');
    merge.watermark(at("events", 0, 9), 5);
    merge.watermark(at("more", 0, 9), 6);
    assert_eq!(merge.current_watermark(), Some(Timestamp::from_ms(5)), "partition 1 of more");
    let later = SourcePosition { topic: "more", partition: 1, offset: 0, clock: Timestamp::from_ms(9) };
    merge.watermark(later, 7);
    assert_eq!(merge.release(), Some('o'));
    assert_eq!(merge.current_watermark(), Some(Timestamp::from_ms(9)));
}
