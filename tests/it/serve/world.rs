//! A replica beside the engine that writes its changelog, and the API and the page over it, without sockets.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::Value as Json;
use tagstream::codec::PartitionFacts;
use tagstream::engine::CompiledCatalog;
use tagstream::http::CatalogErrors;
use tagstream::kafka::{Clock, CommandSender, PartitionName};
use tagstream::model::Timestamp;
use tagstream::serve::access::{Access, AuditLog};
use tagstream::serve::api::{ApiContext, ApiParts, RecordParts};
use tagstream::serve::approval::Approver;
use tagstream::serve::history::History;
use tagstream::serve::page::{PageContext, router};
use tagstream::serve::replica::{FeedOrders, PartitionFollower, Replica, ReplicaView};
use tagstream::settings::{ConfigFile, ServeSettings, Sources, load};
use tower::ServiceExt;

use crate::engine::changelog::{Compacted, Driven, program};

/// Nobody listens there.
pub const NO_BROKER: &str = "127.0.0.1:1";

pub struct World {
    pub driven: Driven,
    pub compiled: Arc<CompiledCatalog>,
    pub replica: Arc<Replica>,
    log: Compacted,
    follower: PartitionFollower,
    read: usize,
    router: Router,
}

/// An answer as a client gets it.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The document of an answer that has to be right.
    pub fn good(self) -> Json {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self.json()
    }
}

/// A producer of commands.
fn sender(brokers: &str) -> CommandSender {
    let flags = vec![format!("kafka.brokers={brokers}")];
    let sources =
        Sources { file: ConfigFile::Default("/nowhere/tagstream.toml".into()), environment: Vec::new(), flags };
    CommandSender::new(&load(&sources).expect("settings"), Arc::new(|_| ())).expect("a producer")
}

/// What the read side reaches beside the changelogs.
pub struct Beside<'a> {
    pub brokers: &'a str,
    /// Where a service has its pages.
    pub service: Option<String>,
}

impl Default for Beside<'_> {
    fn default() -> Self {
        Beside { brokers: NO_BROKER, service: None }
    }
}

fn routes(
    replica: &Arc<Replica>,
    history: Option<History>,
    access: Access,
    audit: AuditLog,
    beside: &Beside<'_>,
) -> Router {
    let source = Arc::new(|| Err(CatalogErrors { report: "no file".to_owned(), problems: Vec::new() }));
    let records = RecordParts { sender: sender(beside.brokers), clock: Clock::new(|| Timestamp::from_ms(0)) };
    let (replica, orders) = (Arc::clone(replica), FeedOrders::default());
    let approver = Approver::new(beside.service.clone());
    let api = ApiContext::new(ApiParts { replica, orders, source, access, audit, history, records, approver });
    router(PageContext { api, is_encrypted: false })
}

impl World {
    pub fn new(catalog: &str) -> Self {
        let program = program(catalog);
        let compiled = CompiledCatalog::new((*program.catalog).clone());
        let replica = Arc::new(Replica::default());
        let mut follower = PartitionFollower::new(PartitionName::from(0), Arc::clone(compiled.user()), 0);
        follower.reach(0).expect("an empty changelog is whole");
        let access = Access::new(&ServeSettings { requests_a_second: None, ..ServeSettings::default() })
            .expect("only this machine is listened to");
        let audit = AuditLog::open(None, Clock::new(|| Timestamp::from_ms(0))).expect("no file is opened");
        let router = routes(&replica, None, access, audit, &Beside::default());
        let (driven, log) = (Driven::new(&program), Compacted::default());
        World { driven, compiled, replica, log, follower, read: 0, router }
    }

    /// Answers with a history too, and by these rules; commands go to these brokers.
    pub fn serve(&mut self, history: Option<History>, access: Access, audit: AuditLog, brokers: &str) {
        self.serve_beside(history, access, audit, &Beside { brokers, service: None });
    }

    /// The same, beside a service.
    pub fn serve_beside(&mut self, history: Option<History>, access: Access, audit: AuditLog, beside: &Beside<'_>) {
        self.router = routes(&self.replica, history, access, audit, beside);
    }

    /// What the partition notes from the next transaction on.
    pub fn note(&mut self, facts: &PartitionFacts) {
        self.log.facts.clear();
        facts.write(&mut self.log.facts);
    }

    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Everything that has happened is committed, and shown.
    pub fn commit(&mut self) -> Arc<ReplicaView> {
        self.log.write(&mut self.driven.partition);
        for record in &self.log.records[self.read..] {
            self.follower.take(record.offset as i64, &record.key, record.value.as_deref()).expect("the log is whole");
        }
        self.read = self.log.records.len();
        let view = self.follower.view().expect("it has caught up");
        self.replica.show(&self.compiled, vec![Arc::new(view)]);
        self.replica.view().expect("something is shown")
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).expect("a request");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let answer = self.router.clone().oneshot(request).await.expect("the router always answers");
            let (status, headers) = (answer.status(), answer.headers().clone());
            let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
            Answer { status, headers, text: String::from_utf8(bytes.to_vec()).expect("UTF-8") }
        })
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "")
    }

    pub fn post(&self, path: &str, body: &Json) -> Answer {
        self.ask("POST", path, &[("content-type", "application/json")], &body.to_string())
    }
}
