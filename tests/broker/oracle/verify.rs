//! The oracle of a run: what it left in Kafka, compared with `tagstream replay` of its input and against partitions that were
//! never interrupted.
//!
//! It reads the input topic itself, so nothing that the test did is taken on trust, and looks at
//! 1. the tag changes, byte for byte and in order: those of an input partition within each output partition are those
//!    that replay of that partition gives (or, where the catalog was changed meanwhile, a partition that adopts each one
//!    where the changelog says that it came into force); `seq` counts each user's changes from 1;
//! 2. the current tags: the last record of each user is what the user's changes lead to;
//! 3. the dead letters: one for every record that was not an event;
//! 4. the changelog: a state restored from it answers further events and further time as one does that has seen all
//!    the input in one go;
//! 5. that nothing is left open: no transaction in any topic, and no input behind the committed offsets.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::message::Message;
use serde::Deserialize;
use serde_json::Value;
use tagstream::codec::{ChangelogKey, ChangelogRecord, Decoder, write_change};
use tagstream::engine::{Checkpoint, Partition, Program, Sink, StateRestorer};
use tagstream::model::{Event, TagChange, Timestamp};

use crate::fixture::client::{Isolation, committed, ends, read_all, read_each};
use crate::oracle::catalog_eras::{Catalogs, Lines, Model, eras};
use crate::support::service::Bootstrap;
use crate::support::service::Setup;

const PATIENCE: Duration = Duration::from_secs(120);

/// What moved the clocks of the partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clocks {
    /// Events alone: `service.idle_grace` was longer than the events are old.
    Events,
    /// The wall clock too. Then the result is still that of replay, up to the instant that the changelog says the clock
    /// has reached, provided that every event was in Kafka within `service.idle_grace` of its time.
    WallClock,
}

/// A run that is over: its processes have ended, all input is in.
pub struct Trial<'a, B> {
    pub brokers: &'a B,
    pub setup: &'a Setup,
    pub clocks: Clocks,
    /// The catalogs that were in force before the present one, the first to begin with.
    pub earlier: &'a [String],
    /// Further events for the restored state: type and properties, as the members of a JSON object.
    pub probes: &'a [&'a str],
}

/// What was compared, all of it equal.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    pub events: u64,
    pub rejected: usize,
    pub users: usize,
    pub changes: usize,
    /// Changes that no event brought.
    pub by_timer: usize,
    /// Changes that a changed catalog brought.
    pub by_catalog: usize,
    /// Changes with which the restored states answered the probes.
    pub answers: usize,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { events, rejected, users, changes, by_timer, by_catalog, answers } = self;
        write!(f, "{events} events and {rejected} rejected records of {users} users gave {changes} changes, ")?;
        write!(
            f,
            "{by_timer} of them by time alone, {by_catalog} by a changed catalog; restored states gave {answers} more when asked; all as expected"
        )
    }
}

/// The input partition that each user's events stand in.
type Owners = HashMap<String, usize>;

/// Of a record: partition and offset.
type Place = (i32, i64);

/// An input partition: the file that replay reads, and a state that saw all of it.
struct Input {
    file: BufWriter<fs::File>,
    model: Model,
    told: ExpectedChanges,
    events: u64,
    users: Vec<String>,
}

/// What the changes topic holds. Changes of an input partition within an output partition have one order.
#[derive(Default)]
struct Changes {
    lines: HashMap<(usize, i32), Vec<Box<[u8]>>>,
    /// By user: the output partition, the last `seq`, and the tags with value and instant that the changes lead to.
    users: HashMap<String, Reached>,
    count: usize,
    by_timer: usize,
    by_catalog: usize,
}

struct Reached {
    output: i32,
    seq: u64,
    tags: BTreeMap<String, (Value, String)>,
}

/// The members of a change that are looked at.
#[derive(Deserialize)]
struct Change {
    key: String,
    tag: String,
    change: String,
    value: Value,
    at: String,
    seq: u64,
    cause: String,
}

