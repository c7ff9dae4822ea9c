//! The engine alone: event bytes in memory → tag changes out, beside a naive baseline in the same run.
//!
//! `cargo bench --bench engine -- [USERS…] [--events N]`: by default 100,000 and 1,000,000 users. Prints CPU time an
//! event of the thread that works, bytes a user, the ratio to the baseline, and what the changelog costs. With
//! `--aggregates` it prints what each aggregate costs beside `count` instead; with `--growth` it draws how the costs grow
//! with users, their panes, tags, changes and the size of transactions, into `benches/growth/`.

mod aggregates;
#[path = "../chart/mod.rs"]
mod chart;
mod growth;
mod journal;
mod naive;
mod stream;

use std::sync::Arc;

use stream::{START_MS, Stream};
use tagstream::catalog;
use tagstream::codec::{Decoder, write_change};
use tagstream::engine::{Partition, Program, Sink};
use tagstream::model::{Event, TagChange, Timestamp};

const CATALOG: &str = include_str!("catalog.yaml");

/// How many events each user has had before the measurement, each in a pane of its own.
const PANES: usize = 5;

/// Events a transaction: 100 ms of 100,000 a second.
const TRANSACTION: usize = 10_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|word| word == "--aggregates") {
        return aggregates::print();
    }
    let numbers = |text: &String| text.replace('_', "").parse::<usize>().ok();
    if arguments.iter().any(|word| word == "--growth") {
        return growth::draw_all(arguments.iter().find_map(numbers).unwrap_or(1_000_000));
    }
    let events = arguments.iter().skip_while(|word| *word != "--events").nth(1).and_then(numbers).unwrap_or(1_000_000);
    let options = arguments.iter().take_while(|word| *word != "--events");
    let mut sizes: Vec<usize> = options.filter_map(numbers).collect();
    if sizes.is_empty() {
        sizes = vec![100_000, 1_000_000];
    }
    println!(
        "{:>10}  {:>22}  {:>14}  {:>8}  {:>13}  {:>13}",
        "users", "", "ns CPU/event", "ratio", "bytes/user", "changes/event"
    );
    for users in sizes {
        let naive = naive::measure(users, events);
        println!(
            "{users:>10}  {:>22}  {:>14.0}  {:>8}  {:>13}  {:>8}",
            "naive", naive.ns_an_event, "1.00", naive.bytes_a_user, ""
        );
        let ours = measure(Load { catalog: CATALOG, users, panes: PANES, events, transaction: TRANSACTION });
        println!(
            "{users:>10}  {:>22}  {:>14.0}  {:>8.2}  {:>13}  {:>13}",
            "tagstream",
            ours.ns_an_event,
            ours.ns_an_event / naive.ns_an_event,
            ours.bytes_a_user,
            format!("{:.2}", ours.changes as f64 / events as f64)
        );
        println!(
            "{users:>10}  {:>22}  {:>14.0}  {:>8.2}",
            "  of it decoding",
            ours.ns_decoding,
            ours.ns_decoding / naive.ns_an_event
        );
        let journal = ours.journal;
        println!(
            "{users:>10}  {:>22}  {:>14.0}  {:>8.2}  {:.0} bytes/event, each written {:.2} times; log {:.2} of the state; restored {:.2} M users/s",
            "  changelog, beside it",
            journal.ns_an_event,
            journal.ns_an_event / naive.ns_an_event,
            journal.bytes_an_event,
            journal.amplification,
            journal.log_share,
            journal.users_a_second / 1e6,
        );
    }
}

struct Figures {
    ns_an_event: f64,
    ns_decoding: f64,
    bytes_a_user: usize,
    changes: u64,
    journal: journal::Figures,
}

/// Writes changes as the service does, and throws them away.
#[derive(Default)]
struct Written {
    line: Vec<u8>,
    changes: u64,
}

impl Sink for Written {
    fn change(&mut self, change: &TagChange<'_>) {
        self.line.clear();
        write_change(change, &mut self.line);
        self.changes += 1;
    }
}

/// Decodes events a few at a time, has what they read fetched together, and applies them, as the service does.
struct Applier {
    decoder: Decoder,
    events: Vec<Event>,
    sink: Written,
}

impl Applier {
    fn new(program: &Program) -> Self {
        let events = vec![Event::default(); Partition::FETCHED];
        Applier { decoder: Decoder::new(&program.catalog), events, sink: Written::default() }
    }

    fn apply(&mut self, lines: &[Vec<u8>], partition: &mut Partition) {
        for lines in lines.chunks(Partition::FETCHED) {
            let events = &mut self.events[..lines.len()];
            for (line, event) in lines.iter().zip(&mut *events) {
                self.decoder.decode(line, Timestamp::MAX, event).expect("the event is right");
            }
            partition.fetch(events.iter());
            events.iter().for_each(|event| partition.apply(event, &mut self.sink));
        }
    }
}

/// What is measured.
#[derive(Clone, Copy)]
struct Load<'a> {
    catalog: &'a str,
    users: usize,
    /// How many events each user has had before, each in a pane of its own.
    panes: usize,
    events: usize,
    /// Events a transaction, for the changelog.
    transaction: usize,
}

fn measure(load: Load<'_>) -> Figures {
    let Load { users, events, .. } = load;
    let loaded = catalog::load(load.catalog);
    let program: Arc<Program> = Program::new(loaded.catalog.expect("the catalog is right"));
    let mut partition = Partition::new(program.clone());
    let mut applier = Applier::new(&program);
    let mut stream = Stream::new(START_MS, users, load.panes);
    while let Some(lines) = stream.warm_up() {
        applier.apply(lines, &mut partition);
    }
    let bytes_a_user = partition.bytes() / users;
    applier.sink.changes = 0;
    let (mut total_ns, mut decode_ns) = (0, 0);
    let mut done = 0;
    while done < events {
        let lines = stream.next_batch();
        let start = cpu_ns();
        for line in lines {
            applier.decoder.decode(line, Timestamp::MAX, &mut applier.events[0]).expect("the event is right");
            std::hint::black_box(&applier.events);
        }
        let decoded = cpu_ns();
        applier.apply(lines, &mut partition);
        total_ns += cpu_ns() - decoded;
        decode_ns += decoded - start;
        done += lines.len();
    }
    Figures {
        ns_an_event: total_ns as f64 / done as f64,
        ns_decoding: decode_ns as f64 / done as f64,
        bytes_a_user,
        changes: applier.sink.changes,
        journal: journal::measure(&program, &mut applier, &mut partition, &mut stream, load),
    }
}

/// The CPU time of this thread.
fn cpu_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec of ours, which outlives the call.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
