//! The settings of `tagstream push`: where changes are posted, how they are signed, and how long a request is repeated.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;
use std::time::Duration;

use crate::codec::ChangeFormat;

use super::Start;
use super::check::{AlreadyReported, Checker};

const BATCH_DEFAULT: usize = 100;
/// Larger requests take receivers longer than they save on the way.
const BATCH_MAX: usize = 10_000;
const TIMEOUT_MIN: Duration = Duration::from_millis(100);
/// A rebalance and a stop wait for the request that is under way.
const TIMEOUT_MAX: Duration = Duration::from_secs(60);
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);
const GIVE_UP_DEFAULT: Duration = Duration::from_secs(86_400);
const LISTEN_DEFAULT: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8_082));
const GIVE_UP_MIN: Duration = Duration::from_secs(1);

/// What `tagstream push` needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushSettings {
    /// `None`: nothing is posted, and `tagstream push` does not start.
    pub url: Option<String>,
    pub signing: Signing,
    /// A file with `user:password` or a token in one line; `None`: requests have no `Authorization`.
    pub credentials: Option<PathBuf>,
    /// The certificates to trust, in PEM format; `None`: the system's.
    pub ca: Option<PathBuf>,
    /// The consumer group; `None`: `<application>-push`.
    pub group: Option<String>,
    pub start: Start,
    pub format: ChangeFormat,
    /// At most this many changes a request.
    pub batch: usize,
    /// How long one request may take.
    pub timeout: Duration,
    /// How long a batch is sent again before it goes to the dead letters; `None`: for ever.
    pub give_up_after: Option<Duration>,
    /// The address of metrics and probes; `None`: there is no server.
    pub listen: Option<SocketAddr>,
}

impl Default for PushSettings {
    fn default() -> Self {
        PushSettings {
            url: None,
            signing: Signing::Undecided,
            credentials: None,
            ca: None,
            group: None,
            start: Start::Earliest,
            format: ChangeFormat::default(),
            batch: BATCH_DEFAULT,
            timeout: TIMEOUT_DEFAULT,
            give_up_after: Some(GIVE_UP_DEFAULT),
            listen: Some(LISTEN_DEFAULT),
        }
    }
}

/// Whether requests are signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signing {
    /// `push.secret` is not given.
    Undecided,
    /// The operator wants no signature.
    Off,
    /// With the secrets of this file.
    With(PathBuf),
}

impl Checker<'_> {
    pub(super) fn push(&mut self) -> Option<PushSettings> {
        let url = self.push_url();
        let signing = self.signing();
        let (credentials, ca) = (self.given_path("push.credentials"), self.given_path("push.ca"));
        let group = match self.text("push.group") {
            Ok(None) => Some(None),
            _ => self.name("push.group", "").map(Some),
        };
        let start = self.choice("push.start", &[("earliest", Start::Earliest), ("latest", Start::Latest)]);
        let format = self.change_format("push.format");
        let batch = self.whole_number("push.batch", BATCH_DEFAULT, BATCH_MAX);
        let timeout = self.duration("push.timeout", "10s", TIMEOUT_MIN, TIMEOUT_MAX);
        let give_up_after = self.duration_or_off("push.give_up_after", "24h", GIVE_UP_MIN, Duration::MAX);
        let listen = self.listen_or_off("push.listen", LISTEN_DEFAULT);
        Some(PushSettings {
            url: url?,
            signing: signing?,
            credentials,
            ca,
            group: group?,
            start: start?,
            format: format?,
            batch: batch?,
            timeout: timeout?,
            give_up_after: give_up_after?,
            listen: listen?,
        })
    }

    /// `Some(None)`: not given.
    fn push_url(&mut self) -> Option<Option<String>> {
        const KEY: &str = "push.url";
        let text = match self.text(KEY) {
            Ok(None) => return Some(None),
            Ok(Some(text)) => text.trim().to_owned(),
            Err(AlreadyReported) => return None,
        };
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let host = rest.map(|rest| rest.split(['/', '?']).next().unwrap_or_default());
        match host {
            Some(host) if host.contains('@') => self.user_in_address(KEY, "push.credentials"),
            Some(host) if !host.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) => Some(Some(text)),
            _ => self.bad(KEY, "the address of a receiver, such as https://hooks.example.com/tags"),
        }
    }

    fn signing(&mut self) -> Option<Signing> {
        match self.text("push.secret").ok()?.as_deref() {
            None | Some("") => Some(Signing::Undecided),
            Some("off") => Some(Signing::Off),
            Some(_) => self.path("push.secret").map(Signing::With),
        }
    }
}
