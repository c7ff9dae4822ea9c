//! The routes of the history and of commands.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value as Json, json};
use tagstream::kafka::Clock;
use tagstream::model::Timestamp;
use tagstream::serve::access::{Access, AuditLog, Scope, Scopes, new_token};
use tagstream::serve::audience::Audience;
use tagstream::serve::history::{Added, History};
use tagstream::settings::ServeSettings;
use tokio_stream::StreamExt;
use tower::ServiceExt;

use super::access::Scratch;
use super::history::{Directory, at_of, place};
use super::world::{NO_BROKER, World};
use crate::engine::agreement::Collected;

const CATALOG: &str = r#"
version: 1
counters:
  workouts_30d: { count: workout, window: 30d }
  spend_180d:   { sum: properties.amount, on: purchase, window: 180d }
  last_active:  { last: time, on: "*" }
tags:
  active: { when: workouts_30d >= 3 }
  churn_risk: { when: days_since(last_active) >= 7 }
  spend_level:
    value: spend_180d
    bands: [ { name: low, below: 100 }, { name: mid, below: 500 }, { name: high } ]
  lifecycle:
    stages:
      - { name: new, when: days_since(first_seen) < 20 }
      - { name: lapsing, when: days_since(last_active) >= 7 }
      - { name: steady }
  vip: { manual: {} }
"#;

pub(super) const AUDIENCES: [&str; 7] = [
    "tag.active",
    "!tag.active",
    "tag.active && !tag.churn_risk",
    "tag.spend_level == \"mid\" || has(tag.vip)",
    "tag.lifecycle != \"new\"",
    "has(tag.spend_level) && tag.lifecycle in [\"lapsing\", \"steady\"]",
    "true",
];

const STEPS: i64 = 2_000;

pub fn start() -> Timestamp {
    Timestamp::parse("2026-01-01T00:00:00Z").expect("a time")
}

pub(super) fn time_of(step: i64) -> Timestamp {
    start().plus(step * 2_592_000)
}

/// Two months of sixty people, in the order of time.
pub(super) fn lines() -> Vec<String> {
    let (mut dice, mut known) = (fastrand::Rng::with_seed(11), BTreeSet::new());
    let mut lines = Vec::new();
    for step in 0..STEPS {
        // More and more people.
        let number = dice.i64(0..5 + step * 55 / STEPS);
        let is_new = known.insert(number);
        let (event, properties) = match dice.u8(..8) {
            0..=2 => ("purchase", json!({ "amount": dice.u32(1..120) })),
            3 if !is_new => ("$tag", json!({ "tag": "vip", "set": dice.bool() })),
            _ => ("workout", json!({})),
        };
        let (user, at) = (format!("u-{number}"), time_of(step).to_string());
        lines.push(json!({ "user_id": user, "type": event, "timestamp": at, "properties": properties }).to_string());
    }
    lines
}

/// Everything up to an instant.
pub(super) fn world_at(lines: &[String], until: Timestamp) -> World {
    world_of(CATALOG, lines, until)
}

fn world_of(catalog: &str, lines: &[String], until: Timestamp) -> World {
    let mut world = World::new(catalog);
    for line in lines {
        world.driven.line(line.as_bytes(), Some(until.ms()));
    }
    let Collected(changes, ids) = &mut world.driven.changes;
    let mut last = Collected::default();
    world.driven.partition.advance(until, &mut last);
    changes.extend(last.0);
    ids.extend(last.1);
    for (change, id) in changes.iter_mut().zip(ids) {
        change["id"] = id.as_str().into();
        change["catalog"] = "1f".into();
    }
    world.commit();
    world
}

/// A world whose changes are in a history, and which answers by it.
pub(super) fn recorded(name: &str) -> (World, Directory) {
    let access = Access::new(&ServeSettings { requests_a_second: None, ..ServeSettings::default() }).expect("loopback");
    recorded_by(name, access, AuditLog::open(None, Clock::new(start)).expect("the log"))
}

fn recorded_by(name: &str, access: Access, audit: AuditLog) -> (World, Directory) {
    recorded_beside(name, access, audit, NO_BROKER)
}

