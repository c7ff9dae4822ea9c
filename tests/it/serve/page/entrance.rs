//! Signing in and out, switches, and what is refused.

use axum::http::StatusCode;
use tagstream::serve::access::Scope;

use super::{encoded, guarded, gym, seen};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const OWN: (&str, &str) = ("origin", "http://localhost");

#[test]
fn a_reader_without_a_token_signs_in_and_out() {
    let (world, _directory, tokens, _file) = guarded("sign-in", &[&[Scope::Audience]]);
    let token = tokens[0].as_str();
    let asked = world.ask("GET", "/tags/active?x=1", &[("accept-language", "zh")], "");
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    assert!(asked.text.contains(r#"<form class="fields" method="post" action="/sign-in">"#), "{}", asked.text);
    assert!(asked.text.contains(r#"name="back" value="/tags/active?x=1""#), "{}", asked.text);
    // Nothing of the catalog or the state is told.
    assert!(!asked.text.contains("Active member") && !asked.text.contains("活跃会员"));
    let wrong = world.ask("POST", "/sign-in", &[FORM, OWN], "token=ts_0&back=%2Ftags%2Factive");
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.headers.get("set-cookie").is_none() && seen(&wrong.text).contains("The token is not known."));

    let right = world.ask("POST", "/sign-in", &[FORM, OWN], &format!("token={token}&back=%2Ftags%2Factive"));
    assert_eq!(right.status, StatusCode::SEE_OTHER);
    assert_eq!(right.headers["location"], "/tags/active");
    let cookie = right.headers["set-cookie"].to_str().expect("a text");
    assert_eq!(cookie, format!("tagstream_token={token}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict"));
    let sent = ("cookie", cookie.split(';').next().expect("a cookie"));
    let shown = world.ask("GET", "/tags/active", &[sent], "");
    assert_eq!(shown.status, StatusCode::OK);
    assert!(seen(&shown.text).contains("Signed in as reader-0"));
    assert_eq!(
        world.ask("GET", "/tags/active", &[("cookie", "tagstream_token=ts_1")], "").status,
        StatusCode::UNAUTHORIZED
    );

    let out = world.ask("POST", "/sign-out", &[FORM, OWN, sent], "");
    assert_eq!(out.headers["set-cookie"], "tagstream_token=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    // Behind an encrypted connection the cookie stays on such ones.
    let encrypted = [FORM, ("origin", "https://localhost")];
    let right = world.ask("POST", "/sign-in", &encrypted, &format!("token={token}"));
    assert!(right.headers["set-cookie"].to_str().expect("a text").ends_with("; Secure"));
}

#[test]
fn a_form_leads_back_to_this_site_only() {
    let (world, _directory, tokens, _file) = guarded("back", &[&[Scope::Audience]]);
    for (back, leads) in [
        ("/tags/a%20b?x=1", "/tags/a%20b?x=1"),
        ("//evil.example.com/", "/"),
        ("/\\evil.example.com", "/"),
        ("https://evil.example.com/", "/"),
        ("/a\r\nset-cookie: b=c", "/"),
        ("", "/"),
    ] {
        let back = encoded(back);
        let answer = world.ask("POST", "/sign-in", &[FORM, OWN], &format!("token={}&back={back}", tokens[0]));
        assert_eq!(answer.headers["location"], leads, "{back}");
        let answer = world.ask("POST", "/switches", &[FORM, OWN], &format!("language=zh&back={back}"));
        assert_eq!(answer.headers["location"], leads, "{back}");
    }
}

#[test]
fn a_switch_is_remembered() {
    let (world, _directory) = gym("switches");
    let answer = world.ask("POST", "/switches", &[FORM, OWN], "language=zh&colours=dark&back=%2F");
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let cookies: Vec<&str> =
        answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().expect("a text")).collect();
    assert_eq!(
        cookies,
        [
            "tagstream_language=zh; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax",
            "tagstream_colours=dark; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax",
        ]
    );
    let sent = [("cookie", "tagstream_language=zh; tagstream_colours=dark"), ("accept-language", "en")];
    let shown = world.ask("GET", "/", &sent, "").text;
    assert!(shown.contains(r#"<html lang="zh" data-colours="dark">"#), "{shown}");
    // What the page does not have is refused, and in a cookie of a former version passed over.
    for wrong in ["language=de", "colours=red", "other=1"] {
        assert_eq!(world.ask("POST", "/switches", &[FORM, OWN], wrong).status, StatusCode::BAD_REQUEST);
    }
    let odd = world.ask("GET", "/", &[("cookie", "tagstream_language=de; tagstream_colours=red")], "").text;
    assert!(odd.contains(r#"<html lang="en" data-colours="system">"#));
}

#[test]
fn no_other_site_can_post() {
    let (world, _directory, tokens, _file) = guarded("foreign", &[&[Scope::Audience]]);
    let token = format!("token={}", tokens[0]);
    for foreign in [("origin", "https://evil.example.com"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
        for (path, body) in [("/sign-in", token.as_str()), ("/sign-out", ""), ("/switches", "language=zh")] {
            let answer = world.ask("POST", path, &[FORM, foreign], body);
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} from {foreign:?}");
            assert!(answer.headers.get("set-cookie").is_none());
            assert!(answer.text.contains("web page of another origin"), "{}", answer.text);
        }
    }
}

#[test]
fn a_link_on_another_site_opens_the_page_and_asks_for_no_token() {
    let (world, _directory, _tokens, _file) = guarded("link", &[&[Scope::Audience]]);
    let from_elsewhere = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    let answer = world.ask("GET", "/tags/active?a=%22b", &from_elsewhere, "");
    assert!(answer.text.contains(r#"content="0; url=/tags/active?a=%22b""#), "{}", answer.text);
    let from_here = [("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "navigate")];
    assert_eq!(world.ask("GET", "/tags/active", &from_here, "").status, StatusCode::UNAUTHORIZED);
}

#[test]
fn what_a_token_does_not_allow_is_neither_shown_nor_done() {
    let (world, _directory, tokens, _file) = guarded("scopes", &[&[Scope::Profile], &[Scope::Audience]]);
    let ask = |path: &str, token: &str| world.ask("GET", path, &[("cookie", &format!("tagstream_token={token}"))], "");
    let [profile, audience] = &tokens[..] else { panic!("two tokens") };
    let shown = ask("/", profile);
    assert_eq!(shown.status, StatusCode::OK);
    assert!(!shown.text.contains("data-tag=") && seen(&shown.text).contains("lacks the scope `audience`"));
    assert!(shown.text.contains(r#"role="search""#));
    for path in ["/tags/active", "/tags/active/forecast"] {
        let refused = ask(path, profile);
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
        assert!(seen(&refused.text).contains("the token of reader-0 does not have the scope `audience`"));
    }
    let shown = ask("/", audience);
    assert!(shown.text.contains(r#"data-tag="active""#) && !shown.text.contains(r#"role="search""#));
    let shown = ask("/tags/active", audience).text;
    assert!(shown.contains(r#"<ul class="keys">"#) && !shown.contains(r#"href="/entities/"#), "{shown}");
}
