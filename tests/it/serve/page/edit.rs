//! The page on which the catalog is edited: problems and previews are those of the API.

use axum::http::StatusCode;
use tagstream::serve::access::Scope;

use super::figures::grouped;
use super::{CATALOG, LANGUAGES, between, guarded, gym, page, seen};
use crate::serve::world::{Answer, World};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn send(world: &World, path: &str, text: &str, language: &str) -> Answer {
    // As browsers send it.
    let body: String = text.replace('\n', "\r\n").bytes().map(|byte| format!("%{byte:02X}")).collect();
    world.ask("POST", path, &[FORM, ("accept-language", language)], &format!("text={body}"))
}

#[test]
fn the_catalog_in_force_is_shown_as_it_is_written() {
    let (world, _directory) = gym("edit-text");
    let html = page(&world, "/catalog", "en");
    let written = between(&html, "<textarea id=\"text\"", "</textarea>").split_once(">\n").expect("the text").1;
    let unescaped = written.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    assert_eq!(unescaped, CATALOG);
    assert!(seen(&html).contains("It computes the same as the catalog in force."), "{html}");
}

#[test]
fn problems_are_told_by_line() {
    let (world, _directory) = gym("edit-problems");
    let wrong =
        CATALOG.replace("workouts_30d >= 3", "workout_30d >= 3").replace("<b>enough</b>", "</textarea><script>x");
    let checked = world.ask("POST", "/v1/catalog/check", &[], &wrong).good();
    let first = &checked["problems"][0];
    for language in LANGUAGES {
        for path in ["/catalog/problems", "/catalog"] {
            let answer = send(&world, path, &wrong, language);
            assert_eq!(answer.status, StatusCode::OK);
            let place = match language {
                "zh" => format!("第 {} 行，第 {} 列", first["line"], first["column"]),
                _ => format!("Line {}, column {}", first["line"], first["column"]),
            };
            let problems = between(&answer.text, "<div id=\"problems\"", "</ul>");
            assert!(seen(problems).contains(&place), "{place} in {problems}");
            assert!(problems.contains("<mark>workout_30d</mark>"), "{problems}");
            assert!(problems.contains(&format!("data-place=\"{}\"", first["start"])), "{problems}");
            assert!(!answer.text.contains("<script>x"), "{}", answer.text);
        }
    }
    assert!(seen(&send(&world, "/catalog", &wrong, "en").text).contains("there is no preview"));
    assert_eq!(world.ask("POST", "/catalog", &[FORM], "txt=1").status, StatusCode::BAD_REQUEST);
    let foreign = [FORM, ("origin", "https://evil.example.com")];
    assert_eq!(world.ask("POST", "/catalog", &foreign, "text=1").status, StatusCode::FORBIDDEN);
}

#[test]
fn a_preview_is_that_of_the_api_and_changes_nothing() {
    let (world, _directory) = gym("edit-preview");
    let other = CATALOG.replace("workouts_30d >= 3", "workouts_30d >= 6").replace("below: 500", "below: 200");
    let before = world.get("/v1/tags").good();
    let expected = world.ask("POST", "/v1/catalog/preview", &[], &other).good();
    for language in LANGUAGES {
        let html = send(&world, "/catalog", &other, language).text;
        let rows = expected["rows"].as_array().expect("rows");
        assert_eq!(rows.len(), 2, "{expected:#}");
        for row in rows {
            let shown = between(&html, &format!("<tr data-tag={}>", row["tag"]), "</tr>");
            let cells: Vec<String> =
                shown.split("<td").skip(1).map(|cell| seen(cell.split_once('>').expect("a cell").1)).collect();
            let signed = |sign: &str, name: &str| match grouped(&row[name]).as_str() {
                "0" => "0".to_owned(),
                count => format!("{sign}{count}"),
            };
            let all = [
                grouped(&row["before"]),
                grouped(&row["after"]),
                signed("+", "enter"),
                signed("−", "leave"),
                grouped(&row["other_value"]),
            ];
            assert_eq!(cells, all, "{}", row["tag"]);
            for key in row["leave_sample"].as_array().expect("keys") {
                assert!(html.contains(&format!("/entities/user/{}", key.as_str().expect("a key"))), "{key}");
            }
        }
    }
    let same = send(&world, "/catalog", &format!("# A comment.\n{CATALOG}"), "en").text;
    assert!(seen(&same).contains("It would change no tag of anybody."), "{same}");
    assert_eq!(world.get("/v1/tags").good(), before);
}

#[test]
fn an_edit_needs_its_scope() {
    let (world, _directory, tokens, _file) =
        guarded("edit-scopes", &[&[Scope::Audience, Scope::Write], &[Scope::Catalog]]);
    let ask = |method: &str, path: &str, token: &str| {
        world.ask(method, path, &[FORM, ("cookie", &format!("tagstream_token={token}"))], "text=version:+1").status
    };
    for (method, path) in [("GET", "/catalog"), ("POST", "/catalog"), ("POST", "/catalog/problems")] {
        assert_eq!(ask(method, path, &tokens[0]), StatusCode::FORBIDDEN, "{method} {path}");
        assert_eq!(ask(method, path, &tokens[1]), StatusCode::OK, "{method} {path}");
    }
}