impl<B: Bootstrap> Trial<'_, B> {
    /// Panics with the first difference.
    pub fn verify(&self) -> Verdict {
        self.await_rest();
        let catalogs = Catalogs::of_setup(self.earlier, self.setup);
        let (mut inputs, owners, rejected) = self.read_input(&catalogs);
        let changes = self.read_changes(&owners);
        let clocks = self.check_restored(catalogs.present.user(), &mut inputs);
        for (index, input) in inputs.iter_mut().enumerate() {
            self.check_changes(index, input, clocks[index].0, &changes);
        }
        self.check_current_tags(&changes);
        self.check_letters(&rejected);
        Verdict {
            events: inputs.iter().map(|input| input.events).sum(),
            rejected: rejected.len(),
            users: owners.len(),
            changes: changes.count,
            by_timer: changes.by_timer,
            by_catalog: changes.by_catalog,
            answers: clocks.iter().map(|(_, answers)| answers).sum(),
        }
    }

    fn changelog(&self) -> String {
        format!("{}-changelog", self.setup.application)
    }

    /// Waits until no transaction is open: one whose owner was killed ends by its time-out.
    fn await_rest(&self) {
        let input = self.setup.topic("events");
        let dead_letters = self.setup.topic("dead-letter");
        let own = [self.setup.topic("changes"), self.setup.topic("tags"), self.changelog(), dead_letters];
        let topics = own.into_iter().chain([input.clone(), "__consumer_offsets".to_owned()]);
        for topic in topics {
            let deadline = Instant::now() + PATIENCE;
            loop {
                let stable = ends(self.brokers, &topic, Isolation::Committed);
                let all = ends(self.brokers, &topic, Isolation::Uncommitted);
                if stable == all {
                    break;
                }
                assert!(Instant::now() < deadline, "a transaction is open in {topic}: {stable:?} of {all:?}");
                thread::sleep(Duration::from_millis(200));
            }
        }
        let ends: Vec<i64> = ends(self.brokers, &input, Isolation::Uncommitted).iter().map(|ends| ends.end).collect();
        let committed = committed(self.brokers, &self.setup.application, &input);
        let committed: Vec<i64> = committed.into_iter().map(|offset| offset.unwrap_or(0)).collect();
        assert_eq!(committed, ends, "the committed offsets and the ends of {input}");
    }

    /// The partitions of the input, whose each user is, and the places of records that are not events.
    fn read_input(&self, catalogs: &Catalogs) -> (Vec<Input>, Owners, Vec<Place>) {
        let topic = self.setup.topic("events");
        let partitions = ends(self.brokers, &topic, Isolation::Uncommitted).len();
        let eras = eras(self.brokers, &self.changelog(), partitions);
        let mut inputs: Vec<Input> = eras
            .iter()
            .enumerate()
            .map(|(index, eras)| {
                let create = |name: &str| BufWriter::new(fs::File::create(self.file(name, index)).expect("a file"));
                let model = Model::new(catalogs, catalogs.present.catalog.user(), eras);
                let told = ExpectedChanges(model.changes_catalog().then(|| create("told")));
                Input { file: create("input"), model, told, events: 0, users: Vec::new() }
            })
            .collect();
        let (mut owners, mut rejected) = (HashMap::new(), Vec::new());
        let mut event = Event::default();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis() as i64;
        read_each(self.brokers, &topic, |record| {
            let index = record.partition() as usize;
            let input = &mut inputs[index];
            input.model.before(|standing| record.offset() < standing.next_offset, &mut input.told);
            let Some(payload) = record.payload() else { return };
            if input.model.decoder.decode(payload, Timestamp::from_ms(now), &mut event).is_err() {
                rejected.push((record.partition(), record.offset()));
                return;
            }
            input.file.write_all(payload).and_then(|()| input.file.write_all(b"\n")).expect("a line");
            input.events += 1;
            input.model.partition.apply(&event, &mut input.told);
            if !owners.contains_key(event.key()) {
                owners.insert(event.key().to_owned(), index);
                input.users.push(event.key().to_owned());
            }
            assert_eq!(owners[event.key()], index, "the test itself spread a user over partitions");
        });
        for Input { file, model, told, .. } in &mut inputs {
            model.before(|_| false, told);
            file.flush().expect("a file");
        }
        (inputs, owners, rejected)
    }

    fn file(&self, name: &str, index: usize) -> std::path::PathBuf {
        self.setup.folder.join(format!("{name}-{index}.ndjson"))
    }

    fn read_changes(&self, owners: &Owners) -> Changes {
        let mut changes = Changes::default();
        read_each(self.brokers, &self.setup.topic("changes"), |record| {
            let line = record.payload().expect("a value");
            let place = format!("partition {}, offset {}", record.partition(), record.offset());
            let change: Change = serde_json::from_slice(line).unwrap_or_else(|error| panic!("{place}: {error}"));
            assert_eq!(record.key(), Some(change.key.as_bytes()), "{place}");
            let owner = *owners.get(&change.key).unwrap_or_else(|| panic!("{place}: nobody knows {}", change.key));
            let output = record.partition();
            let start = || Reached { output, seq: 0, tags: BTreeMap::new() };
            let reached = changes.users.entry(change.key).or_insert_with(start);
            assert_eq!(reached.output, output, "a user's changes in two partitions: {place}");
            assert_eq!(change.seq, reached.seq + 1, "{place}: {}", String::from_utf8_lossy(line));
            reached.seq += 1;
            match change.change.as_str() {
                "removed" => reached.tags.remove(&change.tag),
                _ => reached.tags.insert(change.tag, (change.value, change.at)),
            };
            changes.lines.entry((owner, output)).or_default().push(line.into());
            changes.count += 1;
            changes.by_timer += usize::from(change.cause == "timer");
            changes.by_catalog += usize::from(change.cause == "catalog");
        });
        changes
    }

    /// Compares the changes of an input partition with those that are expected, up to `clock` if the wall clock was
    /// followed.
    fn check_changes(&self, index: usize, input: &mut Input, clock: Option<Timestamp>, changes: &Changes) {
        if input.events == 0 {
            return;
        }
        match &mut input.told {
            ExpectedChanges(Some(file)) => {
                file.flush().expect("a file");
                compare_changes(index, fs::File::open(self.file("told", index)).expect("a file"), changes);
            }
            ExpectedChanges(None) => {
                let mut replay = Command::new(env!("CARGO_BIN_EXE_tagstream"));
                let input = self.file("input", index);
                replay.args(["replay", "catalog.yaml", "--input"]).arg(input).current_dir(&self.setup.folder);
                if self.clocks == Clocks::WallClock {
                    replay.args(["--until", &clock.expect("a clock").to_string()]);
                }
                let mut replay =
                    replay.stdout(Stdio::piped()).stderr(Stdio::null()).stdin(Stdio::null()).spawn().expect("replay");
                compare_changes(index, replay.stdout.take().expect("a pipe"), changes);
                assert!(replay.wait().expect("replay").success());
            }
        }
    }

    fn check_current_tags(&self, changes: &Changes) {
        let mut last: HashMap<String, Vec<u8>> = HashMap::new();
        read_each(self.brokers, &self.setup.topic("tags"), |record| {
            let key = String::from_utf8(record.key().expect("a key").to_vec()).expect("UTF-8");
            last.insert(key, record.payload().expect("a value").to_vec());
        });
        assert_eq!(last.len(), changes.users.len(), "users in the topic of current tags");
        for (user, reached) in &changes.users {
            let found = last.get(&format!("user:{user}")).unwrap_or_else(|| panic!("{user} has no current tags"));
            let found: Value = serde_json::from_slice(found).expect("JSON");
            let tag = |(name, tag): (&String, &Value)| {
                (name.clone(), (tag["value"].clone(), tag["since"].as_str().expect("an instant").to_owned()))
            };
            let found: BTreeMap<_, _> = found["tags"].as_object().expect("tags").iter().map(tag).collect();
            assert_eq!(found, reached.tags, "the current tags of {user}, and what the changes lead to");
        }
    }

    fn check_letters(&self, rejected: &[Place]) {
        let number = |letter: &crate::fixture::client::Seen, name| {
            letter.header(name).and_then(|text| text.parse::<i64>().ok()).expect("a number")
        };
        let letters = read_all(self.brokers, &self.setup.topic("dead-letter"));
        let mut found: Vec<Place> = letters
            .iter()
            .map(|letter| (number(letter, "tagstream-partition") as i32, number(letter, "tagstream-offset")))
            .collect();
        let mut expected = rejected.to_vec();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "places of the dead letters");
    }

    /// Restores every partition from the changelog and compares it with the one that saw all of the input. Returns the
    /// clocks that it says were reached, and how many changes were compared.
    fn check_restored(&self, program: &Arc<Program>, inputs: &mut [Input]) -> Vec<(Option<Timestamp>, usize)> {
        let mut restoring: Vec<StateRestorer> = inputs.iter().map(|_| StateRestorer::new(program.clone())).collect();
        let mut notes: Vec<Option<(Checkpoint, i64)>> = vec![None; inputs.len()];
        read_each(self.brokers, &self.changelog(), |record| {
            let index = record.partition() as usize;
            let restoring = &mut restoring[index];
            match ChangelogRecord::read(record.key().expect("a key"), record.payload()).expect("a readable record") {
                ChangelogRecord::Meta(meta) => {
                    notes[index] = Some((meta.checkpoint(), meta.next_offset));
                }
                ChangelogRecord::Schema { id, meaning } => restoring.schema(id, meaning).expect("a schema"),
                ChangelogRecord::Segment(segment) => restoring.segment(segment).expect("a segment"),
                ChangelogRecord::Cleared(ChangelogKey::Segment(slot)) => restoring.clear(slot),
                ChangelogRecord::Cleared(ChangelogKey::Schema(id)) => restoring.clear_schema(id),
                ChangelogRecord::Sources { .. } => panic!("nothing is merged"),
                ChangelogRecord::Cleared(ChangelogKey::Meta | ChangelogKey::Sources) => {
                    panic!("nobody removes these")
                }
            }
        });
        let ends = ends(self.brokers, &self.setup.topic("events"), Isolation::Uncommitted);
        let each = inputs.iter_mut().zip(restoring).zip(notes).enumerate();
        each.map(|(index, ((input, restoring), note))| {
            let Some((position, next_offset)) = note else {
                assert_eq!(ends[index].end, 0, "partition {index} has no state");
                return (None, 0);
            };
            assert_eq!(next_offset, ends[index].end, "partition {index}: how far the state is");
            let clock = position.clock;
            let mut restored = restoring.finish(position).expect("the log is whole").partition;
            if let (Clocks::WallClock, Some(clock)) = (self.clocks, clock) {
                input.model.partition.advance(clock, &mut input.told);
            }
            assert_eq!(restored.clock(), input.model.partition.clock(), "partition {index}: the clock");
            assert_eq!(restored.entities(), input.model.partition.entities(), "partition {index}: users");
            let Input { model: Model { partition, decoder, .. }, users, .. } = input;
            let (found, expected) = (self.probe(&mut restored, decoder, users), self.probe(partition, decoder, users));
            compare_answers(index, &found, &expected);
            (clock, expected.len())
        })
        .collect()
    }

    /// The changes with which a partition answers further events of all its users, and time.
    fn probe(&self, partition: &mut Partition, decoder: &mut Decoder, users: &[String]) -> Vec<String> {
        const SECOND: i64 = 1_000;
        const LAPSES: [i64; 4] = [5 * SECOND, 1_800 * SECOND, 20_000 * SECOND, 4_000_000 * SECOND];
        let Some(start) = partition.clock() else { return Vec::new() };
        let mut answers = Lines::default();
        let mut event = Event::default();
        let mut at = start;
        for lapse in LAPSES {
            for user in users {
                for probe in self.probes {
                    let line = format!(r#"{{"user_id":"{user}","timestamp":{},{probe}}}"#, at.ms());
                    decoder.decode(line.as_bytes(), at, &mut event).expect("a probe is an event");
                    partition.apply(&event, &mut answers);
                }
            }
            at = at.plus(lapse);
            partition.advance(at, &mut answers);
        }
        answers.0
    }
}

