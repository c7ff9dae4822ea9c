//! The page of live changes: its list and its stream are the changes of the history.

use axum::http::StatusCode;
use serde_json::Value as Json;
use tagstream::serve::access::Scope;

use super::{LANGUAGES, between, guarded, gym, page, seen};
use crate::serve::records::events;

/// The rows of a list, each as a reader sees it.
fn rows(html: &str) -> Vec<String> {
    let list = between(html, "<ol class=\"steps\" id=\"changes\"", "</ol>");
    list.split("<li data-row=").skip(1).map(|row| seen(row.split_once('>').expect("a row").1)).collect()
}

#[test]
fn the_list_has_the_last_changes_with_their_reasons() {
    let (world, _directory) = gym("live-list");
    let all = &world.driven.changes.0;
    for language in LANGUAGES {
        let found = rows(&page(&world, "/live", language));
        assert_eq!(found.len(), 100);
        for (row, change) in found.iter().zip(all.iter().rev()) {
            let key = change["key"].as_str().expect("a key");
            assert!(row.contains(key), "{key} in {row}");
            for name in change["because"].as_object().expect("reasons").keys() {
                assert!(row.contains(name), "{name} in {row}");
            }
        }
    }
    let tag = "lifecycle";
    let found = rows(&page(&world, &format!("/live?tag={tag}&where=&entity=user"), "en"));
    let of_tag: Vec<&Json> = all.iter().rev().take(2_000).filter(|change| change["tag"] == tag).take(100).collect();
    assert_eq!(found.len(), of_tag.len());
    assert!(found.iter().all(|row| row.contains(tag)), "{found:#?}");
    let active = world.post("/v1/audiences", &serde_json::json!({ "where": "tag.active", "sample": 100 })).good();
    let is_active = |change: &&&Json| active["sample"].as_array().expect("keys").contains(&change["key"]);
    let found = rows(&page(&world, "/live?where=tag.active", "en"));
    assert_eq!(
        found.len(),
        all.iter().rev().take(2_000).collect::<Vec<_>>().iter().filter(is_active).take(100).count()
    );
}

#[test]
fn what_follows_comes_as_rows_of_the_same_list() {
    let (world, _directory) = gym("live-stream");
    let html = page(&world, "/live?tag=vip", "en");
    let stream = between(&html, "data-stream=\"", "\"").replace("&amp;", "&");
    assert_eq!(stream, "/live/changes?tag=vip");
    assert_eq!(between(&html, "data-after=\"", "\""), world.driven.changes.0.len().to_string());
    let shown: Vec<String> = rows(&html);
    let count = world.driven.changes.0.iter().filter(|change| change["tag"] == "vip").count();
    let found = events(&world, &format!("{stream}&after=0"), &[("accept-language", "en")], count);
    let found: Vec<String> = found.iter().map(|(event, row)| (assert_eq!(event, "change"), seen(row)).1).collect();
    assert_eq!(found.into_iter().rev().take(100).collect::<Vec<_>>(), shown);
    // The header of a browser that comes back counts more than the address.
    let found = events(&world, "/live/changes?after=0", &[("last-event-id", "99999999")], 1);
    assert_eq!(found[0].0, "skipped");
    for wrong in ["/live/changes?after=x", "/live/changes?before=1", "/v1/changes?after=x"] {
        assert_eq!(world.get(wrong).status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[test]
fn what_is_wrong_is_told_and_stays_a_text() {
    let (world, _directory) = gym("live-wrong");
    let html = page(&world, "/live?where=tag.actve", "en");
    assert!(html.contains("<mark>tag.actve</mark>") && !html.contains("id=\"changes\""), "{html}");
    let hostile = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for field in ["tag", "where", "entity"] {
        let html = world.get(&format!("/live?{field}={hostile}")).text;
        assert!(!html.contains("<script>alert"), "{field}: {html}");
    }
    assert_eq!(world.get("/live?entity=robot").status, StatusCode::NOT_FOUND);
}

#[test]
fn changes_need_their_scope() {
    let (world, _directory, tokens, _file) = guarded("live-scopes", &[&[Scope::Profile], &[Scope::Audience]]);
    let ask = |path: &str, token: &str| world.ask("GET", path, &[("cookie", &format!("tagstream_token={token}"))], "");
    for path in ["/live", "/live/changes"] {
        assert_eq!(ask(path, &tokens[0]).status, StatusCode::FORBIDDEN, "{path}");
    }
    let shown = ask("/live", &tokens[1]);
    assert!(shown.status == StatusCode::OK && !shown.text.contains("href=\"/entities/"), "{}", shown.text);
}
