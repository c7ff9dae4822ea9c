//! What waits for approval is shown, and approved through the service's own page.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};

use axum::http::StatusCode;
use tagstream::codec::{PartitionFacts, RolloutNote};
use tagstream::engine::TagImpact;
use tagstream::kafka::Clock;
use tagstream::serve::access::{Access, AuditLog, Scope, Scopes, new_token};
use tagstream::settings::ServeSettings;

use super::{CATALOG, LANGUAGES, between, recorded_of, seen, start};
use crate::engine::changelog::program;
use crate::serve::access::Scratch;
use crate::serve::world::{Beside, NO_BROKER, World};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Answers one request, and returns what was asked.
fn service(answer: &'static str) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let (mut asked, mut bytes) = (Vec::new(), [0; 1_024]);
        while !asked.ends_with(b"\r\n\r\n") {
            let count = stream.read(&mut bytes).expect("a request");
            asked.extend_from_slice(&bytes[..count]);
        }
        stream.write_all(answer.as_bytes()).expect("an answer");
        String::from_utf8(asked).expect("UTF-8")
    });
    (address, asked)
}

/// A world in which two tags wait, for readers with and without the scope to approve.
struct Held {
    world: World,
    tokens: [String; 2],
    log: Scratch,
    _file: Scratch,
}

impl Held {
    fn new(name: &str, service: Option<String>) -> Self {
        let made = [Scopes::all(), [Scope::Audience].into_iter().collect()];
        let made = made.map(|scopes| new_token(&format!("with-{scopes}").replace(',', "-"), scopes).expect("a token"));
        let lines: String = made.iter().map(|(_, line)| format!("{line}\n")).collect();
        let (file, log) = (Scratch::new(&format!("{name}-tokens"), &lines), Scratch::new(&format!("{name}-log"), ""));
        let settings = ServeSettings { tokens: Some(file.0.clone()), ..ServeSettings::default() };
        let parts = || {
            let audit = AuditLog::open(Some(&log.0), Clock::new(start)).expect("a file");
            (Access::new(&settings).expect("tokens"), audit)
        };
        let (access, audit) = parts();
        let (mut world, _directory) = recorded_of(CATALOG, name, access, audit, NO_BROKER);
        let held = BTreeSet::from(["active".into(), "churn_risk".into()]);
        world.driven.partition.switch_catalog(program(CATALOG), held);
        let impact = TagImpact { entities: 60, had: 20, differ: 17, added: 4 };
        let decided = Some(BTreeMap::from([("active".into(), impact)]));
        let rollout = Some(RolloutNote { decided, ..RolloutNote::of(1) });
        world.note(&PartitionFacts { rollout, ..PartitionFacts::default() });
        world.commit();
        let (access, audit) = parts();
        world.serve_beside(None, access, audit, &Beside { service, ..Beside::default() });
        Held { world, tokens: made.map(|(token, _)| token), log, _file: file }
    }

    fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> (StatusCode, String) {
        let answer = self.world.ask(method, path, &[("cookie", &format!("tagstream_token={token}")), FORM], body);
        (answer.status, answer.text)
    }
}

#[test]
fn held_tags_are_shown_with_a_button_for_those_who_may_approve() {
    let held = Held::new("held", Some("127.0.0.1:1".to_owned()));
    for language in LANGUAGES {
        let cookie = |token: &str| format!("tagstream_token={token}; tagstream_language={language}");
        let of = |token: &str| {
            let html = held.world.ask("GET", "/", &[("cookie", &cookie(token))], "").text;
            between(&html, "id=\"approvals\"", "<dl ").to_owned()
        };
        let (may, looks) = (of(&held.tokens[0]), of(&held.tokens[1]));
        for shown in [&may, &looks] {
            let tags: Vec<&str> =
                shown.split("data-held=\"").skip(1).map(|piece| piece.split('"').next().expect("a name")).collect();
            assert_eq!(tags, ["active", "churn_risk"]);
            // One of them was counted.
            let says = ["17 would lose it or see it change, 4 would get it", "17 个将失去它或取值改变，4 个将获得它"];
            let says = says[usize::from(language != "en")];
            assert_eq!(seen(shown).matches(says).count(), 1, "{}", seen(shown));
        }
        assert_eq!(may.matches("action=\"/approve\"").count(), 2);
        assert_eq!(looks.matches("action=\"/approve\"").count(), 0);
    }
    let refused = held.ask("POST", "/approve", &held.tokens[1], "tag=active");
    assert_eq!(refused.0, StatusCode::FORBIDDEN);
    let foreign = [("cookie", &*format!("tagstream_token={}", held.tokens[0])), FORM, ("sec-fetch-site", "cross-site")];
    assert_eq!(held.world.ask("POST", "/approve", &foreign, "tag=active").status, StatusCode::FORBIDDEN);
    assert_eq!(std::fs::read_to_string(&held.log.0).expect("a log"), "");
    // Where the service cannot be asked there is no button.
    let held = Held::new("held-off", None);
    let html = held.ask("GET", "/", &held.tokens[0], "").1;
    assert!(html.contains("data-held=") && !html.contains("action=\"/approve\""));
    assert!(seen(&html).contains("serve.service does not name a process of the service"), "{}", seen(&html));
    let (status, text) = held.ask("POST", "/v1/catalog/approve?tag=active", &held.tokens[0], "");
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(text.contains("set serve.service"), "{text}");
}

#[test]
fn an_approval_is_the_services_and_its_words_are_passed_on() {
    let ok = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"approved\":[\"active\"]}";
    let unknown = "HTTP/1.1 404 Not Found\r\n\r\n{\"error\":\"no change of a tag `active` waits for approval\"}";
    let late = "HTTP/1.1 503 Service Unavailable\r\n\r\n{\"error\":\"the approval is not committed\"}";
    for (answer, by_page, by_api, says) in [
        (ok, 303, 200, "\"approved\":[\"active\"]"),
        (unknown, 404, 404, "no change of a tag `active` waits for approval"),
        (late, 503, 503, "the approval is not committed"),
        ("SSH-2.0-OpenSSH\r\n", 502, 502, "something else than HTTP"),
    ] {
        for is_page in [true, false] {
            let (address, asked) = service(answer);
            let held = Held::new(&format!("approve-{by_api}-{is_page}"), Some(address.to_string()));
            let (path, body) =
                if is_page { ("/approve", "tag=active") } else { ("/v1/catalog/approve?tag=active", "") };
            let (status, text) = held.ask("POST", path, &held.tokens[0], body);
            assert_eq!(status.as_u16(), if is_page { by_page } else { by_api }, "{text}");
            assert!(is_page && by_page == 303 || text.contains(says), "{text}");
            let asked = asked.join().expect("one request");
            assert!(asked.starts_with("POST /v1/catalog/approve?tag=active HTTP/1.1\r\n"), "{asked}");
            assert!(asked.contains(&format!("\r\nHost: {address}\r\n")) && asked.contains("\r\nX-Tagstream: 1\r\n"));
            let log = std::fs::read_to_string(&held.log.0).expect("a log");
            assert!(log.contains("\"action\":\"catalog.approve\"") && log.contains("\"tag\":\"active\""), "{log}");
        }
    }
    let held = Held::new("nobody", Some("127.0.0.1:1".to_owned()));
    let (status, text) = held.ask("POST", "/v1/catalog/approve?tag=active", &held.tokens[0], "");
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert!(text.contains("serve.service = 127.0.0.1:1 does not answer"), "{text}");
    assert_eq!(held.ask("POST", "/v1/catalog/approve", &held.tokens[0], "").0, StatusCode::BAD_REQUEST);
}
