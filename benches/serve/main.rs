//! What the read side's answers cost, beside a naive store of the same users in the same run.
//!
//! `cargo bench --bench serve -- [--users N] [--seconds N]`: by default 1,000,000 users with the 20 tags of the engine's bench.
//! Prints the time of an audience of three tags, of one with a counter, and of a profile, each written as JSON; then the
//! latencies of 1,000 questions a second while the follower takes the transactions of up to 100,000 events a second; and the
//! bytes of a user.

mod followed;
mod naive;
mod stream;

use std::hint::black_box;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use followed::Followed;
use naive::{NaiveUser, naive};
use stream::{Stream, key};
use tagstream::serve::api::Profile;
use tagstream::serve::audience::Audience;
use tagstream::serve::replica::ReplicaView;

const OF_TAGS: &str = "tag.regular && !tag.churn_risk && tag.spend_level == \"mid\"";
const OF_A_COUNTER: &str = "tag.regular && !tag.churn_risk && spend_180d > 500";
/// Events that each user has had.
const ROUNDS: usize = 5;
const READS: usize = 300;
const QUESTIONS_A_SECOND: u32 = 1_000;
const EVENTS_A_SECOND: usize = 100_000;
/// Events of a transaction: 100 ms.
const A_TRANSACTION: usize = EVENTS_A_SECOND / 10;

/// The median and the 99th percentile of what was measured, in milliseconds.
fn percentiles(mut nanos: Vec<u128>) -> (f64, f64) {
    nanos.sort_unstable();
    let at = |share: f64| nanos[((nanos.len() - 1) as f64 * share) as usize] as f64 / 1e6;
    (at(0.5), at(0.99))
}

fn timed(times: usize, mut work: impl FnMut(usize)) -> (f64, f64) {
    let one = |at: usize| {
        let start = Instant::now();
        work(at);
        start.elapsed().as_nanos()
    };
    percentiles((0..times).map(one).collect())
}

fn size(view: &ReplicaView, text: &str) -> u64 {
    let audience = Audience::parse(&view.compiled, view.compiled.catalog.user(), text).expect("an expression");
    audience.select(view).size()
}

fn profile(view: &ReplicaView, user: usize) -> usize {
    let profile = Profile::of(view, view.compiled.catalog.user(), &key(user)).expect("a user");
    serde_json::to_string(&profile).expect("JSON").len()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str, usual: usize| {
        let given = arguments.iter().skip_while(|word| *word != name).nth(1);
        given.and_then(|text| text.replace('_', "").parse().ok()).unwrap_or(usual)
    };
    let (users, seconds) = (option("--users", 1_000_000), option("--seconds", 10));
    let mut followed = Followed::new();
    let mut stream = Stream::new(users, ROUNDS);
    let mut view = None;
    while let Some(lines) = stream.first() {
        followed.transact(&lines);
        view = Some(followed.follow());
    }
    let view = view.expect("there are users");
    println!("{users} users, 20 tags");
    println!("{:>34}  {:>10}  {:>10}  {:>8}", "", "median ms", "p99 ms", "ratio");
    let plain = naive(&view);
    let line = |name: &str, (median, most): (f64, f64), naive: Option<f64>| {
        let ratio = naive.map(|naive| format!("{:.3}", median / naive)).unwrap_or_default();
        println!("{name:>34}  {median:>10.3}  {most:>10.3}  {ratio:>8}");
    };
    let is_in = |user: &NaiveUser| user.regular && !user.churn_risk;
    let of_tags = |user: &&NaiveUser| is_in(user) && user.spend_level.as_deref() == Some("mid");
    let of_a_counter = |user: &&NaiveUser| is_in(user) && user.spend_180d > 500.0;
    assert_eq!(size(&view, OF_TAGS), plain.values().filter(of_tags).count() as u64);
    assert_eq!(size(&view, OF_A_COUNTER), plain.values().filter(of_a_counter).count() as u64);
    let scan = timed(READS / 10, |_| _ = black_box(plain.values().filter(of_tags).count()));
    line("three tags, naive scan", scan, None);
    line("three tags", timed(READS, |_| _ = black_box(size(&view, OF_TAGS))), Some(scan.0));
    let scan = timed(READS / 10, |_| _ = black_box(plain.values().filter(of_a_counter).count()));
    line("tags and a counter, naive scan", scan, None);
    line("tags and a counter", timed(READS / 10, |_| _ = black_box(size(&view, OF_A_COUNTER))), Some(scan.0));
    line("a profile", timed(READS * 10, |at| _ = black_box(profile(&view, at * 7_919 % users))), None);
    let bytes: usize = view.partitions.iter().map(|partition| partition.bytes()).sum();
    drop((plain, view));
    beside_catching_up(&mut followed, &mut stream, users, seconds);
    println!("{:.0} bytes a user in the replica, keys and numbers beside", bytes as f64 / users as f64);
}

/// Questions at a steady rate while transactions come.
fn beside_catching_up(followed: &mut Followed, stream: &mut Stream, users: usize, seconds: usize) {
    let (replica, until) = (Arc::clone(&followed.replica), Instant::now() + Duration::from_secs(seconds as u64));
    let asker = thread::spawn(move || {
        let (mut nanos, mut asked, begun) = (Vec::new(), 0_u32, Instant::now());
        while Instant::now() < until {
            // The time from when the question was to be asked: a late one counts in full.
            let due = begun + Duration::from_secs(1) / QUESTIONS_A_SECOND * asked;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let view = replica.view().expect("something is shown");
            match asked % 10 {
                0 => _ = black_box(size(&view, OF_TAGS)),
                _ => _ = black_box(profile(&view, asked as usize * 7_919 % users)),
            }
            nanos.push(due.elapsed().as_nanos());
            asked += 1;
        }
        nanos
    });
    let (mut events, mut follow_time) = (0, Duration::ZERO);
    while Instant::now() < until {
        let lines = stream.next(A_TRANSACTION);
        let begun = Instant::now();
        followed.transact(&lines);
        let written = Instant::now();
        followed.follow();
        follow_time += written.elapsed();
        events += lines.len();
        thread::sleep(Duration::from_millis(100).saturating_sub(begun.elapsed()));
    }
    let nanos = asker.join().expect("the asker ends");
    let (asked, (median, most)) = (nanos.len(), percentiles(nanos));
    println!(
        "{:>34}  {median:>10.3}  {most:>10.3}            {:.0} questions/s beside {:.0} events/s; following takes {:.2} of a core",
        "while it follows",
        asked as f64 / seconds as f64,
        events as f64 / seconds as f64,
        follow_time.as_secs_f64() / seconds as f64,
    );
}
