//! Every route against the server's own description: thousands of questions that schemathesis makes from it, good and bad.
//!
//! The questions are the same in each run. `TAGSTREAM_CASES` sets how many are made for each operation and phase,
//! `TAGSTREAM_SEED` makes others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use serde_json::Value as Json;
use tagstream::kafka::{Clock, EmbeddedBroker};
use tagstream::model::Timestamp;
use tagstream::serve::ServeServer;
use tagstream::serve::access::{Access, AuditLog, Scopes, new_token};
use tagstream::serve::api::description;
use tagstream::settings::ServeSettings;
use tokio_stream::StreamExt;

use super::access::Scratch;
use super::records::recorded_beside;
use crate::installed;

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/serve/openapi/schemathesis.toml");
/// A stream of changes has no end: here it ends when nothing has come for so long.
const STREAM_PAUSE: Duration = Duration::from_millis(100);

/// How often each operation has answered with each status.
type Answers = Arc<Mutex<BTreeMap<(String, u16), u64>>>;

/// The operations of the description: method and path.
fn operations() -> Vec<String> {
    let description = serde_json::to_value(description()).expect("JSON");
    let methods = |(path, methods): (&String, &Json)| -> Vec<String> {
        methods.as_object().expect("methods").keys().map(|method| format!("{method} {path}")).collect()
    };
    description["paths"].as_object().expect("paths").iter().flat_map(methods).collect()
}

/// Whether an operation's path is this one.
fn is_of(operation: &str, asked: &str) -> bool {
    let (mut template, mut path) = (operation.split('/'), asked.split('/'));
    let alike = template.by_ref().zip(path.by_ref()).all(|(part, asked)| part.starts_with('{') || part == asked);
    alike && operation.matches('/').count() == asked.matches('/').count()
}

async fn count(answers: Answers, operations: Arc<[String]>, request: Request, next: Next) -> Response {
    let asked = format!("{} {}", request.method().as_str().to_lowercase(), request.uri().path());
    let answer = next.run(request).await;
    if let Some(operation) = operations.iter().find(|operation| is_of(operation, &asked)) {
        let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.entry((operation.clone(), answer.status().as_u16())).or_default() += 1;
    }
    let content_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|value| value.starts_with("text/event-stream")) {
        return answer;
    }
    let (parts, body) = answer.into_parts();
    let (mut body, mut read) = (body.into_data_stream(), Vec::new());
    while let Ok(Some(Ok(bytes))) = tokio::time::timeout(STREAM_PAUSE, body.next()).await {
        read.extend_from_slice(&bytes);
    }
    Response::from_parts(parts, Body::from(read))
}

fn from_environment(name: &str, usual: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| usual.to_owned())
}

/// `deploy/schemas/openapi.json` is what programs that are made from the description are made of.
///
/// `UPDATE_EXPECT=1` writes it; read the difference before you commit.
#[test]
fn the_description_is_the_one_beside_the_schemas() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/schemas/openapi.json");
    let described = serde_json::to_string_pretty(&description()).expect("JSON") + "\n";
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, &described).expect("it can be written");
    }
    let expected = fs::read_to_string(path).expect("deploy/schemas/openapi.json");
    let differ = expected.lines().zip(described.lines()).position(|(expected, described)| expected != described);
    assert!(expected == described, "{path} differs, first in line {:?}", differ.map(|line| line + 1));
}

#[test]
fn every_answer_is_as_the_description_says() {
    let schemathesis = installed::expect("schemathesis-4.32.5/bin/schemathesis");
    let broker = EmbeddedBroker::start(&[("events", 1)]).expect("a broker");
    let (token, line) = new_token("tester", Scopes::all()).expect("a token");
    let tokens = Scratch::new("openapi", &line);
    let settings =
        ServeSettings { tokens: Some(tokens.0.clone()), requests_a_second: None, ..ServeSettings::default() };
    let access = Access::new(&settings).expect("tokens");
    let audit = AuditLog::open(None, Clock::new(|| Timestamp::from_ms(0))).expect("the log");
    let (world, _directory) = recorded_beside("openapi", access, audit, &broker.address());
    let answers = Answers::default();
    let counted = Arc::clone(&answers);
    let operations: Arc<[String]> = operations().into();
    let known = Arc::clone(&operations);
    let counting =
        from_fn(move |request: Request, next: Next| count(Arc::clone(&counted), Arc::clone(&known), request, next));
    let server = ServeServer::start("127.0.0.1:0".parse().expect("an address"), None, world.router().layer(counting))
        .expect("a server");
    let output = Command::new(schemathesis)
        .args(["--config-file", CONFIG, "run", &format!("http://{}/v1/openapi.json", server.address())])
        .args(["--max-examples", &from_environment("TAGSTREAM_CASES", "20")])
        .args(["--seed", &from_environment("TAGSTREAM_SEED", "1"), "--no-color"])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .current_dir(Path::new(env!("CARGO_TARGET_TMPDIR")))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("schemathesis runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    let answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
    let all: u64 = answers.values().sum();
    println!("{told}\n{all} answers");
    assert!(all > 1_000, "only {all} answers");
    let good: BTreeSet<&str> =
        answers.keys().filter(|(_, status)| *status < 300).map(|(operation, _)| operation.as_str()).collect();
    for operation in operations.iter() {
        // There is no file to read, and no service to ask; a text that is made by chance is no catalog.
        let may_fail = ["post /v1/catalog/reload", "post /v1/catalog/approve", "post /v1/catalog/preview"];
        let may_fail = may_fail.contains(&operation.as_str());
        assert!(may_fail || good.contains(operation.as_str()), "{operation} never succeeded: {answers:#?}");
    }
}
