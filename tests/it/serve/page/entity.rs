//! The page of an entity against the API: its tags, why, what comes, its values and its changes.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Value as Json, json};
use tagstream::kafka::Clock;
use tagstream::serve::access::{Access, AuditLog, Scope, Scopes, new_token};
use tagstream::settings::ServeSettings;

use super::{CATALOG, LANGUAGES, between, encoded, guarded, gym, page, recorded_of, seen, start};
use crate::serve::access::Scratch;
use crate::serve::world::{NO_BROKER, World};

/// Its tags change with almost every event.
const RESTLESS: &str = r#"
version: 1
counters:
  workouts: { count: workout, window: 30d }
  spend: { sum: properties.amount, on: purchase, window: 180d }
tags:
  one: { value: workouts }
  two: { value: workouts + 1 }
  three: { value: spend }
  four: { value: spend + workouts }
  vip: { manual: {} }
"#;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// The names of the tags that a section shows, in order.
fn tags_of<'t>(html: &'t str, section: &str) -> Vec<&'t str> {
    let section = between(html, &format!("<section id=\"{section}\""), "</section>");
    section.split("data-tag=\"").skip(1).map(|piece| piece.split('"').next().expect("a name")).collect()
}

fn names(list: &Json, member: &str) -> Vec<String> {
    let names = list.as_array().expect("a list").iter().map(|one| one[member].as_str().expect("a name").to_owned());
    names.collect()
}

/// The classes of the pieces of a condition, as the explanation of the API has them.
fn states(explained: &Json) -> Vec<&'static str> {
    let mut states = Vec::new();
    for section in explained["sections"].as_array().expect("sections") {
        let is_value = matches!(section["role"].as_str(), Some("value" | "input"));
        let clauses = section["clauses"].as_array().expect("clauses");
        states.extend(clauses.iter().map(|clause| match clause {
            _ if clause["undecided"] == true => "undecided",
            _ if is_value => "is-value",
            _ if clause["value"] == true => "holds",
            _ => "fails",
        }));
        let decides = clauses.first().is_some_and(|first| first["undecided"] == true || first["value"] == true);
        if section["role"] == "stage" && decides {
            break;
        }
    }
    states
}