/// A recorded world that writes commands to a broker.
pub fn recorded_beside(name: &str, access: Access, audit: AuditLog, brokers: &str) -> (World, Directory) {
    recorded_of(CATALOG, name, access, audit, brokers)
}

/// The same people under another catalog, whose tags have the same counters to read.
pub fn recorded_of(catalog: &str, name: &str, access: Access, audit: AuditLog, brokers: &str) -> (World, Directory) {
    let mut world = world_of(catalog, &lines(), time_of(STEPS));
    let directory = Directory::new(name);
    let mut writer = directory.writer();
    for change in &world.driven.changes.0 {
        assert_eq!(writer.add(change.to_string().as_bytes()).expect("a row"), Added::New);
    }
    writer.commit(&place(world.driven.changes.0.len())).expect("a commit");
    let history = Some(History::at_rest(directory.reader(), writer.last_row()));
    world.serve(history, access, audit, brokers);
    (world, directory)
}

pub(super) fn members(world: &World, text: &str) -> BTreeSet<String> {
    let kind = world.compiled.catalog.user();
    let audience = Audience::parse(&world.compiled, kind, text).expect("an audience");
    let view = world.replica.view().expect("a view");
    audience.select(&view).members((0, 0)).map(|member| member.key().to_owned()).collect()
}

fn sample(part: &Json) -> BTreeSet<String> {
    let keys = part["sample"].as_array().expect("keys").iter();
    let keys: BTreeSet<String> = keys.map(|key| key.as_str().expect("a key").to_owned()).collect();
    assert_eq!(keys.len() as u64, part["size"].as_u64().expect("a size"));
    keys
}

#[test]
fn an_audience_in_the_past_is_that_of_a_replay_up_to_then() {
    let (world, _directory) = recorded("compare");
    let lines = lines();
    let (mut came_count, mut went_count) = (0, 0);
    for (from, to) in [(100, 900), (333, 334), (900, 1_999), (1_500, 2_000)] {
        let (before, after) = (world_at(&lines, time_of(from)), world_at(&lines, time_of(to)));
        for text in AUDIENCES {
            let path = format!("/v1/audiences/compare?from={}&to={}", time_of(from), time_of(to));
            let answer = world.post(&path, &json!({ "where": text, "sample": 100 })).good();
            let (old, new) = (members(&before, text), members(&after, text));
            assert_eq!(answer["before"], old.len(), "{text} at {from}");
            assert_eq!(answer["after"], new.len(), "{text} at {to}");
            assert_eq!(sample(&answer["stayed"]), &old & &new, "{text} from {from} to {to}");
            assert_eq!(sample(&answer["came"]), &new - &old, "{text} from {from} to {to}");
            assert_eq!(sample(&answer["went"]), &old - &new, "{text} from {from} to {to}");
            came_count += (&new - &old).len();
            went_count += (&old - &new).len();
        }
    }
    assert!(came_count > 20 && went_count > 20, "{came_count} came and {went_count} went");
}

#[test]
fn a_past_that_cannot_be_answered_is_refused_with_the_reason() {
    let (world, _directory) = recorded("refused");
    let ask = |from: &str, text: &str| {
        let answer = world.post(&format!("/v1/audiences/compare?from={from}"), &json!({ "where": text }));
        let document = answer.json();
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        (answer.status, document["detail"].as_str().expect("a detail").to_owned())
    };
    let past = "2026-01-20T00:00:00Z";
    let (status, detail) = ask(past, "spend_180d > 100");
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(detail.starts_with("only tags have a history"), "{detail}");
    assert_eq!(ask(past, "tag.actve").0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(ask("yesterday", "tag.active").0, StatusCode::BAD_REQUEST);
    let (status, detail) = ask("2036-01-20T00:00:00Z", "tag.active");
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(detail.contains("is later than the instant of the state"), "{detail}");
    let without = world_at(&[], start());
    let answer = without.get("/v1/entities/user/u-1/changes");
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.text.contains("there is no history: set serve.directory"), "{}", answer.text);
}

