//! The whole way: input topic → counters → tag changes and state in a transaction → committed, on a real Kafka, beside
//! a consumer that only takes the records. `benches/README.md` has the workload and the figures.
//!
//! `cargo bench --bench pipeline -- [--events N] [--runs N] [--delivery exactly_once|at_least_once] [--against PROGRAM]…
//! [--set SETTING=VALUE]… [--merged]`: by default 2,000,000 events, three times. One broker, the consumer or the service,
//! and nothing else share the machine. Each run takes the null consumer, the service, and each other `tagstream` program
//! that is named, one after the other. Prints the CPU time an event of each process, and it as a multiple of the null
//! consumer's in the same run: on a machine that others use too, only such ratios can be compared. With `--merged` each
//! program runs a second time with its events forwarded and merged, as several inputs are.
//!
//! `… -- --partitions N,N,… [--events N] [--runs N]`: the cost by partitions of the input, drawn into `benches/growth/`.
//!
//! `… -- --write FILE [--events N]`: the events as NDJSON, for `replay` and `capacity`.
//!
//! `… -- --latency [--rates N,N,…] [--intervals DURATION,…] [--seconds N]`: how late changes are, beside a producer of
//! so many events a second.

#[path = "../../tests/broker/fixture/broker/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests need more of it")]
mod broker;
#[path = "../chart/mod.rs"]
#[allow(dead_code, reason = "the bench of the engine needs more of it")]
mod chart;
#[path = "../../tests/broker/fixture/client.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod client;
mod cpu;
mod events;
mod latency;
mod null;
mod run;
mod service;
#[path = "../../tests/support/mod.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod support;

use std::path::PathBuf;
use std::time::Duration;

use broker::Broker;
use chart::Curve;
use client::{Write, produce};
use events::{EVENT_BYTES, USERS, events};
use latency::Latencies;
use run::{Route, Run};
use service::Program;

const PARTITIONS: usize = 4;
const EVENTS: &str = "events";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let delivery = values(&arguments, "--delivery").next().unwrap_or("exactly_once");
    let mut settings = vec![format!("service.delivery={delivery}")];
    settings.extend(values(&arguments, "--set").map(str::to_owned));
    let program = |name: &str, path: &str| Program {
        name: name.to_owned(),
        path: PathBuf::from(path),
        settings: settings.clone(),
    };
    let mut programs = vec![program("tagstream", env!("CARGO_BIN_EXE_tagstream"))];
    programs.extend(values(&arguments, "--against").map(|path| program(path, path)));
    let count = number(&arguments, "--events").unwrap_or(2_000_000);
    if let Some(path) = values(&arguments, "--write").next() {
        let lines: Vec<Vec<u8>> = events(count).map(|event| event.line).collect();
        return std::fs::write(path, lines.join(&b'\n')).expect("the file can be written");
    }
    let broker = Broker::start();
    if arguments.iter().any(|word| word == "--latency") {
        return measure_latency(&arguments, &broker, &programs);
    }
    if let Some(listed) = values(&arguments, "--partitions").next() {
        return draw_by_partitions(&arguments, listed, &broker, &programs[0], count);
    }
    let is_merged = arguments.iter().any(|word| word == "--merged");
    let routes: &[Route] = if is_merged { &[Route::Direct, Route::Merged] } else { &[Route::Direct] };
    let measured: Vec<(&Program, Route)> =
        programs.iter().flat_map(|program| routes.iter().map(move |route| (program, *route))).collect();
    client::create_topic(&broker, EVENTS, PARTITIONS as i32, &[]);
    fill(&broker, count, PARTITIONS);
    println!("{count} events of {EVENT_BYTES} bytes, {USERS} users, {PARTITIONS} partitions, {delivery}");
    println!("CPU in µs an event; the broker's is apart; ×: a multiple of the null consumer's in the same run");
    let mut ratios: Vec<Vec<f64>> = vec![Vec::new(); measured.len()];
    let mut seen = None;
    for run in 1..=number(&arguments, "--runs").unwrap_or(3) {
        let null = null_cpu(&broker, count, PARTITIONS);
        println!("run {run}: null {null:.3}");
        for (index, (program, route)) in measured.iter().enumerate() {
            let found = Run::of(program, &broker, &format!("run-{run}-{index}"), *route, count);
            let cpu = an_event(found.cpu, count);
            ratios[index].push(cpu / null);
            report(&name(program, *route), &found, count, cpu / null);
            if *route == Route::Direct {
                let outcome = (found.changes, found.digest);
                assert_eq!(*seen.get_or_insert(outcome), outcome, "all runs give the same changes");
            }
        }
    }
    for ((program, route), ratios) in measured.iter().zip(&mut ratios) {
        println!("median × null: {:.2}  {}", median(ratios), name(program, *route));
    }
}