fn check(world: &World, user: &str, language: &str) -> usize {
    let html = page(world, &format!("/entities/user/{user}"), language);
    let profile = world.get(&format!("/v1/entities/user/{user}")).good();
    let explained = world.get(&format!("/v1/entities/user/{user}/explain")).good();
    let on = names(&profile["tags"], "tag");
    assert_eq!(tags_of(&html, "tags"), on, "{user}");
    let all = names(&explained["tags"], "tag");
    let off: Vec<&String> = all.iter().filter(|tag| !on.contains(tag)).collect();
    assert_eq!(tags_of(&html, "off"), off, "{user}");
    for tag in explained["tags"].as_array().expect("tags") {
        let name = tag["tag"].as_str().expect("a name");
        let card = between(&html, &format!("data-tag=\"{name}\""), "</details>");
        let classes = card.split("<li class=\"").skip(1).map(|piece| piece.split(' ').next().expect("a class"));
        assert_eq!(classes.collect::<Vec<_>>(), states(tag), "{user} {name}");
        for clause in tag["sections"][0]["clauses"].as_array().into_iter().flatten() {
            let text = clause["text"].as_str().expect("a text");
            assert!(seen(card).contains(text), "{user} {name}: {text} in {}", seen(card));
        }
        let says = match (&tag["next"], &tag["value"], language) {
            (Json::Null, _, "en") => "it stays as it is",
            (Json::Null, _, _) => "将保持不变",
            (next, _, "en") if next["value"].is_null() => "it ends at",
            (next, _, _) if next["value"].is_null() => "失去该标签",
            (next, Json::Null, "en") if next["value"] == true => "it comes at",
            (next, Json::Null, _) if next["value"] == true => "获得该标签",
            (_, _, "en") => "it becomes",
            (_, _, _) => "变为",
        };
        assert!(seen(card).contains(says), "{user} {name}: {says} in {}", seen(card));
    }
    let next = between(&html, "<section id=\"next\"", "</section>");
    let times: Vec<&str> =
        next.split("datetime=\"").skip(1).map(|piece| piece.split('"').next().expect("a time")).collect();
    assert_eq!(times, names(&profile["next"], "at"), "{user}");
    let values = between(&html, "<section id=\"counters\"", "</section>");
    for counter in profile["counters"].as_array().expect("counters") {
        let name = counter["name"].as_str().expect("a name");
        let row = between(values, &format!("data-name=\"{name}\""), "</tr>");
        let value = match &counter["value"] {
            Json::Null => "–".to_owned(),
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert_eq!(seen(&format!("<{}", between(row, "class=\"value\"", "</td>"))), value, "{user} {name}");
    }
    let changes = world.get(&format!("/v1/entities/user/{user}/changes?limit=50")).good();
    let ids: Vec<&str> =
        html.split("data-change=\"").skip(1).map(|piece| piece.split('"').next().expect("an id")).collect();
    assert_eq!(ids, names(&changes["changes"], "id"), "{user}");
    ids.len()
}

#[test]
fn an_entity_is_what_the_api_says_in_both_languages() {
    let (world, _directory) = gym("entity");
    let mut changes = 0;
    for user in 0..25 {
        for language in LANGUAGES {
            changes += check(&world, &format!("u-{user}"), language);
        }
    }
    assert!(changes > 200, "{changes} changes");
}

#[test]
fn reasons_are_sentences() {
    let (world, _directory) = gym("sentences");
    // Who has many changes has all of the sentences.
    let texts = LANGUAGES.map(|language| {
        let known = (0..60).filter(|user| world.get(&format!("/v1/entities/user/u-{user}")).status == StatusCode::OK);
        known.map(|user| seen(&page(&world, &format!("/entities/user/u-{user}"), language))).collect::<String>()
    });
    for (english, chinese) in [
        ("workouts_30d >= 3 holds; it is ", "workouts_30d >= 3 成立，当前为 "),
        ("workouts_30d >= 3 does not hold; it is ", "workouts_30d >= 3 不成立，当前为 "),
        (" short.", "还差 "),
        ("days_since(last_active) >= 7 does not hold; it is ", "days_since(last_active) >= 7 不成立，当前为 "),
        ("; until ", "，持续到 "),
        ("; from ", "，将从 "),
        ("spend_180d is ", "spend_180d 为 "),
        ("Stage steady: otherwise", "阶段 steady：其他情况"),
        ("It is set by hand, or by another program.", "由人工或其他程序设置。"),
        ("by the passing of time", "起因：时间推移"),
        ("by an event", "起因：事件"),
        ("by a command", "起因：人工设置"),
        ("Active member came", "获得 活跃会员"),
        ("vip ended", "失去 vip"),
        ("spend_level went from low to mid", "spend_level 从 low 变为 mid"),
    ] {
        assert!(texts[0].contains(english), "no page says {english:?}");
        assert!(texts[1].contains(chinese), "no page says {chinese:?}");
    }
    // What stands around a piece of code is no text.
    assert!(!texts.iter().any(|text| text.contains(['\u{2}', '\u{3}'])));
}

#[test]
fn changes_are_paged_back_to_the_first() {
    let access = Access::new(&ServeSettings { requests_a_second: None, ..ServeSettings::default() }).expect("loopback");
    let audit = AuditLog::open(None, Clock::new(start)).expect("the log");
    let (world, _directory) = recorded_of(RESTLESS, "paged", access, audit, NO_BROKER);
    let count = |user: &u32| {
        let changes = world.get(&format!("/v1/entities/user/u-{user}/changes?limit=1000")).good();
        changes["changes"].as_array().expect("changes").len()
    };
    let user = (0..30).max_by_key(count).expect("a user");
    let all = world.get(&format!("/v1/entities/user/u-{user}/changes?limit=1000")).good();
    let (all, mut found): (Vec<String>, Vec<String>) = (names(&all["changes"], "id"), Vec::new());
    assert!(all.len() > 50, "{} changes", all.len());
    let mut path = format!("/entities/user/u-{user}");
    for _ in 0..all.len() {
        let html = page(&world, &path, "en");
        let ids = html.split("data-change=\"").skip(1).map(|piece| piece.split('"').next().expect("an id").to_owned());
        found.extend(ids.filter(|id| !found.contains(id)).collect::<Vec<_>>());
        let Some((before, _)) = html.split_once("\">Earlier changes") else { break };
        path = before.rsplit("href=\"").next().expect("a path").trim_end_matches("#changes").to_owned();
    }
    assert_eq!(found, all);
}

#[test]
fn a_key_may_be_anything() {
    let (mut world, _directory) = gym("keys");
    let keys = ["<script>alert(1)</script>", "a/b \"c\"?#%", "..", ".", "\u{202e}gpj", "it's", "你好", "&amp;"];
    for key in keys {
        let line = json!({ "user_id": key, "type": "workout", "timestamp": "2026-03-03T00:00:00Z" });
        world.driven.line(line.to_string().as_bytes(), None);
    }
    world.commit();
    for key in keys {
        let search = format!("/entities?kind=user&key={}", encoded(key));
        let answer = world.get(&search);
        let html = match answer.status {
            StatusCode::SEE_OTHER => page(&world, answer.headers["location"].to_str().expect("a path"), "en"),
            // A browser would take these for steps between folders.
            StatusCode::OK if matches!(key, "." | "..") => answer.text,
            other => panic!("{key}: {other}"),
        };
        let shown = key.replace('\u{202e}', "⟨U+202E⟩");
        assert_eq!(seen(between(&html, "<h1>", "</h1>")), format!("user {shown}"));
        // A field that nobody sees has the key as it is.
        assert!(!html.contains("<script>") && !seen(&html).contains('\u{202e}'), "{key}: {html}");
        assert!(html.contains("<section id=\"act\""), "{key}");
        // The forms say whom they mean as they were told.
        let confirm = world.get(&format!("/entities/erase?kind=user&key={}", encoded(key)));
        assert_eq!(confirm.status, StatusCode::OK, "{key}: {}", confirm.text);
        assert!(!confirm.text.contains("<script>"), "{key}");
    }
    let answer = world.get("/entities/user/nobody");
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(seen(&answer.text).contains("No user with the key nobody is known."), "{}", seen(&answer.text));
    assert_eq!(world.get("/entities/account/x").status, StatusCode::NOT_FOUND);
}

#[test]
fn only_those_who_may_write_see_the_forms_and_can_use_them() {
    let scopes: [&[Scope]; 3] = [&[Scope::Profile], &[Scope::Profile, Scope::Audience, Scope::Write], &[Scope::Write]];
    let (world, _directory, tokens, _file) = guarded("write", &scopes);
    let ask = |method: &str, path: &str, token: &str, body: &str| {
        world.ask(method, path, &[("cookie", &format!("tagstream_token={token}")), FORM], body)
    };
    let looks = ask("GET", "/entities/user/u-1", &tokens[0], "").text;
    assert!(!looks.contains("method=\"post\" action=\"/entities") && !looks.contains("/entities/erase"), "{looks}");
    assert!(!looks.contains("href=\"/tags/"), "the tags' pages need another scope");
    let writes = ask("GET", "/entities/user/u-1", &tokens[1], "").text;
    assert!(writes.contains("action=\"/entities/tag\"") && writes.contains("action=\"/entities/erase\""));
    assert!(writes.contains("href=\"/tags/active\""));
    assert_eq!(ask("GET", "/entities/user/u-1", &tokens[2], "").status, StatusCode::FORBIDDEN);
    let body = "kind=user&key=u-1&tag=active&do=set";
    for path in ["/entities/tag", "/entities/erase"] {
        assert_eq!(ask("POST", path, &tokens[0], body).status, StatusCode::FORBIDDEN, "{path}");
        let foreign =
            [("cookie", &*format!("tagstream_token={}", tokens[1])), FORM, ("origin", "https://evil.example.com")];
        assert_eq!(world.ask("POST", path, &foreign, body).status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(world.ask("POST", path, &[FORM], body).status, StatusCode::UNAUTHORIZED, "{path}");
    }
    // What cannot be is said on a page.
    for (path, body, says) in [
        ("/entities/tag", body, "there is no manual tag `active` of this kind of entity"),
        ("/entities/tag", "kind=user&key=u-1&tag=vip&do=set&valid_for=soon", "`soon` is not a duration"),
        ("/entities/tag", "kind=user&key=u-1&tag=vip", "do is neither set nor remove"),
        ("/entities/tag", "kind=user&key=&tag=vip&do=set", "a key has 1 to 256 bytes"),
        ("/entities/tag", "kind=user&key=u-1&tag=vip&do=set&other=1", "there is no parameter `other` here"),
        ("/entities/erase", "kind=user&key=u-1", "an erasure has to be confirmed"),
    ] {
        let answer = ask("POST", path, &tokens[1], body);
        assert!(answer.status.is_client_error(), "{body}: {}", answer.status);
        assert!(seen(&answer.text).contains(says), "{body}: {}", seen(&answer.text));
    }
}

#[test]
fn each_look_at_an_entity_is_noted_once() {
    let (token, line) = new_token("care", Scopes::all()).expect("a token");
    let (file, log) = (Scratch::new("page-audit-tokens", &line), Scratch::new("page-audit", ""));
    let settings = ServeSettings { tokens: Some(file.0.clone()), ..ServeSettings::default() };
    let audit = AuditLog::open(Some(&log.0), Clock::new(start)).expect("a file");
    let (world, _directory) =
        recorded_of(CATALOG, "page-audit", Access::new(&settings).expect("tokens"), audit, NO_BROKER);
    let cookie = format!("tagstream_token={token}");
    for path in ["/", "/tags/active", "/entities/user/u-1", "/entities?kind=user&key=u-2", "/entities/user/nobody"] {
        world.ask("GET", path, &[("cookie", &cookie)], "");
    }
    let lines = std::fs::read_to_string(&log.0).expect("a log");
    let lines: Vec<BTreeMap<String, String>> =
        lines.lines().map(|line| serde_json::from_str(line).expect("texts")).collect();
    let told: Vec<String> = lines
        .iter()
        .map(|line| format!("{} {} {} {}", line["caller"], line["action"], line["entity"], line["key"]))
        .collect();
    assert_eq!(told, ["care profile user u-1", "care profile user nobody"]);
}

#[test]
fn a_person_is_shown_as_it_was() {
    let (world, _directory) = gym("page-as-of");
    let instant = start().plus(30 * 86_400_000).to_string();
    let mut shown = 0;
    for number in 0..10 {
        let path = format!("/entities/user/u-{number}");
        let answer = world.get(&format!("/v1{path}?as_of={instant}"));
        if answer.status != StatusCode::OK {
            continue;
        }
        let profile = answer.json();
        for language in LANGUAGES {
            let html = page(&world, &format!("{path}?as_of={instant}"), language);
            assert_eq!(tags_of(&html, "tags"), names(&profile["tags"], "tag"));
            assert!(!html.contains("id=\"counters\"") && !html.contains("id=\"off\""), "u-{number}");
            let ids: Vec<&str> =
                html.split("data-change=\"").skip(1).map(|piece| piece.split('"').next().expect("an id")).collect();
            let changes = world.get(&format!("/v1{path}/changes?limit=50&to={instant}")).good();
            assert_eq!(ids, names(&changes["changes"], "id"));
        }
        shown += 1;
    }
    assert!(shown > 3, "only {shown}");
    // The field of the form is a local time of the catalog's zone.
    let html = page(&world, "/entities?kind=user&key=u-1&as_of=2026-01-31T00%3A00%3A00", "en");
    assert!(seen(&html).contains("Of a past instant only the tags are known"), "{}", seen(&html));
}
