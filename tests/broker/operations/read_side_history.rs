//! The read side beside a service: its history, its commands, and what is left after an erasure.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::fixture::broker;
use crate::fixture::client::{Seen, Write, produce, read_all};
use crate::fixture::now_ms;
use crate::support::http_client::{Answer, ask_with};
use crate::support::service::Setup;

const CATALOG: &str = "version: 1\n\
    counters:\n  n: { count: click }\n\
    tags:\n  seen: { value: n }\n  keen: { when: n >= 3 }\n  vip: { manual: {} }\n";

const KEY: &str = "somebody-who-is-looked-at";
const PATIENCE: Duration = Duration::from_secs(60);
const API: &str = "the page is at http://";

fn request(address: SocketAddr, method: &str, path: &str) -> Answer {
    let headers = ["Host: localhost", "Connection: close", "Content-Length: 0"];
    ask_with(address, method, path, &headers).expect("an answer")
}

fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < until, "waiting for {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Where the process listens, as its log says.
fn address(log: &str) -> Option<SocketAddr> {
    let (_, after) = log.split_once(API)?;
    after[..after.find('/')?].parse().ok()
}

fn changes(address: SocketAddr) -> Vec<Json> {
    let answer = request(address, "GET", &format!("/v1/entities/user/{KEY}/changes?limit=1000"));
    if answer.status != 200 {
        return Vec::new();
    }
    let mut document: Json = serde_json::from_str(&answer.body).expect("JSON");
    document["changes"].as_array_mut().map(std::mem::take).unwrap_or_default()
}

/// The files of a folder, and of those in it, that have these bytes.
fn files_with(folder: &Path, bytes: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() {
            found.extend(files_with(&entry.path(), bytes));
            continue;
        }
        let content = fs::read(entry.path()).unwrap_or_default();
        if memchr::memmem::find(&content, bytes.as_bytes()).is_some() {
            found.push(entry.path().display().to_string());
        }
    }
    found
}

