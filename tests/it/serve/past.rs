//! Questions with `as_of` about audiences and entities: the answers are those of a replay that ends at the instant.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use serde_json::{Value as Json, json};

use super::history::deadline;
use super::records::{AUDIENCES, lines, members, recorded, time_of, world_at};

const INSTANTS: [i64; 4] = [100, 333, 900, 1_999];

#[test]
fn sizes_samples_and_members_are_those_of_a_replay_up_to_then() {
    let (world, _directory) = recorded("as-of");
    let lines = lines();
    for instant in INSTANTS.map(time_of) {
        let then = world_at(&lines, instant);
        for text in AUDIENCES {
            let expected = members(&then, text);
            let question = json!({ "where": text, "sample": 100, "as_of": instant.to_string() });
            let answer = world.post("/v1/audiences", &question).good();
            assert_eq!(answer["size"], expected.len(), "{text} at {instant}");
            assert_eq!(keys(&answer["sample"]), expected, "{text} at {instant}");
            assert_eq!(answer["of"], members(&then, "true").len(), "{text} at {instant}");
            assert_eq!(answer["as_of"]["instant"], instant.to_string());
            // In pages, which the cursor keeps at the instant.
            let (mut found, mut cursor) = (Vec::new(), Json::Null);
            loop {
                let as_of = cursor.is_null().then(|| instant.to_string());
                let columns = ["tag.active", "tag.lifecycle", "tag.spend_level"];
                let question =
                    json!({ "where": text, "limit": 7, "columns": columns, "as_of": as_of, "cursor": cursor });
                let page = world.post("/v1/audiences/members", &question).good();
                assert_eq!(page["size"], expected.len(), "{text} at {instant}");
                found.extend(page["members"].as_array().expect("members").clone());
                cursor = page["cursor"].clone();
                if cursor.is_null() {
                    break;
                }
            }
            assert_eq!(keys_of(&found), expected, "{text} at {instant}");
            let question = json!({ "where": text, "columns": ["tag.active", "tag.lifecycle", "tag.spend_level"] });
            let present = then.post("/v1/audiences/members?format=ndjson", &question);
            let by_key = |members: Vec<Json>| -> BTreeMap<String, Json> {
                members.into_iter().map(|member| (member["key"].to_string(), member)).collect()
            };
            let expected = present.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            assert_eq!(by_key(found), by_key(expected), "{text} at {instant}");
        }
    }
}

#[test]
fn breakdowns_and_overlaps_are_those_of_a_replay_up_to_then() {
    let (world, _directory) = recorded("as-of-breakdown");
    let lines = lines();
    let rows = |answer: &Json| -> BTreeMap<String, Json> {
        let rows = answer["rows"].as_array().expect("rows").iter();
        rows.map(|row| (row["values"].to_string(), row["size"].clone())).collect()
    };
    for instant in INSTANTS.map(time_of) {
        let then = world_at(&lines, instant);
        for by in ["by=tag.active", "by=tag.lifecycle", "by=tag.spend_level&by=tag.churn_risk"] {
            let path = format!("/v1/audiences/breakdown?{by}");
            let now = then.post(&path, &json!({ "where": "!tag.churn_risk || tag.active" })).good();
            let question = json!({ "where": "!tag.churn_risk || tag.active", "as_of": instant.to_string() });
            let past = world.post(&path, &question).good();
            assert_eq!((rows(&past), &past["size"]), (rows(&now), &now["size"]), "{by} at {instant}");
        }
        let audiences = json!(["tag.active", "tag.churn_risk", "tag.lifecycle == \"steady\""]);
        let now = then.post("/v1/audiences/overlap", &json!({ "audiences": audiences })).good();
        let question = json!({ "audiences": audiences, "as_of": instant.to_string() });
        assert_eq!(world.post("/v1/audiences/overlap", &question).good()["rows"], now["rows"], "at {instant}");
    }
}

