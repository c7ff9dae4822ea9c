//! The pages, through the same router as the API: what they say is what the API answers of the same view.
//!
//! - `words`: both languages have the same words;
//! - `entrance`: signing in, switches, what is refused;
//! - `frame`: what every page has, in both languages;
//! - `audience`: sizes, breakdowns, overlaps, members against the API;
//! - `edit`: the catalog's problems and previews;
//! - `live`: changes as they come;
//! - `approvals`: what waits for approval;
//! - `entity`: one entity against the API;
//! - `figures`: the overview and the tags against the API.

mod approvals;
mod audience;
mod edit;
mod entity;
mod entrance;
mod figures;
mod frame;
mod live;
mod words;

use axum::http::StatusCode;
use tagstream::kafka::Clock;
use tagstream::serve::access::{Access, AuditLog, Scope, new_token};
use tagstream::settings::ServeSettings;

use super::access::Scratch;
use super::history::Directory;
use super::records::{recorded_of, start};
use super::world::{NO_BROKER, World};

/// Titles, groups and descriptions, some of them hostile.
pub const CATALOG: &str = r#"
version: 1
timezone: Asia/Shanghai
counters:
  workouts_30d: { count: workout, window: 30d }
  spend_180d:   { sum: properties.amount, on: purchase, window: 180d }
  last_active:  { last: time, on: "*" }
tags:
  active:
    title: { en: Active member, zh: 活跃会员 }
    group: activity/level
    description: Trains "often" <b>enough</b>
    owner: growth & care
    # At least three in a month.
    when: workouts_30d >= 3
  churn_risk:
    title: { en: "<script>alert(1)</script>", zh: "\"'><img src=x onerror=alert(1)>" }
    group: activity/risk
    when: days_since(last_active) >= 7
  spend_level:
    value: spend_180d
    bands: [ { name: low, below: 100 }, { name: mid, below: 500 }, { name: high } ]
  lifecycle:
    group: activity
    stages:
      - { name: new, when: days_since(first_seen) < 20 }
      - { name: lapsing, when: days_since(last_active) >= 7 }
      - { name: steady }
  vip: { manual: {} }
"#;

const LANGUAGES: [&str; 2] = ["en", "zh"];

/// A gym with a history, to which this machine may come without a token.
fn gym(name: &str) -> (World, Directory) {
    let access = Access::new(&ServeSettings { requests_a_second: None, ..ServeSettings::default() }).expect("loopback");
    recorded_of(CATALOG, name, access, AuditLog::open(None, Clock::new(start)).expect("the log"), NO_BROKER)
}

/// The same gym, for those who have one of these tokens; each has the scopes of its place.
fn guarded(name: &str, scopes: &[&[Scope]]) -> (World, Directory, Vec<String>, Scratch) {
    let made = scopes.iter().enumerate().map(|(place, scopes)| {
        new_token(&format!("reader-{place}"), scopes.iter().copied().collect()).expect("a token")
    });
    let (tokens, lines): (Vec<String>, Vec<String>) = made.unzip();
    let file = Scratch::new(&format!("page-{name}"), &(lines.join("\n") + "\n"));
    let settings = ServeSettings { tokens: Some(file.0.clone()), requests_a_second: None, ..ServeSettings::default() };
    let access = Access::new(&settings).expect("tokens");
    let audit = AuditLog::open(None, Clock::new(start)).expect("the log");
    let (world, directory) = recorded_of(CATALOG, name, access, audit, NO_BROKER);
    (world, directory, tokens, file)
}

/// A page that has to be there.
fn page(world: &World, path: &str, language: &str) -> String {
    let answer = world.ask("GET", path, &[("accept-language", language), ("accept", "text/html")], "");
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    answer.text
}

/// A text in an address or a form.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// What stands between two texts, the first time.
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no `{before}` in {text}"));
    rest.split_once(after).unwrap_or_else(|| panic!("no `{after}` behind `{before}`")).0
}

/// A text without its tags, as a reader sees it.
fn seen(html: &str) -> String {
    let mut text = String::new();
    for piece in html.split('<') {
        text.push_str(piece.split_once('>').map_or(piece, |(_, seen)| seen));
    }
    let unescaped = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    unescaped.split_whitespace().collect::<Vec<_>>().join(" ")
}