/// Compares the changes of an input partition with those that are expected, one a line.
fn compare_changes(index: usize, expected: impl Read, changes: &Changes) {
    let mut next: HashMap<i32, usize> = HashMap::new();
    for line in BufReader::new(expected).split(b'\n') {
        let expected = line.expect("a line");
        let text = String::from_utf8_lossy(&expected);
        let change: Change = serde_json::from_slice(&expected).expect("a change");
        let reached = changes.users.get(&change.key).unwrap_or_else(|| panic!("partition {index}: lost: {text}"));
        let at = next.entry(reached.output).or_default();
        match changes.lines[&(index, reached.output)].get(*at) {
            None => panic!("partition {index}: lost, and all behind it: {text}"),
            Some(found) if **found != *expected => panic!(
                "partition {index}, change {at} in output partition {}:\n  expected {text}\n  found    {}",
                reached.output,
                String::from_utf8_lossy(found)
            ),
            Some(_) => *at += 1,
        }
    }
    for ((_, output), lines) in changes.lines.iter().filter(|((owner, _), _)| *owner == index) {
        let compared = next.get(output).copied().unwrap_or(0);
        if let Some(line) = lines.get(compared) {
            panic!("partition {index}: more than expected: {}", String::from_utf8_lossy(line));
        }
    }
}

fn compare_answers(index: usize, found: &[String], expected: &[String]) {
    for (nth, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found, expected, "partition {index}: answer {nth} of the restored state");
    }
    assert_eq!(found.len(), expected.len(), "partition {index}: answers of the restored state");
}

/// What the model of a partition says, if the catalog was changed: no replay says that.
struct ExpectedChanges(Option<BufWriter<fs::File>>);

impl Sink for ExpectedChanges {
    fn change(&mut self, change: &TagChange<'_>) {
        if let ExpectedChanges(Some(file)) = self {
            let mut line = Vec::new();
            write_change(change, &mut line);
            line.push(b'\n');
            file.write_all(&line).expect("a line");
        }
    }
}
