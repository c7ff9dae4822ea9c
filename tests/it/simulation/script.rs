//! What a history consists of: the cluster, the catalog, the input, the processes. All of it follows from a seed.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tagstream::engine::CompiledCatalog;
use tagstream::kafka::Topology;
use tagstream::settings::{self, ConfigFile, Delivery, PartitionedBy, Settings, Sources};

use super::faults::Faults;
use crate::simulation::brokers::cluster::{Batch, Shape};
use crate::simulation::brokers::log::Content;
use crate::simulation::brokers::topics::Topic;

/// The wall clock when a history begins: 2026-01-01T00:00:00Z.
pub const START_MS: i64 = 1_767_225_600_000;
/// After this time without an event no tag of the catalogs below changes any more.
pub const HORIZON_MS: i64 = 8_000;
/// A transaction of the input ends before this.
pub const INPUT_TRANSACTION_US_MAX: u64 = 3_000_000;

/// Every event shows, in its order; so does its absence.
const ECHO: &str = "version: 1\n\
    counters:\n  latest: { last: properties.n, on: \"*\" }\n\
    tags:\n  echo: { value: latest }\n  quiet: { when: seconds_since(last_seen) >= 1 }\n";
/// The state shows: how many events there were, ever and in a window.
const COUNT: &str = "version: 1\n\
    counters:\n  n: { count: \"*\" }\n  n_2s: { count: \"*\", window: 2s }\n\
    tags:\n  seen: { value: n }\n  busy: { when: n_2s >= 2, until: n_2s < 1 }\n  \
    calm: { when: n_2s == 0, for: 1s, keep_for: 1s }\n";
/// Stages, bands, and tags that use one another.
const STAGES: &str = "version: 1\n\
    counters:\n  n_3s: { count: click, window: 3s }\n  kinds: { distinct: properties.n, on: \"*\", window: 4s }\n  \
    last: { last: time, on: \"*\" }\n\
    tags:\n  variety: { value: kinds, bands: [ { name: low, below: 3 }, { name: mid, below: 6 }, { name: high } ] }\n  \
    life: { stages: [ { name: lapsing, when: seconds_since(last) >= 2 }, { name: hot, when: n_3s >= 3 }, { name: cool } ] }\n  \
    lone: { when: n_3s == 0 && tag.variety == \"low\", for: 500ms }\n";

/// Accounts beside users, whose events meet wherever they come in.
const ACCOUNTS: &str = "version: 1\n\
    entities:\n  account: { key: /properties/account }\n\
    counters:\n  n: { count: \"*\" }\n  sales: { count: click, entity: account, window: 2s }\n  \
    latest: { last: properties.n, on: \"*\", entity: account }\n\
    tags:\n  seen: { value: n }\n  selling: { when: sales >= 2, until: sales < 1, entity: account }\n  \
    echo: { value: latest, entity: account }\n";

/// A catalog, and what it becomes: counters and an attribute that it has new. Where tags come to in the end follows from
/// all events alone, not from the way there. Sessions and sequences go on under other names. No window lies some time ago:
/// it can gain events between the count of what would change and the evaluation, and such a change is not held.
const YOUNG: &str = "version: 1\n\
    counters:\n  n: { count: \"*\" }\n  sits: { sessions: \"*\", gap: 500ms }\n  \
    turns: { sequence: [click, view], within: 2s }\n\
    tags:\n  seen: { value: n }\n  sits: { value: sits }\n  turns: { value: turns }\n";
const GROWN: &str = "version: 1\n\
    attributes:\n  pick: { from: click, value: properties.n }\n\
    counters:\n  n: { count: \"*\" }\n  clicks: { count: click }\n  latest: { last: properties.n, on: view }\n  \
    n_3s: { count: \"*\", window: 3s }\n  \
    visits: { sessions: \"*\", gap: 500ms }\n  runs: { sequence: [click, view], within: 2s }\n  \
    seldom: { sessions: click, gap: 2s }\n  back: { sequence: [view, click, view], within: 3s }\n  \
    in_a_row: { count: click, since: view }\n  parts: { sum: item * 2, on: click, each: properties.parts }\n\
    tags:\n  seen: { value: n }\n  clicks: { value: clicks }\n  latest: { value: latest }\n  pick: { value: pick }\n  \
    busy: { when: n_3s >= 2 }\n  sits: { value: visits }\n  turns: { value: runs }\n  \
    seldom: { value: seldom }\n  back: { value: back }\n  in_a_row: { value: in_a_row }\n  parts: { value: parts }\n";