/// The cost of the direct way by the number of partitions, each the middle one of some runs.
fn draw_by_partitions(arguments: &[String], listed: &str, broker: &Broker, program: &Program, count: usize) {
    let (mut ours, mut null) = (Vec::new(), Vec::new());
    for partitions in listed.split(',') {
        let partitions: usize = partitions.parse().expect("--partitions: numbers of partitions");
        client::create_topic(broker, EVENTS, partitions as i32, &[]);
        fill(broker, count, partitions);
        let (mut costs, mut floors) = (Vec::new(), Vec::new());
        for run in 1..=number(arguments, "--runs").unwrap_or(3) {
            let floor = null_cpu(broker, count, partitions);
            let found = Run::of(program, broker, &format!("of-{partitions}-{run}"), Route::Direct, count);
            let cost = an_event(found.cpu, count);
            println!("{partitions} partitions, run {run}: null {floor:.3}");
            report(&program.name, &found, count, cost / floor);
            costs.push(cost);
            floors.push(floor);
        }
        client::delete_topic(broker, EVENTS);
        ours.push((partitions as f64, median(&mut costs) * 1e3));
        null.push((partitions as f64, median(&mut floors) * 1e3));
    }
    let curves = [Curve { name: "tagstream", points: ours }, Curve { name: "null consumer", points: null }];
    chart::draw("partitions", ("ns of CPU an event", "partitions of the input (two workers)"), &curves);
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn name(program: &Program, route: Route) -> String {
    let merged = if route == Route::Merged { ", merged" } else { "" };
    format!("{}{merged}", program.name)
}

fn measure_latency(arguments: &[String], broker: &Broker, programs: &[Program]) {
    let listed = |name, default| values(arguments, name).next().unwrap_or(default).split(',');
    let length = Duration::from_secs(number(arguments, "--seconds").unwrap_or(30) as u64);
    println!("ms from the append of an event to the moment in which a read_committed reader has its change");
    for rate in listed("--rates", "10,20000") {
        let rate: u64 = rate.parse().expect("--rates: numbers of events a second");
        for (index, interval) in listed("--intervals", "20ms,100ms").enumerate() {
            for (program, place) in programs.iter().zip(0..) {
                let application = format!("late-{rate}-{index}-{place}");
                let interval = format!("service.commit_interval={interval}");
                client::create_topic(broker, EVENTS, PARTITIONS as i32, &[("message.timestamp.type", "LogAppendTime")]);
                let found = Latencies::of(program, broker, &application, [&interval], rate, length);
                client::delete_topic(broker, EVENTS);
                println!(
                    "{rate:>8} events/s  {interval}  median {}  p99 {}  p99.9 {}  greatest {}  of {} changes  {}",
                    found.median, found.p99, found.p999, found.greatest, found.changes, program.name
                );
            }
        }
    }
}

fn values<'a>(arguments: &'a [String], name: &'a str) -> impl Iterator<Item = &'a str> {
    arguments
        .iter()
        .zip(arguments.iter().skip(1))
        .filter(move |(word, _)| *word == name)
        .map(|(_, value)| value.as_str())
}

fn number(arguments: &[String], name: &str) -> Option<usize> {
    values(arguments, name).next()?.replace('_', "").parse().ok()
}

/// Writes the input. An entity's events meet in one partition.
fn fill(broker: &Broker, count: usize, partitions: usize) {
    produce(broker, EVENTS, events(count).map(|event| Write::event((event.user % partitions) as i32, "", event.line)));
}

/// The CPU time of the null consumer, which is this process, in µs an event.
fn null_cpu(broker: &Broker, count: usize, partitions: usize) -> f64 {
    let used = || cpu::used_by(std::process::id()).expect("this process");
    let before = used();
    null::consume(&broker.address(), EVENTS, partitions as i32, count);
    an_event(used() - before, count)
}

fn an_event(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}

fn report(name: &str, run: &Run, count: usize, ratio: f64) {
    let events = count as f64;
    println!(
        "  cpu {:.3} = {ratio:.2}×  broker {:.3}  {:.0} events/s  {:.4} changes/event  changelog {:.0} bytes/event  \
         commit {:.1} ms  {:.0} events/commit  {name}",
        an_event(run.cpu, count),
        an_event(run.broker_cpu, count),
        events / run.took.as_secs_f64(),
        run.changes as f64 / events,
        run.changelog_bytes as f64 / events,
        run.commit_ms,
        events / run.commits,
    );
}