#[test]
fn an_entitys_changes_come_newest_first() {
    let (world, _directory) = recorded("changes");
    let all: Vec<&Json> = world.driven.changes.0.iter().filter(|change| change["key"] == "u-3").rev().collect();
    assert!(all.len() > 10);
    let answer = world.get("/v1/entities/user/u-3/changes?limit=1000").good();
    assert_eq!(answer["changes"].as_array().expect("changes").iter().collect::<Vec<_>>(), all);
    assert_eq!((&answer["more"], &answer["cursor"], &answer["reaches"]), (&json!(false), &Json::Null, &Json::Null));
    // Page by page, also where several changes are of one instant.
    for limit in [1, 3, all.len() - 1] {
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let answer = world.get(&format!("/v1/entities/user/u-3/changes?limit={limit}{cursor}")).good();
            paged.extend(answer["changes"].as_array().expect("changes").clone());
            assert_eq!(answer["more"], answer["cursor"].is_string());
            let Some(next) = answer["cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(paged.iter().collect::<Vec<_>>(), all);
    }
    assert!(all.windows(2).any(|pair| pair[0]["at"] == pair[1]["at"]));
    let answer = world.get("/v1/entities/user/u-3/changes?limit=3&tag=active").good();
    let active: Vec<&Json> = all.iter().copied().filter(|change| change["tag"] == "active").take(3).collect();
    assert_eq!(answer["changes"].as_array().expect("changes").iter().collect::<Vec<_>>(), active);
    assert_eq!(world.get("/v1/entities/user/nobody/changes").good()["changes"], json!([]));
    for wrong in ["limit=0", "limit=1001", "from=x", "cursor=x", "before=2026-01-01T00:00:00Z"] {
        let answer = world.get(&format!("/v1/entities/user/u-3/changes?{wrong}"));
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}: {}", answer.text);
    }
}

#[test]
fn figures_and_series_are_those_of_the_changes() {
    let (world, _directory) = recorded("figures");
    let now = time_of(STEPS);
    for tag in ["active", "churn_risk", "spend_level", "lifecycle", "vip"] {
        let of_tag: Vec<&Json> = world.driven.changes.0.iter().filter(|change| change["tag"] == tag).collect();
        let size_at = |instant: Timestamp| -> i64 {
            let moved = of_tag.iter().filter(|change| at_of(change) <= instant);
            let step = |change: &&Json| match change["change"].as_str() {
                Some("added") => 1,
                Some("removed") => -1,
                _ => 0,
            };
            moved.copied().map(|change| step(&change)).sum()
        };
        let answer = world.get(&format!("/v1/tags/{tag}/figures?since=20d")).good();
        assert_eq!(answer["size"], size_at(now), "{tag}");
        for (name, days) in [("day", 1), ("week", 7)] {
            let after = now.plus(-days * 86_400_000);
            let count = |change_type: &str| {
                let these = of_tag.iter().filter(|change| at_of(change) > after && change["change"] == change_type);
                these.count()
            };
            assert_eq!(answer[name]["entered"], count("added"), "{tag} in the last {name}");
            assert_eq!(answer[name]["left"], count("removed"), "{tag} in the last {name}");
        }
        let series = answer["series"].as_array().expect("steps");
        assert_eq!(series.len(), 21);
        for step in series {
            let from = Timestamp::parse(step["from"].as_str().expect("a time")).expect("an instant");
            assert_eq!(step["size"], size_at(from.plus(86_400_000 - 1)), "{tag} on {from}");
        }
    }
    let hours = world.get("/v1/tags/active/figures?since=2d&by=hour").good();
    assert_eq!(hours["series"].as_array().expect("steps").len(), 49);
    assert_eq!(world.get("/v1/tags/active/figures?by=week").status, StatusCode::BAD_REQUEST);
    assert_eq!(world.get("/v1/tags/none/figures").status, StatusCode::NOT_FOUND);
}

/// The first events of a stream.
pub fn events(world: &World, path: &str, headers: &[(&str, &str)], count: usize) -> Vec<(String, String)> {
    let mut request = Request::builder().uri(path).header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    let router = world.router();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async move {
        let answer = router.oneshot(request).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        let (mut body, mut text) = (answer.into_body().into_data_stream(), String::new());
        while text.matches("\n\n").count() < count {
            let frame = tokio::time::timeout(Duration::from_secs(60), body.next()).await.expect("an event in time");
            let bytes = frame.expect("the stream goes on").expect("bytes");
            text.push_str(std::str::from_utf8(&bytes).expect("UTF-8"));
        }
        let field = |event: &str, name: &str| {
            let line = event.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim().to_owned()
        };
        text.split("\n\n").take(count).map(|event| (field(event, "event:"), field(event, "data:"))).collect()
    })
}

