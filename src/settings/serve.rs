//! The settings of the read side: where it listens, what it follows, what it keeps, and who may ask.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::check::{AlreadyReported, Checker};

const DAY: Duration = Duration::from_secs(86_400);
const HISTORY_DEFAULT: Duration = Duration::from_secs(400 * 86_400);
const HISTORY_MAX: Duration = Duration::from_secs(36_500 * 86_400);
const REQUESTS_DEFAULT: u32 = 100;
const REQUESTS_MAX: u32 = 1_000_000;
const PORT_DEFAULT: u16 = 8_081;
/// More partitions than a topic has: a typing error.
const PARTITION_MAX: i32 = 100_000;

/// What `tagstream serve` needs to know.
#[derive(Clone, Debug)]
pub struct ServeSettings {
    pub listen: SocketAddr,
    /// The partitions that are followed; `None`: all.
    pub partitions: Option<BTreeSet<i32>>,
    /// Where the history and the snapshots are kept; `None`: there is no history, and each start reads the changelog whole.
    pub directory: Option<PathBuf>,
    /// How long a tag change is kept.
    pub history: Duration,
    /// The file with the tokens' hashes; `None`: no token is asked for, and only this machine may ask.
    pub tokens: Option<PathBuf>,
    /// How many requests a second each token may send; `None`: as many as it likes.
    pub requests_a_second: Option<u32>,
    /// The file of the audit log; `None`: it goes to the log of the process.
    pub audit: Option<PathBuf>,
    pub tls: Option<TlsFiles>,
    /// Where a process of the service has its pages (`http.listen`), to approve changes there; `None`: nothing is approved here.
    pub service: Option<String>,
}

/// Two files in PEM format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, then those that vouch for it.
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Default for ServeSettings {
    fn default() -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT_DEFAULT));
        ServeSettings {
            listen,
            partitions: None,
            directory: None,
            history: HISTORY_DEFAULT,
            tokens: None,
            requests_a_second: Some(REQUESTS_DEFAULT),
            audit: None,
            tls: None,
            service: None,
        }
    }
}

impl Checker<'_> {
    pub(super) fn serve(&mut self) -> Option<ServeSettings> {
        let listen = self.serve_listen();
        let partitions = self.partitions();
        let history = self.duration("serve.history", "400d", DAY, HISTORY_MAX);
        let directory = self.given_path("serve.directory");
        let tokens = self.given_path("serve.tokens");
        let requests_a_second = self.requests_a_second();
        let audit = self.given_path("serve.audit");
        let tls = self.tls();
        let service = self.service_address();
        Some(ServeSettings {
            listen: listen?,
            partitions: partitions?,
            directory,
            history: history?,
            tokens,
            requests_a_second: requests_a_second?,
            audit,
            tls: tls?,
            service: service?,
        })
    }

    fn serve_listen(&mut self) -> Option<SocketAddr> {
        match self.text("serve.listen") {
            Ok(None) => Some(ServeSettings::default().listen),
            Ok(Some(text)) => match text.parse() {
                Ok(listen) => Some(listen),
                Err(_) => self.bad("serve.listen", "an address with a port, such as 127.0.0.1:8081"),
            },
            Err(AlreadyReported) => None,
        }
    }

    /// `Some(None)`: there is none. A name is found when it is needed.
    fn service_address(&mut self) -> Option<Option<String>> {
        const KEY: &str = "serve.service";
        let text = self.text(KEY).ok()?;
        let is_good = |text: &str| {
            let parts = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
            let is_host = |host: &str| host.bytes().all(|byte| byte.is_ascii_graphic() && !b"/@?#\\".contains(&byte));
            parts.is_some_and(|(host, port)| is_host(host) && port.parse::<u16>().is_ok_and(|port| port > 0))
        };
        match text {
            None => Some(None),
            Some(text) if is_good(&text) => Some(Some(text)),
            Some(_) => {
                self.bad(KEY, "a host with a port, such as 127.0.0.1:8080: http.listen of a process of the service")
            }
        }
    }

    /// `Some(None)`: all.
    fn partitions(&mut self) -> Option<Option<BTreeSet<i32>>> {
        const KEY: &str = "serve.partitions";
        match self.text(KEY).ok()?.as_deref().map(str::trim) {
            None | Some("all") => Some(None),
            Some(text) => match text.split(',').map(range).collect::<Option<Vec<_>>>() {
                Some(ranges) => Some(Some(ranges.into_iter().flatten().collect())),
                None => self.bad(KEY, "numbers and ranges of partitions, such as \"0-3,7\", or \"all\""),
            },
        }
    }

    /// `Some(None)`: as many as one likes.
    fn requests_a_second(&mut self) -> Option<Option<u32>> {
        const KEY: &str = "serve.requests_a_second";
        match self.text(KEY).ok()?.as_deref() {
            None => Some(Some(REQUESTS_DEFAULT)),
            Some("off") => Some(None),
            Some(text) => match text.parse::<u32>() {
                Ok(requests) if (1..=REQUESTS_MAX).contains(&requests) => Some(Some(requests)),
                _ => self.bad(KEY, &format!("a whole number from 1 to {REQUESTS_MAX}, or \"off\"")),
            },
        }
    }

    /// A certificate has a key, and a key has a certificate. `Some(None)`: neither is given.
    fn tls(&mut self) -> Option<Option<TlsFiles>> {
        let (certificate, key) = (self.given_path("serve.certificate"), self.given_path("serve.key"));
        match (certificate, key) {
            (None, None) => Some(None),
            (Some(certificate), Some(key)) => Some(Some(TlsFiles { certificate, key })),
            (Some(_), None) => self.bad("serve.certificate", "serve.key with it: the file of its private key"),
            (None, Some(_)) => self.bad("serve.key", "serve.certificate with it: the file of its certificate"),
        }
    }
}

/// `3`, or `0-3` with both ends.
fn range(text: &str) -> Option<std::ops::RangeInclusive<i32>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse::<i32>().ok()?, last.trim().parse::<i32>().ok()?);
    (0 <= first && first <= last && last <= PARTITION_MAX).then_some(first..=last)
}
