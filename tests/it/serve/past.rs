//! Questions about audiences with `as_of`: the answers are those of a replay that ends at the instant.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use serde_json::{Value as Json, json};

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