/// A catalog, and what an operator makes of it while workers run: other rules over the same counters. Where tags come to
/// follows from all events alone here, too.
const RULES: &str = "version: 1\n\
    counters:\n  n: { count: \"*\" }\n  n_3s: { count: \"*\", window: 3s }\n  latest: { last: properties.n, on: \"*\" }\n\
    tags:\n  seen: { value: n }\n  busy: { when: n_3s >= 3 }\n  gone: { when: seconds_since(last_seen) >= 2 }\n";
const OTHER_RULES: &str = "version: 1\n\
    counters:\n  n: { count: \"*\" }\n  n_3s: { count: \"*\", window: 3s }\n  latest: { last: properties.n, on: \"*\" }\n\
    tags:\n  seen: { value: n }\n  busy: { when: n_3s >= 1 }\n  latest: { value: latest }\n  \
    idle: { when: seconds_since(last_seen) >= 1 }\n";

pub struct Catalog {
    pub yaml: &'static str,
    pub compiled: Arc<CompiledCatalog>,
}

/// So many of the catalogs, from the first, have users alone.
pub const USERS_ONLY: usize = 3;
/// The one of them with accounts, too.
const ACCOUNTS_AT: usize = USERS_ONLY;
/// So many, from the first, stay as they are. Of the others each second one takes the place of the one before it.
const LASTING: usize = 4;
const REBUILT: usize = LASTING;
const SWITCHED: usize = REBUILT + 2;

/// The catalogs, compiled once.
pub fn catalogs() -> &'static [Catalog] {
    static CATALOGS: OnceLock<Vec<Catalog>> = OnceLock::new();
    let compile = |yaml: &'static str| {
        let loaded = tagstream::catalog::load(yaml);
        let catalog = loaded.catalog.unwrap_or_else(|| panic!("{yaml}\n{:#?}", loaded.problems));
        Catalog { yaml, compiled: CompiledCatalog::new(catalog) }
    };
    CATALOGS.get_or_init(|| {
        [ECHO, COUNT, STAGES, ACCOUNTS, YOUNG, GROWN, RULES, OTHER_RULES].into_iter().map(compile).collect()
    })
}

/// How much of a world a history needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// One worker keeps all partitions for ever.
    Settled,
    /// Workers come, go, die and are taken for dead.
    Moving,
    /// The same, with inputs that are not partitioned by user, and so pass through another topic.
    Merged,
    /// As `Moving`, with changes that leave before the transaction that makes them certain.
    Early,
    /// As `Merged`, with such changes.
    EarlyMerged,
    /// As `Moving`; then with another catalog, whose new counters begin with what the input retains.
    Rebuilding,
    /// As `Moving`, and meanwhile another catalog takes effect, in one process after the other.
    Switching,
    /// As `Merged`, with such a catalog.
    SwitchingMerged,
}

impl Family {
    pub const ALL: [Family; 8] = [
        Family::Settled,
        Family::Moving,
        Family::Merged,
        Family::Early,
        Family::EarlyMerged,
        Family::Rebuilding,
        Family::Switching,
        Family::SwitchingMerged,
    ];

    /// Whether workers come and go.
    pub fn moves(self) -> bool {
        self != Family::Settled
    }

    /// Whether events pass through another topic.
    pub fn merges(self) -> bool {
        matches!(self, Family::Merged | Family::EarlyMerged | Family::SwitchingMerged)
    }

    /// Whether the catalog changes while workers run.
    pub fn switches(self) -> bool {
        matches!(self, Family::Switching | Family::SwitchingMerged)
    }

    /// Whether changes are seen before they are certain, and so may be seen twice.
    pub fn is_early(self) -> bool {
        matches!(self, Family::Early | Family::EarlyMerged)
    }
}

#[derive(Debug)]
pub struct Script {
    pub family: Family,
    pub shape: Shape,
    pub faults: Faults,
    pub catalog: usize,
    pub workers: usize,
    pub processes: usize,
    pub settings: Settings,
    pub streams: Arc<Topology>,
    /// By time.
    pub input: Vec<(u64, Batch)>,
    pub input_ends_us: u64,
    /// From when on which of the catalogs is in force.
    pub switches: Vec<(u64, usize)>,
    /// When the wall clocks of all processes are behind, and by how much.
    pub clock_step: Option<ClockStep>,
}

