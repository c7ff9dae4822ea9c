//! After an erasure nothing of the entity is left in the topics that hold state, down to the brokers' files.

use std::fs;
use std::path::Path;

use crate::fixture::broker::{self, Broker};
use crate::fixture::client::{Write, alter_topic, produce, read_all};
use crate::fixture::now_ms;
use crate::support::service::Setup;

const CATALOG: &str = "version: 1\n\
    attributes:\n  city: { from: click, value: properties.city }\n\
    counters:\n  n: { count: click }\n\
    tags:\n  seen: { value: n }\n  home: { value: city }\n";

const KEY: &str = "somebody-who-wants-to-be-forgotten";
const CITY: &str = "a-place-that-nobody-else-lives-in";

/// The cleaner has other topics to see to.
const ROUNDS_MAX: usize = 60;

/// What makes the cleaner go over all but the newest records, soon, and drop tombstones with the rest.
const EAGER: [(&str, &str); 7] = [
    ("file.delete.delay.ms", "100"),
    ("min.cleanable.dirty.ratio", "0.001"),
    ("min.compaction.lag.ms", "0"),
    ("max.compaction.lag.ms", "500"),
    ("segment.ms", "500"),
    ("delete.retention.ms", "0"),
    ("cleanup.policy", "compact"),
];

/// The files of a topic that have these bytes.
fn files_with(broker: &Broker, topic: &str, bytes: &str) -> Vec<String> {
    let mut found = Vec::new();
    visit(broker.folder(), &mut |path| {
        let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
        let is_ours = folder.rsplit_once('-').is_some_and(|(name, _)| name == topic);
        // A file may be gone by the time it is read: then it has nothing.
        let content = if is_ours { fs::read(path).unwrap_or_default() } else { Vec::new() };
        if memchr::memmem::find(&content, bytes.as_bytes()).is_some() {
            found.push(path.display().to_string());
        }
    });
    found
}

fn visit(folder: &Path, each: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { visit(&path, each) } else { each(&path) }
    }
}

#[test]
fn no_byte_of_an_erased_user_is_left_where_state_is_kept() {
    let broker = broker::shared();
    let setup = Setup::on("erased", broker, CATALOG)
        .with("service.idle_grace=1s")
        .with("kafka.properties.compression.type=none");
    setup.create_topics(2);
    let start = now_ms() - 60_000;
    let click = |key: &str, city: &str, n: i64| {
        let at = start + n;
        format!(r#"{{"user_id":"{key}","type":"click","timestamp":{at},"properties":{{"city":"{city}"}}}}"#)
    };
    let mut events = vec![Write::event(0, KEY, click(KEY, CITY, 0))];
    for n in 1..400 {
        let key = format!("u{}", n % 40);
        events.push(Write::event((n % 40 % 2) as i32, &key, click(&key, "town", n)));
    }
    produce(broker, &setup.topic("events"), events);
    let state = [setup.topic("changelog"), setup.topic("tags")];
    let mut service = setup.start();
    service.until("the state to be there", |_| state.iter().all(|topic| !files_with(broker, topic, KEY).is_empty()));
    assert!(!files_with(broker, &state[0], CITY).is_empty(), "the test looks in the wrong place");

    let erase = format!(r#"{{"user_id":"{KEY}","type":"$erase","timestamp":{}}}"#, start + 1_000);
    produce(broker, &setup.topic("events"), [Write::event(0, KEY, erase)]);
    let removed = |setup: &Setup| {
        let changes = read_all(broker, &setup.topic("changes"));
        changes.iter().map(crate::fixture::client::Seen::json).filter(|change| change["cause"] == "erased").count()
    };
    service.until("its tags to leave", |_| removed(&setup) == 2);
    state.iter().for_each(|topic| alter_topic(broker, topic, &EAGER));
    // Nothing happens from here on but that time passes: the log is purged all the same. A cleaner leaves a log's newest
    // segment alone, so others have something to do now and then.
    let mut n = 2_000;
    let mut left = vec![String::new()];
    for _ in 0..ROUNDS_MAX {
        let others = (0..40_i64).map(|user| {
            let key = format!("u{user}");
            Write::event((user % 2) as i32, &key, click(&key, &format!("town-{n}"), n + user))
        });
        produce(broker, &setup.topic("events"), others);
        n += 100;
        std::thread::sleep(std::time::Duration::from_secs(2));
        let of = |topic: &String| [KEY, CITY].map(|bytes| files_with(broker, topic, bytes)).concat();
        left = state.iter().flat_map(of).collect();
        if left.is_empty() {
            break;
        }
    }
    assert!(left.is_empty(), "{left:#?}\n{}", service.log());

    // A new life.
    produce(broker, &setup.topic("events"), [Write::event(0, KEY, click(KEY, "elsewhere", n + 1_000))]);
    service.until("it to begin anew", |_| {
        let changes = read_all(broker, &setup.topic("changes"));
        let mut of_it = changes.iter().map(crate::fixture::client::Seen::json).filter(|change| change["key"] == KEY);
        of_it.next_back().is_some_and(|change| change["seq"] == 2 && change["value"] == "elsewhere")
    });
    service.stop();
}
