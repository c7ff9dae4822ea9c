//! A server with people in it, whose history goes on.

use serde_json::{Value as Json, json};
use tagstream::kafka::{Clock, EmbeddedBroker};
use tagstream::model::Timestamp;
use tagstream::serve::ServeServer;
use tagstream::serve::access::{Access, AuditLog};
use tagstream::serve::history::{Added, History, HistoryStatus, HistoryWriter};
use tagstream::settings::ServeSettings;
use tokio::sync::watch;

use crate::serve::history::{Directory, change, place};
use crate::serve::page::CATALOG;
use crate::serve::records::{recorded_of, start};
use crate::serve::world::{NO_BROKER, World};

pub struct Site {
    pub world: World,
    server: ServeServer,
    writer: HistoryWriter,
    status: watch::Sender<HistoryStatus>,
    written: u64,
    _broker: EmbeddedBroker,
    _directory: Directory,
}

fn open_access() -> (Access, AuditLog) {
    let access = Access::new(&ServeSettings { requests_a_second: None, ..ServeSettings::default() }).expect("loopback");
    (access, AuditLog::open(None, Clock::new(start)).expect("the log"))
}

impl Site {
    pub fn start(name: &str) -> Self {
        Site::of(name, CATALOG)
    }

    /// With titles that harm nobody, as for pictures.
    pub fn friendly(name: &str) -> Self {
        let title = CATALOG.lines().find(|line| line.contains("<script>")).expect("a hostile title");
        let catalog =
            CATALOG.replace(title, "    title: { en: Churn risk, zh: 流失风险 }").replace(" <b>enough</b>", " enough");
        Site::of(name, &catalog)
    }

    fn of(name: &str, catalog: &str) -> Self {
        let broker = EmbeddedBroker::start(&[("events", 1)]).expect("a broker");
        let (access, audit) = open_access();
        let (mut world, directory) = recorded_of(catalog, &format!("browser-{name}"), access, audit, NO_BROKER);
        let writer = directory.writer();
        let status = HistoryStatus { last_row: writer.last_row(), is_live: true, trouble: None };
        let (status, watched) = watch::channel(status);
        let history = History::written_elsewhere(directory.reader(), watched);
        let (access, audit) = open_access();
        world.serve(Some(history), access, audit, &broker.address());
        let server = ServeServer::start("127.0.0.1:0".parse().expect("an address"), None, world.router());
        let server = server.expect("a server");
        Site { world, server, writer, status, written: 0, _broker: broker, _directory: directory }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    /// The history has a new change: a manual tag is set on somebody.
    pub fn tag_is_set(&mut self, key: &str) {
        self.written += 1;
        let at = Timestamp::parse("2026-03-02T00:00:00Z").expect("a time").plus(self.written as i64);
        let record = change(key, "vip", self.written, at.ms(), (Json::Null, json!(true)), "command");
        assert_eq!(self.writer.add(&record).expect("a row"), Added::New);
        self.writer.commit(&place(self.world.driven.changes.0.len() + self.written as usize)).expect("a commit");
        let last_row = self.writer.last_row();
        self.status.send_modify(|status| status.last_row = last_row);
    }
}