/// The wall clock steps back, and later forward again.
#[derive(Clone, Debug)]
pub struct ClockStep {
    pub during_us: std::ops::Range<u64>,
    pub by_ms: i64,
}

impl ClockStep {
    /// In one of four histories.
    fn draw(seed: u64, input_ends_us: u64) -> Option<ClockStep> {
        let mut dice = fastrand::Rng::with_seed(seed ^ 0x636c_6f63);
        let from_us = dice.u64(0..input_ends_us);
        let during_us = from_us..from_us + dice.u64(100_000..3_000_000);
        let by_ms = dice.i64(3_000..7_200_000);
        (dice.u32(..4) == 0).then_some(ClockStep { during_us, by_ms })
    }
}

impl Script {
    pub fn draw(seed: u64, family: Family) -> Script {
        let mut dice = fastrand::Rng::with_seed(seed ^ 0x7461_6773);
        let moving = family.moves();
        let session_us = if moving { dice.u64(1_500_000..5_000_000) } else { 600_000_000 };
        let shape = Shape {
            partitions: dice.i32(1..=if moving { 5 } else { 3 }),
            session_us,
            heartbeat_us: dice.u64(150_000..500_000),
            rebalance_us: 8_000_000,
            transaction_us: dice.u64(1_000_000..4_000_000).min(session_us),
            letter_bytes_max: 1_500,
        };
        let faults = Faults::draw(&mut dice);
        let catalog = match family {
            Family::Rebuilding => REBUILT,
            _ if family.switches() => SWITCHED,
            _ if family.merges() => dice.usize(..LASTING),
            _ => dice.usize(..USERS_ONLY),
        };
        let (workers, processes) = if moving { (dice.usize(1..=2), dice.usize(1..=3)) } else { (1, 1) };
        let mut settings = defaults().clone();
        settings.service.idle_grace = Some(Duration::from_millis(dice.u64(500..1_200)));
        settings.service.commit_interval = Duration::from_millis(dice.u64(10..250));
        settings.service.delivery = if family.is_early() { Delivery::AtLeastOnce } else { Delivery::ExactlyOnce };
        let streams = Arc::new(if family.merges() {
            Script::draw_streams(&mut dice, catalog, &mut settings, shape.partitions)
        } else {
            Topology::of(&settings, None).counted(|_| shape.partitions)
        });
        let input_ends_us = dice.u64(1_000_000..if moving { 9_000_000 } else { 5_000_000 });
        let count = dice.usize(5..60);
        let mut script = Script {
            family,
            shape,
            faults,
            catalog,
            workers,
            processes,
            settings,
            streams,
            input: Vec::new(),
            input_ends_us,
            switches: if family.switches() { draw_switches(&mut dice, input_ends_us) } else { Vec::new() },
            clock_step: ClockStep::draw(seed, input_ends_us),
        };
        script.draw_input(&mut dice, 50_000..input_ends_us, count);
        script
    }

    /// One or two inputs with partitions of their own, not partitioned by user, and as much or as little room for what waits.
    fn draw_streams(dice: &mut fastrand::Rng, catalog: usize, settings: &mut Settings, partitions: i32) -> Topology {
        // With accounts users may be counted where they are read.
        if catalog != ACCOUNTS_AT || dice.bool() {
            settings.input.partitioned_by = PartitionedBy::None;
            settings.input.topics.extend(dice.bool().then(|| Topic::More.name().to_owned()));
        }
        let catalog = &catalogs()[catalog].compiled.catalog;
        let counts: BTreeMap<&str, i32> =
            Topic::ALL.into_iter().map(|topic| (topic.name(), dice.i32(1..=partitions))).collect();
        let streams = Topology::of(settings, Some(catalog)).counted(|topic| counts[topic]);
        if dice.bool() { streams.with_room(dice.usize(500..5_000)) } else { streams }
    }