#[test]
fn the_tags_of_an_entity_are_those_of_a_replay_up_to_then() {
    let (world, _directory) = recorded("as-of-profile");
    let lines = lines();
    let keys: BTreeSet<String> = members(&world, "true");
    for instant in INSTANTS.map(time_of) {
        let then = world_at(&lines, instant);
        let (mut known, mut tags) = (0, 0);
        for key in &keys {
            let path = format!("/v1/entities/user/{key}");
            let (past, now) = (world.get(&format!("{path}?as_of={instant}")), then.get(&path));
            assert_eq!(past.status, now.status, "{key} at {instant}: {} {}", past.text, now.text);
            if now.status != StatusCode::OK {
                assert_eq!(past.json()["detail"], format!("no user with this key was known at {instant}"));
                continue;
            }
            let (past, now) = (past.json(), now.json());
            // Titles, groups and whether it is held, too.
            assert_eq!(past["tags"], now["tags"], "{key} at {instant}");
            assert_eq!(past["first_seen"], now["first_seen"], "{key} at {instant}");
            assert_eq!(past["as_of"]["instant"], instant.to_string());
            let not_known: Vec<&str> = vec!["last_seen", "attributes", "counters", "next"];
            assert_eq!(past["not_known"], json!(not_known));
            for name in not_known {
                assert!(past[name].is_null() && now["not_known"].is_null(), "{key} at {instant}: {name}");
            }
            known += 1;
            tags += now["tags"].as_array().expect("tags").len();
        }
        assert!(known > 4 && tags > known, "{instant}: {known} entities with {tags} tags");
    }
    let refused = |as_of: &str| {
        let answer = world.get(&format!("/v1/entities/user/u-1?as_of={as_of}"));
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
        answer.json()["detail"].as_str().expect("a detail").to_owned()
    };
    assert!(refused("spring").starts_with("as_of=spring is "));
    assert!(refused("2036-01-01T00:00:00Z").contains("is later than the instant of the state"));
}

#[test]
fn since_when_is_absent_where_that_is_before_the_history() {
    let (world, directory) = recorded("as-of-since");
    let mut writer = directory.writer();
    // Five segments go; what they had is known from what came later, but not since when.
    assert!(writer.trim(time_of(400)).expect("segments") > 1);
    let reaches = directory.reader().read(deadline(), |view| view.reaches()).expect("a reach").expect("an instant");
    let instant = reaches.plus(1_000);
    let then = world_at(&lines(), instant);
    let (mut absent, mut present) = (0, 0);
    for key in members(&then, "true") {
        let path = format!("/v1/entities/user/{key}");
        let past = world.get(&format!("{path}?as_of={instant}")).good();
        let now = then.get(&path).good();
        let (past, now) =
            (past["tags"].as_array().expect("tags").clone(), now["tags"].as_array().expect("tags").clone());
        assert_eq!(past.len(), now.len(), "{key}");
        for (past, now) in past.iter().zip(&now) {
            assert_eq!((&past["tag"], &past["value"]), (&now["tag"], &now["value"]), "{key}");
            if past["since"].is_null() {
                absent += 1;
            } else {
                assert_eq!(past["since"], now["since"], "{key}");
                present += 1;
            }
        }
    }
    assert!(absent > 0 && present > 0, "{absent} {present}");
}

#[test]
fn what_has_no_past_is_refused_by_its_name() {
    let (world, _directory) = recorded("as-of-refused");
    let refused = |path: &str, question: Json| {
        let answer = world.post(path, &question);
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
        answer.json()["detail"].as_str().expect("a detail").to_owned()
    };
    let past = time_of(900).to_string();
    let detail = refused("/v1/audiences", json!({ "where": "workouts_30d > 2", "as_of": past }));
    assert!(detail.starts_with("only tags have a history"), "{detail}");
    for (path, question) in [
        ("/v1/audiences/members", json!({ "columns": ["tag.active", "spend_180d"], "as_of": past })),
        ("/v1/audiences/members?format=csv", json!({ "columns": ["spend_180d"], "as_of": past })),
        ("/v1/audiences/breakdown?by=spend_180d", json!({ "as_of": past })),
    ] {
        let detail = refused(path, question);
        assert!(detail.starts_with("`spend_180d` has no past: only tags have a history"), "{detail}");
    }
    let detail = refused("/v1/audiences", json!({ "as_of": "spring" }));
    assert!(detail.starts_with("as_of=spring is "), "{detail}");
    let detail = refused("/v1/audiences", json!({ "as_of": "2036-01-01T00:00:00Z" }));
    assert!(detail.contains("is later than the instant of the state"), "{detail}");
}

fn keys(sample: &Json) -> BTreeSet<String> {
    sample.as_array().expect("keys").iter().map(|key| key.as_str().expect("a key").to_owned()).collect()
}

fn keys_of(members: &[Json]) -> BTreeSet<String> {
    members.iter().map(|member| member["key"].as_str().expect("a key").to_owned()).collect()
}