#[test]
fn the_history_is_the_topic_commands_are_applied_and_an_erasure_leaves_nothing() {
    let broker = broker::shared();
    let setup = Setup::on("readside", broker, CATALOG)
        .with("service.idle_grace=1s")
        .with("serve.listen=127.0.0.1:0")
        .with("serve.directory=read-side");
    setup.create_topics(2);
    let store = setup.folder.join("read-side");
    let start = now_ms() - 60_000;
    let click = |n: i64| {
        let (key, at) = (if n % 2 == 0 { KEY.to_owned() } else { format!("u{n}") }, start + n);
        let event = format!(r#"{{"user_id":"{key}","type":"click","timestamp":{at}}}"#);
        Write::event((n % 2) as i32, &key, event)
    };
    produce(broker, &setup.topic("events"), (0..10).map(click));
    let service = setup.start();
    let begin = || setup.start_command(setup.command(&["serve"]));
    let mut reader = begin();
    reader.says(API);
    let at = address(&reader.log()).expect("an address");
    let of_topic = || -> Vec<Json> {
        let all = read_all(broker, &setup.topic("changes"));
        let mut own: Vec<Json> = all.iter().map(Seen::json).filter(|change| change["key"] == KEY).collect();
        own.reverse();
        own
    };
    wait_for("the history to have all", || (changes(at).len() == 6).then_some(()));
    assert_eq!(changes(at), of_topic());

    // Killed, and behind: nothing is missing, nothing is there twice.
    reader.signal(libc::SIGKILL);
    reader.ended();
    produce(broker, &setup.topic("events"), (10..20).map(click));
    reader = begin();
    reader.says(API);
    let at = address(&reader.log()).expect("an address");
    wait_for("the history to go on", || (changes(at).len() == 11).then_some(()));
    assert_eq!(changes(at), of_topic());

    wait_for("the state", || (request(at, "GET", "/readyz").status == 200).then_some(()));
    let set = request(at, "PUT", &format!("/v1/entities/user/{KEY}/tags/vip?wait=30s"));
    assert_eq!(set.status, 202, "{}", set.body);
    let document: Json = serde_json::from_str(&set.body).expect("JSON");
    assert_eq!(document["applied"], true, "{document}");
    let profile: Json =
        serde_json::from_str(&request(at, "GET", &format!("/v1/entities/user/{KEY}")).body).expect("JSON");
    let has_vip = profile["tags"].as_array().expect("tags").iter().any(|tag| tag["tag"] == "vip");
    assert!(has_vip, "{profile}");
    wait_for("the change", || changes(at).first().is_some_and(|change| change["cause"] == "command").then_some(()));

    assert!(!files_with(&store, KEY).is_empty(), "the test looks in the wrong place");
    let erased = request(at, "DELETE", &format!("/v1/entities/user/{KEY}?wait=50s"));
    assert_eq!(erased.status, 202, "{}", erased.body);
    let document: Json = serde_json::from_str(&erased.body).expect("JSON");
    assert_eq!(document["applied"], true, "{document}\n{}", reader.log());
    assert_eq!(request(at, "GET", &format!("/v1/entities/user/{KEY}")).status, 404);
    assert_eq!(changes(at), Vec::<Json>::new());
    assert_eq!(files_with(&store, KEY), Vec::<String>::new());
    reader.stop();
    service.stop();
}

#[test]
fn whoever_is_erased_elsewhere_or_while_it_is_down_is_not_on_its_disk() {
    const FLEETING: &str = "version: 1\n\
        counters:\n  n: { count: click, window: 1m }\n\
        tags:\n  keen: { when: n >= 1 }\n";
    let broker = broker::shared();
    let setup = Setup::on("readside-erased", broker, FLEETING)
        .with("service.idle_grace=1s")
        .with("serve.listen=127.0.0.1:0")
        .with("serve.directory=read-side");
    setup.create_topics(1);
    let store = setup.folder.join("read-side");
    let (seen, unseen, stays) = ("erased-while-it-looks", "erased-while-it-is-down", "somebody-who-stays");
    let start = now_ms() - 600_000;
    let event = |key: &str, kind: &str, n: i64| {
        let event = format!(r#"{{"user_id":"{key}","type":"{kind}","timestamp":{}}}"#, start + n);
        Write::event(0, key, event)
    };
    // After more than a minute nobody has a tag any more: an erasure is no change of one.
    let mut events: Vec<Write> = [seen, unseen, stays].iter().map(|key| event(key, "click", 0)).collect();
    events.push(event("later", "click", 200_000));
    events.push(Write::event(0, "nobody", "no event".to_owned()));
    produce(broker, &setup.topic("events"), events);
    let service = setup.start();
    let begin = || {
        let mut reader = setup.start_command(setup.command(&["serve"]));
        reader.says(API);
        let at = address(&reader.log()).expect("an address");
        (reader, at)
    };
    let has = |at: SocketAddr, key: &str| {
        let answer = request(at, "GET", &format!("/v1/entities/user/{key}/changes"));
        (answer.status == 200).then(|| answer.body.matches("\"id\"").count())
    };
    let (mut reader, at) = begin();
    for key in [seen, unseen, stays] {
        wait_for("the history to have both changes", || (has(at, key) == Some(2)).then_some(()));
        assert!(!files_with(&store, key).is_empty(), "the test looks in the wrong place");
    }
    // Their states are in a file, too.
    let states = store.join("states");
    wait_for("the file of states", || (!files_with(&states, unseen).is_empty()).then_some(()));
    produce(broker, &setup.topic("events"), vec![event(seen, "$erase", 300_000)]);
    wait_for("nothing of it on the disk", || files_with(&store, seen).is_empty().then_some(()));
    assert_eq!(request(at, "GET", &format!("/v1/entities/user/{seen}")).status, 404);
    reader.signal(libc::SIGKILL);
    reader.ended();
    produce(broker, &setup.topic("events"), vec![event(unseen, "$erase", 400_000), event("later", "click", 400_001)]);
    let (mut reader, at) = begin();
    // It goes on where its file ends, which is not at the beginning.
    // The overview has the dead letters: one, and the end of its transaction.
    wait_for("the dead letters", || {
        let page = request(at, "GET", "/").body;
        let (_, card) = page.split_once("id=\"dead-letters\"")?;
        let (_, number) = card[..card.find("</div>")?].rsplit_once("<dd>")?;
        (number == "2</dd>").then_some(())
    });
    const GOES_ON: &str = "; the changelog goes on at ";
    reader.says(GOES_ON);
    let log = reader.log();
    let offset: String =
        log.split_once(GOES_ON).expect("it says so").1.chars().take_while(char::is_ascii_digit).collect();
    assert!(offset.parse::<u64>().is_ok_and(|offset| offset > 1), "{log}");
    wait_for("nothing of it on the disk", || files_with(&store, unseen).is_empty().then_some(()));
    assert_eq!(has(at, stays), Some(2), "somebody who was not erased is gone, too");
    assert!(!files_with(&store, stays).is_empty());
    reader.stop();
    service.stop();
}
