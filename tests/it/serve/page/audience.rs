//! The page of an audience against the API: the same figures, whatever is asked.

use axum::http::StatusCode;
use serde_json::{Value as Json, json};
use tagstream::serve::access::Scope;

use super::figures::grouped;
use super::{LANGUAGES, between, guarded, gym, page, seen};
use crate::serve::world::World;

const CONDITIONS: [&str; 5] = [
    "tag.active && !tag.churn_risk",
    "tag.spend_level == \"mid\" || has(tag.vip)",
    "spend_180d > 100",
    "tag.lifecycle in [\"new\", \"steady\"]",
    "true",
];
const PAST: &str = "2026-01-20T00:00:00Z";

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn address(fields: &[(&str, &str)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    format!("/audience?{}", fields.join("&"))
}

/// The size that a page shows.
fn size(html: &str) -> &str {
    between(html, "<dd class=\"size\">", "</dd>")
}

/// The numbers of a table of bars: row by row.
fn bars(part: &str) -> Vec<String> {
    let rows = part.split("<tr>").skip(2).map(|row| between(row, "<td class=\"number\">", "</td>").to_owned());
    rows.collect()
}

fn part<'h>(html: &'h str, id: &str) -> &'h str {
    between(html, &format!("id=\"{id}\""), "</section>")
}

#[test]
fn a_size_is_that_of_the_api_now_and_before() {
    let (world, _directory) = gym("audience-size");
    for language in LANGUAGES {
        for condition in CONDITIONS {
            for as_of in [None, Some(PAST)] {
                let answer = world.post("/v1/audiences", &json!({ "where": condition, "as_of": as_of }));
                let fields = [("where", condition), ("as_of", as_of.unwrap_or_default()), ("by", ""), ("from", "")];
                let html = page(&world, &address(&fields), language);
                let alone = page(&world, &address(&fields).replace("/audience?", "/audience/answer?"), language);
                if answer.status == StatusCode::OK {
                    assert_eq!(size(&html), grouped(&answer.json()["size"]), "{condition} {as_of:?}");
                    assert_eq!(size(&alone), size(&html), "{condition} {as_of:?}");
                } else {
                    let detail = answer.json()["detail"].as_str().expect("a detail").to_owned();
                    assert!(seen(&html).contains(&detail) && seen(&alone).contains(&detail), "{condition}: {detail}");
                }
            }
        }
    }
    // The field of local times is in the catalog's time zone, which is eight hours ahead.
    let local = page(&world, &address(&[("where", "tag.active"), ("as_of", "2026-01-20T08:00")]), "en");
    let instant = page(&world, &address(&[("where", "tag.active"), ("as_of", PAST)]), "en");
    assert_eq!(size(&local), size(&instant));
    assert!(instant.contains("value=\"2026-01-20T08:00:00\""), "{instant}");
}

#[test]
fn parts_are_those_of_the_api() {
    let (world, _directory) = gym("audience-parts");
    let condition = "tag.active || has(tag.vip)";
    let asked = json!({ "where": condition });
    let cases = [vec!["tag.lifecycle"], vec!["tag.spend_level", "tag.active"], vec!["spend_180d:100,300"]];
    for by in cases {
        let fields: Vec<(&str, &str)> =
            [("where", condition)].into_iter().chain(by.iter().map(|by| ("by", *by))).collect();
        let html = page(&world, &address(&fields), "zh");
        let query: Vec<String> = by.iter().map(|by| format!("by={}", encoded(by))).collect();
        let answer = world.post(&format!("/v1/audiences/breakdown?{}", query.join("&")), &asked).good();
        let rows = answer["rows"].as_array().expect("rows");
        assert_eq!(bars(part(&html, "breakdown")), rows.iter().map(|row| grouped(&row["size"])).collect::<Vec<_>>());
        // The links lead to those who are counted.
        for (link, row) in part(&html, "breakdown").split("<a href=\"").skip(1).zip(rows) {
            let link = link.split('"').next().expect("an address").replace("&amp;", "&");
            assert_eq!(size(&page(&world, &link, "en")), grouped(&row["size"]), "{link}");
        }
    }
    let others = ["tag.churn_risk", "tag.lifecycle == \"new\""];
    let html = page(&world, &address(&[("where", condition), ("with", others[0]), ("with", others[1])]), "en");
    let overlap = json!({ "audiences": [condition, others[0], others[1]] });
    let answer = world.post("/v1/audiences/overlap", &overlap).good();
    let rows = answer["rows"].as_array().expect("rows").iter();
    assert_eq!(bars(part(&html, "overlap")), rows.map(|row| grouped(&row["exactly"])).collect::<Vec<_>>());
    let html = page(&world, &address(&[("where", condition), ("from", PAST)]), "en");
    let answer = world.post(&format!("/v1/audiences/compare?from={PAST}"), &asked).good();
    let text = seen(part(&html, "compared"));
    let expected = [
        format!("Size before{}", grouped(&answer["before"])),
        format!("Size after{}", grouped(&answer["after"])),
        format!("Stayed{}", grouped(&answer["stayed"]["size"])),
        format!("Came: {}", grouped(&answer["came"]["size"])),
        format!("Went: {}", grouped(&answer["went"]["size"])),
    ];
    for expected in expected {
        assert!(text.contains(&expected), "{expected} in {text}");
    }
}

