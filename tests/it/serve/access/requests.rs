//! Which requests are admitted.

use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use tagstream::serve::access::{Access, RateLimit, Refusal, Scope, Scopes, new_token, session_cookie};
use tagstream::settings::ServeSettings;

use super::Scratch;

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let header = |(name, value): &(&str, &str)| {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        (name, HeaderValue::from_str(value).expect("a value"))
    };
    pairs.iter().map(header).collect()
}

fn with_tokens(file: &Scratch) -> Access {
    Access::new(&ServeSettings { tokens: Some(file.0.clone()), ..ServeSettings::default() }).expect("tokens")
}

#[test]
fn without_tokens_only_this_machine_is_listened_to() {
    let settings = |listen: &str| ServeSettings { listen: listen.parse().expect("an address"), ..Default::default() };
    for listen in ["127.0.0.1:8081", "127.8.8.8:1", "[::1]:8081"] {
        assert!(Access::new(&settings(listen)).is_ok(), "{listen}");
    }
    for listen in ["0.0.0.0:8081", "[::]:8081", "192.168.1.7:8081", "203.0.113.9:80"] {
        let error = Access::new(&settings(listen)).expect_err("it is open").to_string();
        assert_eq!(
            error,
            format!(
                "serve.listen = {listen} can be reached from other machines, and no token is asked for: set serve.tokens \
                 to a file that `tagstream token new` helps to write, or listen at 127.0.0.1"
            )
        );
    }
}

#[test]
fn without_tokens_no_web_page_can_read_or_act() {
    let access = Access::new(&ServeSettings::default()).expect("loopback");
    let admit = |method: Method, pairs: &[(&str, &str)]| access.admit(&method, &headers(pairs), Scope::Write);
    for host in ["127.0.0.1:8081", "localhost:8081", "[::1]:8081", "tagstream.localhost"] {
        assert_eq!(admit(Method::GET, &[("host", host)]).expect("it is ours").scopes, Scopes::all());
    }
    // A name of the public DNS that was pointed at this machine.
    for host in ["rebound.example.com:8081", "example.org", ""] {
        let refused = admit(Method::GET, &[("host", host)]).expect_err("a rebound name");
        assert_eq!(refused, Refusal::ForeignHost(host.to_owned()));
    }
    let own = [("host", "localhost:8081"), ("origin", "http://localhost:8081")];
    assert!(admit(Method::POST, &own).is_ok());
    for (name, value) in [
        ("origin", "https://example.com"),
        ("origin", "null"),
        ("origin", "http://localhost:8080"),
        ("origin", "http://localhost:8081.example.com"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for method in [Method::POST, Method::PUT, Method::DELETE] {
            let refused = admit(method, &[("host", "localhost:8081"), (name, value)]).expect_err("a foreign page");
            assert_eq!(refused, Refusal::ForeignOrigin(value.to_owned()));
        }
    }
}

#[test]
fn a_token_is_sent_as_a_bearer_or_as_the_pages_cookie_and_has_its_scopes() {
    let (token, line) = new_token("crm", [Scope::Profile].into_iter().collect()).expect("a token");
    let file = Scratch::new("scopes", &line);
    let access = with_tokens(&file);
    let admit = |pairs: &[(&str, &str)], scope| access.admit(&Method::GET, &headers(pairs), scope);
    let (bearer, cookie) = (format!("Bearer {token}"), format!("a=b; tagstream_token={token}; c=d"));
    // With tokens it does not matter by which name the server is reached.
    for (name, value) in [("authorization", &bearer), ("cookie", &cookie)] {
        let caller = admit(&[("host", "tags.example.com"), (name, value)], Scope::Profile).expect("it is known");
        assert_eq!(&*caller.name, "crm");
    }
    let missing = Refusal::MissingScope { name: "crm".to_owned(), scope: Scope::Write };
    assert_eq!(admit(&[("authorization", &bearer)], Scope::Write), Err(missing.clone()));
    assert_eq!(missing.to_string(), "the token of crm does not have the scope `write`");
    assert_eq!(admit(&[], Scope::Profile), Err(Refusal::NoToken));
    assert_eq!(admit(&[("authorization", &format!("Basic {token}"))], Scope::Profile), Err(Refusal::NoToken));
    assert_eq!(admit(&[("authorization", "Bearer ts_0")], Scope::Profile), Err(Refusal::UnknownToken));
    // A wrong bearer is not mended by a cookie.
    let both = [("authorization", "Bearer ts_0"), ("cookie", &*cookie)];
    assert_eq!(admit(&both, Scope::Profile), Err(Refusal::UnknownToken));
    // A page of another origin cannot use the cookie to act.
    let pairs = [("host", "tags.example.com"), ("origin", "https://evil.example.com"), ("cookie", &*cookie)];
    let refused = access.admit(&Method::POST, &headers(&pairs), Scope::Profile);
    assert_eq!(refused, Err(Refusal::ForeignOrigin("https://evil.example.com".to_owned())));
}

#[test]
fn the_cookie_is_for_this_site_and_no_script() {
    assert_eq!(
        session_cookie(Some("ts_1"), true),
        "tagstream_token=ts_1; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict; Secure"
    );
    assert_eq!(session_cookie(None, false), "tagstream_token=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
}

#[test]
fn a_token_that_is_taken_out_of_the_file_is_not_known_any_more() {
    let (token, line) = new_token("old", Scopes::all()).expect("a token");
    let (new, new_line) = new_token("new", Scopes::all()).expect("a token");
    let file = Scratch::new("changed", &line);
    let access = with_tokens(&file);
    let is_known = |token: &str| {
        let headers = headers(&[("authorization", &format!("Bearer {token}"))]);
        access.admit(&Method::GET, &headers, Scope::Profile).is_ok()
    };
    assert!(is_known(&token) && !is_known(&new));
    let began = Instant::now();
    let wait_until = |so: &dyn Fn() -> bool| {
        while !so() {
            assert!(began.elapsed() < Duration::from_secs(60), "the file is not read again");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    std::fs::write(&file.0, &new_line).expect("a file");
    wait_until(&|| is_known(&new));
    assert!(!is_known(&token));
    // A broken file takes nobody's token away.
    std::fs::write(&file.0, "nonsense\n").expect("a file");
    std::thread::sleep(Duration::from_millis(1_200));
    assert!(is_known(&new));
}

#[test]
fn who_asks_too_often_waits_and_others_do_not() {
    let (limit, start) = (RateLimit::new(Some(10)), Instant::now());
    // A burst of two seconds, then ten a second.
    let taken = (0..100).filter(|_| limit.take("greedy", start).is_ok()).count();
    assert_eq!(taken, 20);
    let wait = limit.take("greedy", start).expect_err("too many");
    assert!(wait > Duration::from_millis(99) && wait <= Duration::from_millis(100), "{wait:?}");
    assert!(limit.take("other", start).is_ok());
    assert!(limit.take("greedy", start + Duration::from_millis(101)).is_ok());
    assert!(limit.take("greedy", start + Duration::from_millis(102)).is_err());
    let taken = (0..100).filter(|_| limit.take("greedy", start + Duration::from_secs(1_000)).is_ok()).count();
    assert_eq!(taken, 20);
    let unlimited = RateLimit::new(None);
    assert!((0..100_000).all(|_| unlimited.take("greedy", start).is_ok()));
}