    /// Events that bear the time at which they are written, or a little earlier.
    fn draw_input(&mut self, dice: &mut fastrand::Rng, times: std::ops::Range<u64>, count: usize) {
        let has_large = dice.u32(..20) == 0;
        let users = dice.usize(1..4);
        let mut at: Vec<u64> = (0..count).map(|_| dice.u64(times.clone())).collect();
        at.sort_unstable();
        for (number, at_us) in at.into_iter().enumerate() {
            let inputs = self.streams.input_partitions();
            let input = inputs[dice.i32(0..inputs.len() as i32) as usize];
            let (topic, partition) = (Topic::named(self.streams.topic(input.topic)), input.number);
            let transaction = (dice.u32(..8) == 0).then(|| {
                let (commit, us) = (dice.u32(..3) > 0, dice.u64(1_000..300_000));
                // Some are open for longer than `idle_grace`.
                (commit, if us % 4 == 0 { us * 10 } else { us })
            });
            let size = if dice.u32(..4) == 0 { dice.usize(1..6) } else { 1 };
            let mut content = || {
                let late_us = if dice.bool() { 0 } else { dice.u64(0..100_000) };
                let user = match self.settings.input.partitioned_by {
                    PartitionedBy::None => format!("u{}", dice.usize(..users + 1)),
                    PartitionedBy::User => format!("u{partition}-{}", dice.usize(..users)),
                };
                let at_ms = START_MS + (at_us.saturating_sub(late_us) / 1_000) as i64;
                let value = match dice.u32(..60) {
                    0 => None,
                    1 => Some(b"no event".to_vec()),
                    2 if has_large => Some(vec![b'x'; 2_000]),
                    _ => {
                        let kind = if dice.u32(..4) > 0 { "click" } else { "view" };
                        let n = if self.catalog == 0 { number } else { dice.usize(..8) };
                        let account = if self.catalog != ACCOUNTS_AT {
                            String::new()
                        } else {
                            format!(r#","account":"a{}""#, dice.usize(..2))
                        };
                        // As many elements as follow from the event's number.
                        let parts = if self.catalog < LASTING {
                            ""
                        } else {
                            [r#","parts":[1]"#, r#","parts":[2,3]"#, ""][number % 3]
                        };
                        let properties = format!(r#"{{"n":"{n}"{account}{parts}}}"#);
                        let event = format!(
                            r#"{{"user_id":"{user}","type":"{kind}","timestamp":{at_ms},"properties":{properties}}}"#
                        );
                        Some(event.into_bytes())
                    }
                };
                Content { key: Some(user.into_bytes()), value, headers: Vec::new() }
            };
            let contents = (0..size).map(|_| content()).collect();
            self.input.push((at_us, Batch { topic, partition, contents, transaction }));
        }
    }

    /// More input, for those who continue after everything has come to rest.
    pub fn draw_more(&mut self, seed: u64, from_us: u64) {
        let mut dice = fastrand::Rng::with_seed(!seed);
        self.input.clear();
        let (us, count) = if self.family.merges() { (dice.u64(1_500_000..30_000_000), 20) } else { (1_500_000, 8) };
        self.input_ends_us = from_us + us;
        self.draw_input(&mut dice, from_us + 100_000..self.input_ends_us, count);
    }
}

/// The other catalog comes into force; in one of three histories it is taken back once.
fn draw_switches(dice: &mut fastrand::Rng, input_ends_us: u64) -> Vec<(u64, usize)> {
    let catalogs = if dice.u32(..3) == 0 { &[SWITCHED + 1, SWITCHED, SWITCHED + 1][..] } else { &[SWITCHED + 1] };
    let mut times: Vec<u64> = catalogs.iter().map(|_| dice.u64(200_000..input_ends_us)).collect();
    times.sort_unstable();
    times.into_iter().zip(catalogs.iter().copied()).collect()
}

fn defaults() -> &'static Settings {
    static DEFAULTS: OnceLock<Settings> = OnceLock::new();
    DEFAULTS.get_or_init(|| {
        let flags = [
            "kafka.brokers=simulated:1",
            "kafka.application=sim",
            "input.topics=events",
            "output.changes=changes",
            "output.tags=tags",
            "service.outage_after=off",
        ];
        let sources = Sources {
            file: ConfigFile::Default("/nonexistent/tagstream.toml".into()),
            environment: Vec::new(),
            flags: flags.map(str::to_owned).to_vec(),
        };
        settings::load(&sources).unwrap_or_else(|problems| panic!("{problems}"))
    })
}