#[test]
fn pages_and_files_have_every_member_once() {
    let (world, _directory) = gym("audience-members");
    for (condition, as_of) in [("true", ""), ("tag.active", PAST)] {
        let mut question = json!({ "where": condition, "limit": 1_000 });
        if !as_of.is_empty() {
            question["as_of"] = as_of.into();
        }
        let answer = world.post("/v1/audiences/members", &question).good();
        let members = answer["members"].as_array().expect("members").iter();
        let expected: Vec<&str> = members.filter_map(|member| member["key"].as_str()).collect();
        let (mut keys, mut next) = (Vec::new(), Some(address(&[("where", condition), ("as_of", as_of)])));
        while let Some(address) = next {
            let html = page(&world, &address, "en");
            let list = between(part(&html, "members"), "<ul class=\"keys\">", "</ul>");
            keys.extend(list.split("<li>").skip(1).map(seen));
            next = html
                .split_once("<a rel=\"next\" href=\"")
                .map(|(_, rest)| rest.split(['"', '#']).next().expect("an address").replace("&amp;", "&"));
        }
        assert_eq!(keys, expected, "{condition}");
        let file = |name: &str| {
            world.get(
                &address(&[("where", condition), ("as_of", as_of)])
                    .replace("/audience?", &format!("/audience/{name}?")),
            )
        };
        let csv = file("members.csv");
        assert_eq!(csv.headers["content-disposition"], "attachment; filename=\"members.csv\"");
        assert_eq!(csv.text.lines().skip(1).collect::<Vec<_>>(), expected);
        let lines = file("members.ndjson").text;
        let lines = lines.lines().map(|line| serde_json::from_str::<Json>(line).expect("JSON")["key"].clone());
        assert_eq!(lines.collect::<Vec<_>>(), expected);
    }
    assert!(world.get("/audience/members.txt").status == StatusCode::NOT_FOUND);
}

/// The whole text of a page's problems.
fn problems(world: &World, fields: &[(&str, &str)]) -> String {
    let html = page(world, &address(fields), "en");
    between(&html, "<ul class=\"problems\">", "</ul>").to_owned()
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_to_write() {
    let (world, _directory) = gym("audience-wrong");
    let found = problems(&world, &[("where", "tag.active && workouts_30 > 3")]);
    assert!(seen(&found).contains("unknown name `workouts_30` — did you mean `workouts_30d`?"), "{found}");
    assert!(found.contains("tag.active &amp;&amp; <mark>workouts_30</mark> &gt; 3"), "{found}");
    for (fields, marked) in [
        ([("where", "true"), ("by", "gendre")], "<mark>gendre</mark>"),
        ([("where", "true"), ("with", "tag.actve")], "<mark>tag.actve</mark>"),
    ] {
        assert!(problems(&world, &fields).contains(marked), "{}", problems(&world, &fields));
    }
    let html = page(&world, &address(&[("where", "true"), ("as_of", "yesterday")]), "en");
    assert!(seen(&html).contains("as_of: `yesterday` is not an instant such as"), "{html}");
    assert!(html.contains("name=\"as_of\" type=\"text\" value=\"yesterday\" aria-invalid=\"true\""), "{html}");
    assert_eq!(world.get("/audience?wher=true").status, StatusCode::BAD_REQUEST);
    assert_eq!(world.get("/audience?entity=robot").status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("/audience?cursor=99-0-0").status, StatusCode::GONE);
}

#[test]
fn what_is_written_stays_a_text() {
    let (world, _directory) = gym("audience-hostile");
    let hostile = "\"><script>alert(1)</script>";
    for field in ["where", "by", "with", "as_of", "from", "to", "entity", "cursor"] {
        let html = world
            .get(
                &address(&[("where", "true"), ("from", PAST)])
                    .replace("where=", &format!("{field}={}&where=", encoded(hostile))),
            )
            .text;
        assert!(!html.contains("<script>alert"), "{field}: {html}");
    }
    // Titles of the catalog are hostile, too.
    let html = page(&world, "/audience", "en");
    assert!(!html.contains("<script>alert") && html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{html}");
}

#[test]
fn keys_lead_to_profiles_for_those_who_may_see_them() {
    let (world, _directory, tokens, _file) =
        guarded("audience-scopes", &[&[Scope::Profile], &[Scope::Audience], &[Scope::Audience, Scope::Profile]]);
    let ask = |path: &str, token: &str| world.ask("GET", path, &[("cookie", &format!("tagstream_token={token}"))], "");
    for path in ["/audience?where=true", "/audience/answer?where=true", "/audience/members.csv"] {
        assert_eq!(ask(path, &tokens[0]).status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(world.get(path).status, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert!(!ask("/audience?where=true", &tokens[1]).text.contains("href=\"/entities/"));
    assert!(ask("/audience?where=true", &tokens[2]).text.contains("href=\"/entities/user/u-"));
}

#[test]
fn a_file_has_the_columns_that_are_named_in_the_form() {
    let (world, _directory) = gym("audience-columns");
    let html = page(&world, &address(&[("where", "tag.active")]), "en");
    let form = between(&html, "<form class=\"fields\" method=\"get\" action=\"/audience/members.csv\"", "</form>");
    assert!(form.contains("name=\"where\" value=\"tag.active\"") && form.matches("name=\"column\"").count() == 4);
    // An empty field is no column.
    let text = "workouts_30d * 2";
    let path = format!("/audience/members.csv?where=tag.active&column={}&column=&column=", encoded(text));
    let file = world.get(&path);
    assert_eq!(file.status, StatusCode::OK, "{}", file.text);
    let api = world.post("/v1/audiences/members?format=csv", &json!({ "where": "tag.active", "columns": [text] }));
    assert_eq!(file.text, api.text);
    assert!(file.text.starts_with("key,workouts_30d * 2\r\n") && file.text.lines().count() > 2, "{}", file.text);
    assert_eq!(world.get("/audience/members.csv?column=gendre").status, StatusCode::UNPROCESSABLE_ENTITY);
}