#[test]
fn changes_are_streamed_behind_the_last_one_that_was_read() {
    let (world, _directory) = recorded("live");
    let all = &world.driven.changes.0;
    let found = events(&world, "/v1/changes", &[("last-event-id", "0")], 300);
    for ((event, data), expected) in found.iter().zip(all) {
        assert_eq!(event, "change");
        assert_eq!(&serde_json::from_str::<Json>(data).expect("JSON"), expected);
    }
    let found = events(&world, "/v1/changes?tag=vip&where=tag.active", &[("last-event-id", "10")], 3);
    let active = members(&world, "tag.active");
    let wanted = |change: &&Json| change["tag"] == "vip" && active.contains(change["key"].as_str().expect("a key"));
    let expected: Vec<&Json> = all.iter().skip(10).filter(wanted).take(3).collect();
    let found: Vec<Json> = found.iter().map(|(_, data)| serde_json::from_str(data).expect("JSON")).collect();
    assert_eq!(found.iter().collect::<Vec<_>>(), expected);
    // Of a store that was another one.
    let found = events(&world, "/v1/changes", &[("last-event-id", "99999999")], 1);
    assert_eq!(found[0].0, "skipped");
    assert_eq!(world.get("/v1/changes?where=tag.actve").status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[test]
fn each_page_needs_its_scope_and_looks_are_recorded() {
    let only = |scope: Scope| new_token(scope.name(), [scope].into_iter().collect::<Scopes>()).expect("a token");
    let tokens = Scope::ALL.map(only);
    let file = Scratch::new("guard", &tokens.iter().map(|(_, line)| format!("{line}\n")).collect::<String>());
    let log = Scratch::new("guard-audit", "");
    let settings = ServeSettings { tokens: Some(file.0.clone()), ..ServeSettings::default() };
    let access = Access::new(&settings).expect("tokens");
    let audit = AuditLog::open(Some(&log.0), Clock::new(start)).expect("a file");
    let (world, _directory) = recorded_by("guard", access, audit);
    let ask = |method: &str, path: &str, token: Option<&str>| {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        world.ask(method, path, &headers, "{}")
    };
    for (method, path, needs) in [
        ("GET", "/v1/entities/user/u-1", Scope::Profile),
        ("GET", "/v1/entities/user/u%2D1/changes", Scope::Profile),
        ("POST", "/v1/audiences", Scope::Audience),
        ("GET", "/v1/tags", Scope::Audience),
        ("GET", "/v1/catalog", Scope::Catalog),
        ("PUT", "/v1/entities/user/u-1/tags/none", Scope::Write),
    ] {
        assert_eq!(ask(method, path, None).status, StatusCode::UNAUTHORIZED, "{method} {path}");
        assert_eq!(ask(method, path, Some("ts_1")).status, StatusCode::UNAUTHORIZED, "{method} {path}");
        for ((token, _), scope) in tokens.iter().zip(Scope::ALL) {
            let answer = ask(method, path, Some(token));
            let is_refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status);
            assert_eq!(is_refused, scope != needs, "{method} {path} with {}: {}", scope.name(), answer.text);
        }
    }
    assert_eq!(ask("GET", "/livez", None).status, StatusCode::OK);
    // Whoever collects metrics needs no token; they tell nothing of anybody, and of no tag.
    let metrics = ask("GET", "/metrics", None);
    assert_eq!(metrics.status, StatusCode::OK);
    assert!(metrics.text.contains("tagstream_serve_history_live 1"), "{}", metrics.text);
    assert!(!["u-1", "churn_risk", "spend"].iter().any(|name| metrics.text.contains(name)), "{}", metrics.text);
    let lines = std::fs::read_to_string(&log.0).expect("a log");
    let lines: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told: Vec<String> = lines
        .iter()
        .map(|line| format!("{} {} {} {}", line["caller"], line["action"], line["entity"], line["key"]))
        .collect();
    let expected = [
        r#""profile" "profile" "user" "u-1""#,
        r#""profile" "changes" "user" "u-1""#,
        r#""audience" "members" "user" null"#,
    ];
    assert_eq!(told, expected);
    // Whoever sees keys of an audience is recorded with its expression; a size alone has none.
    let (token, _) = &tokens[Scope::ALL.iter().position(|scope| *scope == Scope::Audience).expect("a scope")];
    let bearer = format!("Bearer {token}");
    let question = |path: &str, body: Json| {
        let answer = world.ask("POST", path, &[("authorization", &bearer)], &body.to_string());
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        let lines = std::fs::read_to_string(&log.0).expect("a log");
        let line: Json = serde_json::from_str(lines.lines().last().expect("a line")).expect("JSON");
        (lines.lines().count(), line["detail"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(question("/v1/audiences", json!({ "where": "tag.vip", "sample": 0 })), (3, "true".to_owned()));
    for (at, path) in ["", "/members", "/members?format=csv", "/compare?from=2026-01-20T00:00:00Z"].iter().enumerate() {
        let condition = format!("has(tag.vip) || {}", ["tag.active", "!tag.active"][at % 2]);
        let told = question(&format!("/v1/audiences{path}"), json!({ "where": condition }));
        assert_eq!(told, (4 + at, condition), "{path}");
    }
    // So is whoever follows the changes, and whoever sees those whom another catalog would move.
    let line = |path: &str, scope: Scope, body: &str| {
        let (token, _) = &tokens[Scope::ALL.iter().position(|of| *of == scope).expect("a scope")];
        let method = if body.is_empty() { "GET" } else { "POST" };
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let request = request.header("authorization", format!("Bearer {token}")).body(Body::from(body.to_owned()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let answer = runtime.block_on(world.router().oneshot(request.expect("a request"))).expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let lines = std::fs::read_to_string(&log.0).expect("a log");
        let line: Json = serde_json::from_str(lines.lines().last().expect("a line")).expect("JSON");
        (line["action"].clone(), line["entity"].clone(), line["detail"].clone())
    };
    let followed = line("/v1/changes?where=tag.vip", Scope::Audience, "");
    assert_eq!(followed, (json!("live"), json!("user"), json!("tag.vip")));
    assert_eq!(line("/v1/changes", Scope::Audience, ""), (json!("live"), Json::Null, json!("true")));
    let previewed = line("/v1/catalog/preview", Scope::Catalog, CATALOG);
    assert_eq!((previewed.0, previewed.1), (json!("preview"), Json::Null));
}

#[test]
fn a_command_that_cannot_be_is_refused_before_it_is_written() {
    let (world, _directory) = recorded("commands");
    let put = |path: &str, body: Json| {
        let answer = world.ask("PUT", path, &[], &body.to_string());
        (answer.status.as_u16(), answer.json()["detail"].as_str().unwrap_or_default().to_owned())
    };
    let vip = "/v1/entities/user/u-1/tags/vip";
    let no_tag = (404, "there is no manual tag `active` of this kind of entity".to_owned());
    assert_eq!(put("/v1/entities/user/u-1/tags/active", json!({})), no_tag);
    assert_eq!(put("/v1/entities/account/u-1/tags/vip", json!({})).0, 404);
    assert_eq!(put(vip, json!({ "value": [1] })).1, "value is true, false, a number or a text");
    assert_eq!(put(vip, json!({ "valid_for": "soon" })).0, 400);
    assert_eq!(put(vip, json!({ "valid": "1d" })).0, 400);
    assert_eq!(put(&format!("{vip}?wait=1h"), json!({})).0, 400);
    assert_eq!(put(vip, json!({ "note": "x".repeat(1_001) })).1, "a note has at most 1000 bytes");
    let long = format!("/v1/entities/user/{}/tags/vip", "k".repeat(257));
    assert_eq!(put(&long, json!({})).1, "a key has 1 to 256 bytes");
    let foreign = [("origin", "https://example.com")];
    assert_eq!(world.ask("DELETE", "/v1/entities/user/u-1", &foreign, "").status, StatusCode::FORBIDDEN);
}
