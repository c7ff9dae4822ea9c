//! Every route through the router: what it answers equals what the engine has, and what it refuses is explained.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value as Json, json};
use tagstream::catalog::TagId;
use tagstream::codec::{explanation_document, value_document};
use tagstream::engine::{CompiledCatalog, Sink};
use tagstream::kafka::PartitionName;
use tagstream::model::{Cause, EntityKindId, TagChange, Timestamp};
use tagstream::serve::audience::Forecast;
use tagstream::serve::replica::{PartitionFollower, Replica};

use super::world::World;
use crate::engine::changelog::{Compacted, Driven, program};

const CATALOG: &str = r#"
version: 1
timezone: Asia/Shanghai
attributes:
  gender: { from: profile, value: properties.gender, type: string }
counters:
  workouts_30d: { count: workout, window: 30d }
  spend_180d:   { sum: properties.amount, on: purchase, window: 180d }
  last_active:  { last: time, on: "*" }
tags:
  active_member:
    title: { en: Active member, zh: 活跃会员 }
    group: activity/level
    when: workouts_30d >= 3
  churn_risk: { when: days_since(last_active) >= 14 }
  spend_level:
    value: spend_180d
    bands: [ { name: low, below: 100 }, { name: mid, below: 500 }, { name: high } ]
  lifecycle:
    stages:
      - { name: new, when: days_since(first_seen) < 20 }
      - { name: lapsing, when: days_since(last_active) >= 14 }
      - { name: active }
  vip: { manual: {} }
"#;

/// Two hundred people over two months, from one seed.
fn gym() -> World {
    let mut world = World::new(CATALOG);
    live(&mut world);
    world.commit();
    world
}

/// What the people of the gym do.
fn live(world: &mut World) {
    let mut dice = fastrand::Rng::with_seed(7);
    let start = Timestamp::parse("2026-01-01T00:00:00Z").expect("a time");
    for step in 0..3_000_i64 {
        let at = start.plus(step * 1_728_000);
        let user = format!("u-{}", dice.u32(..200));
        let (event, properties) = match dice.u8(..8) {
            0 => ("profile", json!({ "gender": dice.choice(["f", "m", "x"]) })),
            1 | 2 => ("purchase", json!({ "amount": dice.u32(1..200) })),
            3 if dice.bool() => ("$tag", json!({ "tag": "vip", "set": dice.u8(..3) > 0 })),
            _ => ("workout", json!({})),
        };
        let line = json!({ "user_id": user, "type": event, "timestamp": at.to_string(), "properties": properties });
        world.driven.line(line.to_string().as_bytes(), None);
    }
    // Odd keys, and silence at the end.
    let odd = json!({ "user_id": "a/b \"c\", ü", "type": "workout", "timestamp": "2026-03-01T00:00:00Z" });
    world.driven.line(odd.to_string().as_bytes(), None);
    world.driven.partition.advance(Timestamp::parse("2026-03-08T00:00:00Z").expect("a time"), &mut Silent);
}

struct Silent;

impl Sink for Silent {
    fn change(&mut self, _: &TagChange<'_>) {}
}

fn tags_of(world: &mut World) -> BTreeMap<String, Vec<(String, Json, String)>> {
    let mut all = BTreeMap::new();
    world.driven.partition.each_entity(|key, tags| {
        let tag = |tag: &tagstream::model::CurrentTag<'_>| {
            (tag.tag.to_owned(), value_document(tag.value.to_value().as_ref()), tag.since.to_string())
        };
        all.insert(key.to_owned(), tags.iter().map(tag).collect());
    });
    all
}

