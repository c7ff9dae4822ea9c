//! What every page has, in both languages: nothing from elsewhere, no script and style in it, nothing that content puts there.

use std::collections::BTreeSet;

use axum::http::StatusCode;

use super::{LANGUAGES, between, gym, page, seen};

const PAGES: [&str; 8] = [
    "/",
    "/tags/active",
    "/tags/churn_risk",
    "/tags/spend_level",
    "/tags/vip",
    "/tags/lifecycle/forecast",
    "/entities/user/u-1",
    "/entities/erase?kind=user&key=u-1",
];

/// The values of an attribute.
fn values<'t>(html: &'t str, name: &str) -> Vec<&'t str> {
    let begin = format!(" {name}=\"");
    html.split(begin.as_str()).skip(1).map(|piece| piece.split('"').next().unwrap_or_default()).collect()
}

#[test]
fn every_page_is_whole_in_both_languages_and_loads_nothing_from_elsewhere() {
    let (world, _directory) = gym("whole");
    for path in PAGES {
        for language in LANGUAGES {
            let answer = world.ask("GET", path, &[("accept-language", language)], "");
            let html = &answer.text;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {html}");
            assert!(html.starts_with(&format!("<!DOCTYPE html><html lang=\"{language}\"")), "{path}: {html}");
            assert_eq!(html.matches("<h1>").count(), 1, "{path}");
            for landmark in ["<header ", "<nav ", "<main ", "<footer>", r##"<a class="skip" href="#content">"##] {
                assert!(html.contains(landmark), "{path} has no {landmark}");
            }
            // The policy forbids what stands in the page itself, and so do we.
            let policy = answer.headers["content-security-policy"].to_str().expect("a text");
            assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
            assert!(!policy.contains("unsafe"), "{policy}");
            assert_eq!(answer.headers["x-content-type-options"], "nosniff");
            assert!(!html.contains("<style") && !html.contains(" style=\"") && !html.contains("javascript:"), "{path}");
            assert_eq!(html.matches("<script").count(), html.matches("<script type=\"module\" src=\"/assets/").count());
            for name in ["onclick", "onload", "onerror", "onsubmit", "onchange"] {
                assert!(values(html, name).is_empty(), "{path}: {name}");
            }
            for name in ["src", "href", "action", "data-include"] {
                for target in values(html, name) {
                    let is_own = target.starts_with('#') || target.starts_with('/') && !target.starts_with("//");
                    assert!(is_own, "{path}: {name}={target}");
                }
            }
            let ids = values(html, "id");
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{path}: an id stands twice: {ids:?}");
            for name in ["aria-labelledby", "aria-describedby", "for"] {
                for id in values(html, name).iter().flat_map(|all| all.split(' ')) {
                    assert!(ids.contains(&id), "{path}: {name} names {id}, which is not there");
                }
            }
        }
    }
}

#[test]
fn assets_are_there_and_kept_for_ever() {
    let (world, _directory) = gym("assets");
    let html = page(&world, "/", "en") + &page(&world, "/tags/active", "en");
    let mut paths: Vec<&str> = values(&html, "src").into_iter().chain(values(&html, "href")).collect();
    paths.retain(|path| path.starts_with("/assets/"));
    assert!(paths.len() >= 6, "{paths:?}");
    for path in paths {
        let answer = world.get(path);
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.headers["cache-control"], "public, max-age=31536000, immutable");
        let tag = answer.headers["etag"].to_str().expect("a text").to_owned();
        let again = world.ask("GET", path, &[("if-none-match", &tag)], "");
        assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    }
    assert_eq!(world.get("/assets/style.0.css").status, StatusCode::NOT_FOUND);
}

#[test]
fn what_the_catalog_says_is_text_and_no_markup() {
    let (world, _directory) = gym("hostile");
    for (language, title) in [("en", "<script>alert(1)</script>"), ("zh", "\"'><img src=x onerror=alert(1)>")] {
        for path in ["/", "/tags/churn_risk", "/tags/churn_risk/forecast", "/tags/active"] {
            let html = page(&world, path, language);
            assert!(!html.contains("<script>") && !html.contains("<img") && !html.contains("<b>"), "{path}: {html}");
            if path != "/tags/active" {
                assert!(seen(&html).contains(title), "{path}: {}", seen(&html));
            }
        }
    }
    let html = page(&world, "/tags/active", "en");
    assert!(html.contains("Trains &quot;often&quot; &lt;b&gt;enough&lt;/b&gt;") && html.contains("growth &amp; care"));
}

#[test]
fn what_goes_wrong_is_a_page_for_people_and_a_document_for_programs() {
    let (world, _directory) = gym("wrong");
    for (path, language, title) in [
        ("/tags/actve", "en", "Not found"),
        ("/tags/actve", "zh", "未找到"),
        ("/no/such/page", "en", "Not found"),
        ("/no/such/page", "zh", "未找到"),
    ] {
        let answer = world.ask("GET", path, &[("accept-language", language), ("accept", "text/html,*/*")], "");
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(between(&answer.text, "<h1>", "</h1>"), title);
    }
    let answer = world.ask("GET", "/tags/actve", &[], "");
    assert!(seen(&answer.text).contains("there is no tag `actve`; did you mean `active`?"), "{}", seen(&answer.text));
    assert_eq!(world.get("/no/such/page").json()["type"], "/problems/unknown");
    let api = world.ask("GET", "/v1/tags/actve", &[("accept", "text/html")], "");
    assert_eq!(api.headers["content-type"], "application/problem+json");
    let hostile = world.ask("GET", "/%3Cscript%3Ealert(1)%3C/script%3E", &[("accept", "text/html")], "");
    assert!(!hostile.text.contains("<script>"), "{}", hostile.text);
    assert_eq!(world.ask("POST", "/", &[], "").status, StatusCode::METHOD_NOT_ALLOWED);
}

#[test]
fn a_page_that_a_reader_has_is_named_by_its_content() {
    let (world, _directory) = gym("etag");
    let tag = |path: &str, language: &str| {
        let answer = world.ask("GET", path, &[("accept-language", language)], "");
        answer.headers["etag"].to_str().expect("a text").to_owned()
    };
    let english = tag("/", "en");
    assert_eq!(tag("/", "en"), english);
    assert_ne!(tag("/", "zh"), english);
    let again = world.ask("GET", "/", &[("accept-language", "en"), ("if-none-match", &english)], "");
    assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
}