fn encoded(key: &str) -> String {
    key.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn a_profile_is_what_the_engine_has() {
    let mut world = gym();
    let all = tags_of(&mut world);
    assert!(all.len() > 150, "only {} entities", all.len());
    for (key, tags) in all.iter().step_by(5).chain(all.get_key_value("a/b \"c\", ü")) {
        let profile = world.get(&format!("/v1/entities/user/{}", encoded(key))).good();
        let text = |value: &Json, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let found: Vec<_> = profile["tags"].as_array().expect("tags").iter().collect();
        let found: Vec<_> =
            found.iter().map(|tag| (text(tag, "tag"), tag["value"].clone(), text(tag, "since"))).collect();
        assert_eq!(&found, tags, "{key}");
        assert_eq!(profile["clock"], "2026-03-08T00:00:00.000Z");
        let counters: Vec<(String, Json)> = world
            .driven
            .partition
            .counters(key)
            .expect("it is known")
            .into_iter()
            .map(|(name, value)| (name, value_document(value.as_ref())))
            .collect();
        let found: Vec<(String, Json)> = profile["counters"]
            .as_array()
            .expect("counters")
            .iter()
            .map(|counter| (text(counter, "name"), counter["value"].clone()))
            .collect();
        assert_eq!(found, counters, "{key}");
        let explained = world.get(&format!("/v1/entities/user/{}/explain", encoded(key))).good();
        let mut next: Vec<(String, String, Json)> = Vec::new();
        for (id, tag) in (0..).map(TagId).zip(&world.compiled.catalog.tags) {
            let explanation = world.driven.partition.explain(key, id).expect("it is known");
            assert_eq!(explained["tags"][usize::from(id.0)], explanation_document(&tag.name, &explanation, None));
            if let Some(change) = explanation.next {
                next.push((change.at.to_string(), tag.name.to_string(), value_document(change.value.as_ref())));
            }
        }
        next.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        let mut found: Vec<(String, String, Json)> = profile["next"]
            .as_array()
            .expect("next")
            .iter()
            .map(|change| (text(change, "at"), text(change, "tag"), change["value"].clone()))
            .collect();
        assert!(found.is_sorted_by(|a, b| a.0 <= b.0), "{key}");
        found.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        assert_eq!(found, next, "{key}");
    }
    let one = world.get("/v1/entities/user/u-1/explain?tag=churn_risk").good();
    assert_eq!(one["tags"].as_array().map(Vec::len), Some(1));
    let profile = world.get("/v1/entities/user/u-1").good();
    let active = profile["tags"].as_array().expect("tags").iter().find(|tag| tag["tag"] == "active_member");
    if let Some(active) = active {
        assert_eq!((&active["title"]["zh"], &active["group"]), (&json!("活跃会员"), &json!("activity/level")));
    }
}

#[test]
fn all_figures_of_one_audience_are_the_same_number() {
    let world = gym();
    let conditions = [
        "tag.active_member && !tag.churn_risk && spend_180d > 50",
        "tag.spend_level == \"mid\"",
        "gender == \"f\"",
        "true",
    ];
    for condition in conditions {
        let question = json!({ "where": condition, "sample": 3 });
        let answer = world.post("/v1/audiences", &question).good();
        let size = answer["size"].as_u64().expect("a size");
        assert!(size > 0, "{condition} selects nobody");
        for by in
            ["by=tag.lifecycle", "by=gender&by=tag.spend_level", "by=spend_180d:100,300,1000", "by=tag.active_member"]
        {
            let rows = world.post(&format!("/v1/audiences/breakdown?{by}"), &json!({ "where": condition })).good();
            let sum: u64 = rows["rows"].as_array().expect("rows").iter().filter_map(|row| row["size"].as_u64()).sum();
            assert_eq!((rows["size"].as_u64(), sum), (Some(size), size), "{condition} {by}: {rows:#}");
        }
        let asked = json!({ "where": condition, "limit": 7, "columns": ["gender", "tag.lifecycle", "spend_180d"] });
        let (mut keys, mut cursor, mut view) = (Vec::new(), Json::Null, Json::Null);
        loop {
            let mut asked = asked.clone();
            asked["cursor"] = cursor.clone();
            let page = world.post("/v1/audiences/members", &asked).good();
            assert_eq!(page["size"].as_u64(), Some(size));
            assert!(view.is_null() || view == page["as_of"]["view"], "pages of two instants");
            view = page["as_of"]["view"].clone();
            keys.extend(page["members"].as_array().expect("members").iter().cloned());
            cursor = page["cursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
        let unique: BTreeSet<String> = keys.iter().map(|member| member["key"].to_string()).collect();
        assert_eq!((keys.len() as u64, unique.len() as u64), (size, size), "{condition}");
        let lines =
            world.ask("POST", "/v1/audiences/members", &[("accept", "application/x-ndjson")], &asked.to_string());
        let lines: Vec<Json> = lines.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines, keys, "{condition}");
        let csv = world.post("/v1/audiences/members?format=csv", &asked);
        assert!(csv.text.starts_with("key,gender,tag.lifecycle,spend_180d\r\n"), "{}", csv.text);
        assert_eq!(csv.text.matches("\r\n").count() as u64, size + 1);
    }
    let everybody = world.post("/v1/audiences", &json!({})).good();
    assert_eq!(everybody["size"], everybody["of"]);
}

#[test]
fn overlaps_add_up() {
    let world = gym();
    let audiences = ["tag.active_member", "gender == \"f\"", "tag.spend_level in [\"mid\", \"high\"]"];
    let answer = world.post("/v1/audiences/overlap", &json!({ "audiences": audiences })).good();
    let rows = answer["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 7);
    let exactly: u64 = rows.iter().filter_map(|row| row["exactly"].as_u64()).sum();
    let any = audiences.map(|text| format!("({text})")).join(" || ");
    assert_eq!(world.post("/v1/audiences", &json!({ "where": any })).good()["size"].as_u64(), Some(exactly));
    for row in rows {
        let these = row["audiences"].as_array().expect("places").iter().filter_map(Json::as_u64);
        let all = these.map(|at| format!("({})", audiences[at as usize])).collect::<Vec<_>>().join(" && ");
        assert_eq!(world.post("/v1/audiences", &json!({ "where": all })).good()["size"], row["size"], "{all}");
    }
}

#[test]
fn tags_have_the_sizes_that_the_engine_counts() {
    let mut world = gym();
    let mut sizes: BTreeMap<(String, String), u64> = BTreeMap::new();
    for (tag, value, _) in tags_of(&mut world).into_values().flatten() {
        *sizes.entry((tag, value.to_string())).or_default() += 1;
    }
    let list = world.get("/v1/tags").good();
    for tag in list["tags"].as_array().expect("tags") {
        let name = tag["tag"].as_str().expect("a name");
        let all: u64 = sizes.iter().filter(|((of, _), _)| of == name).map(|(_, size)| size).sum();
        assert_eq!(tag["size"].as_u64(), Some(all), "{name}");
        for label in tag["labels"].as_array().expect("labels") {
            let size = sizes.get(&(name.to_owned(), label["name"].to_string())).copied().unwrap_or_default();
            assert_eq!(label["size"].as_u64(), Some(size), "{name} {label}");
        }
        assert_eq!(world.get(&format!("/v1/tags/{name}")).good()["size"], tag["size"]);
    }
    let level = &world.get("/v1/tags/spend_level").good()["definition"];
    assert_eq!(level["bands"][0], json!({ "name": "low", "below": 100 }));
}

/// Counts what a partition does.
#[derive(Default)]
struct Moves(BTreeMap<String, (u64, u64)>, bool);

impl Sink for Moves {
    fn change(&mut self, change: &TagChange<'_>) {
        if self.1 && change.cause != Cause::Catalog {
            return;
        }
        let moves = self.0.entry(change.tag.to_owned()).or_default();
        moves.0 += u64::from(!change.value.is_absent());
        moves.1 += u64::from(!change.previous.is_absent());
    }
}

#[test]
fn a_forecast_is_what_happens_if_nothing_happens() {
    let mut world = gym();
    let forecast = world.get("/v1/forecast?horizon=20d").good();
    let mut expected = Moves::default();
    let to = Timestamp::parse("2026-03-28T00:00:00Z").expect("a time");
    assert_eq!(forecast["to"], to.to_string());
    world.driven.partition.advance(to, &mut expected);
    world.commit();
    let mut found: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let after = world.get("/v1/tags").good();
    for row in forecast["rows"].as_array().expect("rows") {
        let tag = row["tag"].as_str().expect("a tag");
        let moves = found.entry(tag.to_owned()).or_default();
        for day in row["days"].as_array().expect("days") {
            moves.0 += day["enter"].as_u64().expect("a number");
            moves.1 += day["leave"].as_u64().expect("a number");
        }
        let of = after["tags"].as_array().expect("tags").iter().find(|of| of["tag"] == tag).expect("it is there");
        let label = of["labels"].as_array().expect("labels").iter().find(|label| label["name"] == row["label"]);
        assert_eq!(row["then"], label.map_or(&of["size"], |label| &label["size"]).clone(), "{tag}");
    }
    found.retain(|_, moves| *moves != (0, 0));
    assert_eq!(found, expected.0);
    assert!(!found.is_empty());
}

#[test]
fn a_preview_is_what_the_switch_does() {
    let mut world = gym();
    let other = CATALOG.replace("workouts_30d >= 3", "workouts_30d >= 6").replace("below: 500", "below: 200");
    let preview = world.ask("POST", "/v1/catalog/preview", &[], &other).good();
    let before = world.get("/v1/tags").good();
    let loaded = tagstream::catalog::load(&other).catalog.expect("a catalog");
    let program = CompiledCatalog::new(loaded).user().clone();
    world.driven.partition.switch_catalog(program, BTreeSet::new());
    let mut moves = Moves(BTreeMap::new(), true);
    let end = world.driven.partition.reevaluated_at().expect("it has switched");
    world.driven.partition.advance(end, &mut moves);
    let rows = preview["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 2, "{preview:#}");
    for row in rows {
        let tag = row["tag"].as_str().expect("a tag");
        let number = |name: &str| row[name].as_u64().expect("a number");
        let (entered, left) = moves.0[tag];
        assert_eq!((number("enter") + number("other_value"), number("leave") + number("other_value")), (entered, left));
        let size = before["tags"].as_array().expect("tags").iter().find(|of| of["tag"] == tag).expect("a tag")["size"]
            .as_u64();
        assert_eq!(Some(number("before")), size);
        assert_eq!(number("after"), number("before") + number("enter") - number("leave"));
    }
    assert_eq!(world.get("/v1/tags").good(), before, "a preview changes nothing");
}

#[test]
fn a_preview_counts_a_tag_of_an_earlier_catalog_whose_removal_waits() {
    let without: String = CATALOG.replace(
        "  active_member:\n    title: { en: Active member, zh: 活跃会员 }\n    group: activity/level\n    when: workouts_30d >= 3\n",
        "",
    );
    let mut world = World::new(&without);
    world.driven = Driven::new(&program(CATALOG));
    live(&mut world);
    let had = tags_of(&mut world).values().filter(|tags| tags.iter().any(|tag| tag.0 == "active_member")).count();
    assert!(had > 0);
    let partition = &mut world.driven.partition;
    partition.switch_catalog(program(&without), BTreeSet::from(["active_member".into()]));
    partition.advance(partition.reevaluated_at().expect("it has switched"), &mut Silent);
    world.commit();
    let rows = world.ask("POST", "/v1/catalog/preview", &[], &without).good()["rows"].clone();
    let row = &rows.as_array().expect("rows")[0];
    assert_eq!((&row["tag"], &row["before"], &row["after"]), (&json!("active_member"), &json!(had), &json!(0)));
    assert_eq!((&row["enter"], &row["leave"]), (&json!(0), &json!(had)));
}

#[test]
fn a_forecast_has_what_a_partition_behind_the_others_has_to_change() {
    let compiled = CompiledCatalog::new((*program(CATALOG).catalog).clone());
    let day = |day: u32| format!("2026-01-{day:02}T00:00:00Z");
    let view = |number: i32, user: &str, last: u32| {
        let (mut driven, mut log) = (Driven::new(compiled.user()), Compacted::default());
        driven.line(format!(r#"{{"user_id":"{user}","type":"workout","timestamp":"{}"}}"#, day(last)).as_bytes(), None);
        log.write(&mut driven.partition);
        let mut follower = PartitionFollower::new(PartitionName::from(number), Arc::clone(compiled.user()), 0);
        follower.reach(0).expect("an empty changelog is whole");
        for record in &log.records {
            follower.take(record.offset as i64, &record.key, record.value.as_deref()).expect("the log is whole");
        }
        Arc::new(follower.view().expect("it has caught up"))
    };
    let replica = Replica::default();
    replica.show(&compiled, vec![view(0, "behind", 1), view(1, "ahead", 20)]);
    let shown = replica.view().expect("a view");
    let forecast = Forecast::of(&shown, EntityKindId(0), Some("churn_risk"), 20 * 86_400_000);
    assert_eq!(forecast.from, Timestamp::parse(&day(20)).ok());
    let entered: Vec<u64> =
        forecast.days.iter().map(|day| day.tags.values().map(|moves| moves.entered).sum()).collect();
    assert_eq!((entered[0], entered.iter().sum::<u64>()), (1, 2));
}

#[test]
fn what_a_partition_that_is_not_followed_has_applied_is_not_known() {
    let world = gym();
    let view = world.replica.view().expect("a view");
    let has = |partition, offset| view.has_applied(EntityKindId(0), partition, offset, Timestamp::MIN);
    assert!(has(0, -1));
    assert!(!has(0, i64::MAX) && !has(1, -1));
}

#[test]
fn what_is_wrong_is_explained() {
    let world = gym();
    let wrong = world.post("/v1/audiences", &json!({ "where": "tag.active_member && workouts_30 > 3" }));
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong.headers["content-type"], "application/problem+json");
    let problem = &wrong.json()["problems"][0];
    assert_eq!((&problem["line"], &problem["column"]), (&json!(1), &json!(22)));
    assert_eq!(problem["help"], "did you mean `workouts_30d`?");
    let cases = [
        (world.get("/v1/entities/user/nobody"), StatusCode::NOT_FOUND),
        (world.get("/v1/entities/usr/u-1"), StatusCode::NOT_FOUND),
        (world.get("/v1/entities/user/u-1/explain?tag=none"), StatusCode::NOT_FOUND),
        (world.get("/v1/entities/user/u-1?vew=1"), StatusCode::BAD_REQUEST),
        (world.get("/v1/entities/user/u-1?view=99"), StatusCode::GONE),
        (world.get("/v1/forecast?horizon=3000d"), StatusCode::BAD_REQUEST),
        (world.get("/v1/nothing"), StatusCode::NOT_FOUND),
        (world.post("/v1/audiences", &json!({ "were": "true" })), StatusCode::BAD_REQUEST),
        (world.post("/v1/audiences", &json!({ "where": "x".repeat(20_000) })), StatusCode::UNPROCESSABLE_ENTITY),
        (world.post("/v1/audiences", &json!({ "where": "x".repeat(2_000_000) })), StatusCode::PAYLOAD_TOO_LARGE),
        (world.post("/v1/audiences/breakdown", &json!({})), StatusCode::BAD_REQUEST),
        (world.post("/v1/audiences/breakdown?by=gender:1,2", &json!({})), StatusCode::BAD_REQUEST),
        (world.post("/v1/audiences/overlap", &json!({ "audiences": ["true"] })), StatusCode::BAD_REQUEST),
        (world.post("/v1/audiences/members", &json!({ "cursor": "x" })), StatusCode::BAD_REQUEST),
        (
            world.ask("POST", "/v1/catalog/preview", &[], "version: 1\ntags: { a: {} }"),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (world.ask("POST", "/v1/catalog/reload", &[], ""), StatusCode::UNPROCESSABLE_ENTITY),
        (world.ask("DELETE", "/v1/tags", &[], ""), StatusCode::METHOD_NOT_ALLOWED),
    ];
    for (answer, status) in cases {
        assert_eq!(answer.status, status, "{}", answer.text);
        let document = answer.json();
        assert_eq!(document["status"], status.as_u16());
        assert!(document["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{document:#}");
    }
    let checked = world.ask("POST", "/v1/catalog/check", &[], "version: 1\ntags: { a: {} }").good();
    assert_eq!((&checked["ok"], &checked["problems"][0]["line"]), (&json!(false), &json!(2)));
}

#[test]
fn an_answer_that_the_reader_has_is_not_sent_again() {
    let world = gym();
    let first = world.get("/v1/entities/user/u-1");
    let tag = first.headers["etag"].to_str().expect("text").to_owned();
    let again = world.ask("GET", "/v1/entities/user/u-1", &[("if-none-match", &tag)], "");
    assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
}

#[test]
fn before_the_state_was_read_nothing_is_answered() {
    let world = World::new(CATALOG);
    assert_eq!(world.get("/livez").status, StatusCode::OK);
    assert_eq!(world.get("/readyz").text, "no changelog has been read yet\n");
    let answer = world.get("/v1/tags");
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["type"], "/problems/not-ready");
    let metrics = world.get("/metrics").text;
    assert!(metrics.contains("tagstream_serve_ready 0"), "{metrics}");
}

#[test]
fn the_description_has_every_route() {
    let world = gym();
    let description = world.get("/v1/openapi.json").good();
    assert!(description["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    let paths = description["paths"].as_object().expect("paths");
    assert!(paths.len() >= 16, "{:?}", paths.keys().collect::<Vec<_>>());
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().expect("methods") {
            let good = ["200", "202"].iter().any(|status| operation["responses"][status].is_object());
            assert!(good, "{method} {path}");
            let summary = operation["summary"].as_str().or(operation["description"].as_str());
            assert!(summary.is_some_and(|text| !text.is_empty()), "{method} {path} has no summary");
        }
    }
}
