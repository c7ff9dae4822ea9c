//! From settings as written to settings as used: every key known, every value of its type and within its bounds.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use config::ValueKind;

use crate::codec::ChangeFormat;

use super::keys::{KEYS, nearest};
use super::layers::{PROPERTIES, RawEntry, RawSettings};
use super::problem::{Fault, Origin, Problems};
use super::{
    Delivery, GroupProtocol, HttpSettings, InputSettings, Instance, KafkaSettings, MaxChange, OutputSettings,
    PartitionedBy, Properties, ScoringSettings, ServiceSettings, Settings, Start, StateSettings, duration,
};

/// More workers than any machine can use: a typing error.
const WORKERS_MAX: usize = 256;
/// Kafka's own limit for a topic's name is 249; the suffixes behind the application's name need some of it.
const NAME_BYTES_MAX: usize = 200;
const COMMIT_INTERVAL_MAX: Duration = Duration::from_secs(60);
const IDLE_GRACE_MAX: Duration = Duration::from_secs(86_400);
const SNAPSHOT_INTERVAL_MIN: Duration = Duration::from_secs(1);
const SNAPSHOT_INTERVAL_MAX: Duration = Duration::from_secs(86_400);
/// More memory than any machine has: a typing error.
const WAITING_MB_MAX: usize = 1 << 20;
const WATCH_MIN: Duration = Duration::from_secs(1);
const WATCH_MAX: Duration = Duration::from_secs(3_600);
const OUTAGE_AFTER_MIN: Duration = Duration::from_secs(1);

/// Checks everything. `None`, or problems, where something is wrong.
pub(crate) fn check(raw: RawSettings, problems: &mut Problems) -> Option<Settings> {
    let mut checker = Checker { raw, problems };
    let properties = checker.properties();
    checker.check_unknown_keys();
    let kafka = checker.kafka(properties);
    let input = checker.input();
    let output = checker.output();
    let service = checker.service();
    let state = checker.state();
    let http = checker.http();
    let catalog = checker.path("catalog");
    let scoring = checker.scoring();
    let serve = checker.serve();
    let push = checker.push();
    let settings = Settings {
        catalog,
        kafka: kafka?,
        input: input?,
        output: output?,
        service: service?,
        state: state?,
        http: http?,
        serve: serve?,
        push: push?,
        scoring,
    };
    checker.check_topics_differ(&settings);
    checker.check_groups_differ(&settings);
    Some(settings)
}

pub(super) struct Checker<'a> {
    pub(super) raw: RawSettings,
    pub(super) problems: &'a mut Problems,
}

impl Checker<'_> {
    fn properties(&mut self) -> Properties {
        let (ours, rest) = std::mem::take(&mut self.raw).into_iter().partition(|(key, _)| key.starts_with(PROPERTIES));
        let ours: RawSettings = ours;
        self.raw = rest;
        let mut properties = Properties::default();
        for (key, entry) in ours {
            let name = key[PROPERTIES.len()..].to_owned();
            match scalar(&entry.value) {
                Some(text) => properties.insert(name, text, entry.origin),
                None => self.bad_value(&key, &entry, "a string, a number or a bool"),
            }
        }
        properties
    }

    fn check_unknown_keys(&mut self) {
        let unknown: Vec<(String, Origin)> = self
            .raw
            .iter()
            .filter(|(key, _)| !KEYS.contains(&key.as_str()))
            .map(|(key, entry)| (key.clone(), entry.origin.clone()))
            .collect();
        for (key, origin) in unknown {
            let fault = Fault::Unknown { nearest: nearest(&key) };
            self.problems.push(key, Some(origin), fault);
        }
    }

    fn kafka(&mut self, properties: Properties) -> Option<KafkaSettings> {
        let example = "such as kafka-1:9092,kafka-2:9092";
        let brokers = match self.text("kafka.brokers") {
            Ok(None) => {
                self.problems.push(
                    "kafka.brokers",
                    None,
                    Fault::Missing { example: "give it a list such as \"kafka-1:9092,kafka-2:9092\"" },
                );
                None
            }
            Ok(Some(text)) if text.split(',').all(|broker| is_broker(broker.trim())) => Some(text),
            Ok(Some(_)) => self.bad("kafka.brokers", &format!("hosts with ports, {example}")),
            Err(AlreadyReported) => None,
        };
        let application = self.name("kafka.application", "tagstream");
        let protocols = [("classic", GroupProtocol::Classic), ("consumer", GroupProtocol::Consumer)];
        let group_protocol = self.choice("kafka.group_protocol", &protocols);
        Some(KafkaSettings {
            brokers: brokers?,
            application: application?,
            group_protocol: group_protocol?,
            properties,
        })
    }

    fn input(&mut self) -> Option<InputSettings> {
        let topics = self.topics();
        let start = self.choice("input.start", &[("earliest", Start::Earliest), ("latest", Start::Latest)]);
        let choices = [("user", PartitionedBy::User), ("none", PartitionedBy::None)];
        let partitioned_by = self.choice("input.partitioned_by", &choices);
        let format = self.input_format();
        Some(InputSettings { topics: topics?, start: start?, partitioned_by: partitioned_by?, format: format? })
    }

    fn topics(&mut self) -> Option<Vec<String>> {
        let topics = match self.raw.get("input.topics").map(|entry| &entry.value) {
            None => vec!["events".to_owned()],
            Some(ValueKind::Array(items)) => items.iter().filter_map(|item| scalar(&item.kind)).collect(),
            Some(ValueKind::String(text)) => listed(text),
            Some(_) => Vec::new(),
        };
        let is_list = !topics.is_empty() && topics.iter().all(|topic| is_name(topic));
        let repeats = (1..topics.len()).any(|index| topics[..index].contains(&topics[index]));
        match (is_list, repeats) {
            (true, false) => Some(topics),
            (true, true) => self.bad("input.topics", "each topic once"),
            (false, _) => self.bad(
                "input.topics",
                "a list with names of topics, such as [\"events\"], or events,orders in a variable and with -s",
            ),
        }
    }

    fn output(&mut self) -> Option<OutputSettings> {
        let changes = self.name("output.changes", "tag-changes");
        let tags = match self.text("output.tags") {
            Ok(Some(text)) if text.is_empty() => Some(None),
            _ => self.name("output.tags", "tags").map(Some),
        };
        let format = self.change_format("output.format");
        Some(OutputSettings { changes: changes?, format: format?, tags: tags? })
    }

    pub(super) fn change_format(&mut self, key: &str) -> Option<ChangeFormat> {
        self.choice(key, &ChangeFormat::ALL.map(|format| (format.name(), format)))
    }

    fn service(&mut self) -> Option<ServiceSettings> {
        let instance = self.instance();
        let workers = self.workers();
        let commit_interval =
            self.duration("service.commit_interval", "100ms", Duration::from_millis(1), COMMIT_INTERVAL_MAX);
        let deliveries = [("exactly_once", Delivery::ExactlyOnce), ("at_least_once", Delivery::AtLeastOnce)];
        let delivery = self.choice("service.delivery", &deliveries);
        let idle_grace = self.duration_or_off("service.idle_grace", "5s", Duration::ZERO, IDLE_GRACE_MAX);
        let outage_after = self.duration_or_off("service.outage_after", "1h", OUTAGE_AFTER_MIN, Duration::MAX);
        let max_change = self.max_change();
        let max_waiting_bytes = self.max_waiting_bytes();
        let watch_catalog = self.duration_or_off("service.watch_catalog", "off", WATCH_MIN, WATCH_MAX);
        Some(ServiceSettings {
            instance: instance?,
            workers: workers?,
            commit_interval: commit_interval?,
            delivery: delivery?,
            idle_grace: idle_grace?,
            outage_after: outage_after?,
            max_change: max_change?,
            max_waiting_bytes: max_waiting_bytes?,
            watch_catalog: watch_catalog?,
        })
    }

    fn max_change(&mut self) -> Option<MaxChange> {
        const KEY: &str = "service.max_change";
        const DEFAULT: f64 = 0.2;
        let Some(text) = self.text(KEY).ok()? else { return Some(MaxChange::Share(DEFAULT)) };
        let number = |text: &str| text.trim().parse::<f64>().ok();
        let share = match text.strip_suffix('%') {
            Some(percent) => number(percent).map(|percent| percent / 100.0),
            None => number(&text),
        };
        match share {
            _ if text == "off" => Some(MaxChange::Off),
            Some(share) if (0.0..=1.0).contains(&share) => Some(MaxChange::Share(share)),
            _ => self.bad(KEY, "a share such as \"20%\", from 0% to 100%, or \"off\""),
        }
    }

    fn workers(&mut self) -> Option<NonZeroUsize> {
        match self.text("service.workers") {
            Ok(None) => Some(std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)),
            Ok(Some(text)) => match text.parse::<NonZeroUsize>() {
                Ok(workers) if workers.get() <= WORKERS_MAX => Some(workers),
                _ => self.bad("service.workers", &format!("a whole number from 1 to {WORKERS_MAX}")),
            },
            Err(AlreadyReported) => None,
        }
    }

    fn max_waiting_bytes(&mut self) -> Option<usize> {
        self.whole_number("service.max_waiting_mb", 256, WAITING_MB_MAX).map(|mb| mb << 20)
    }

    /// A number from 1 to `max`.
    pub(super) fn whole_number(&mut self, key: &str, default: usize, max: usize) -> Option<usize> {
        let Some(text) = self.text(key).ok()? else { return Some(default) };
        match text.parse::<usize>() {
            Ok(number) if (1..=max).contains(&number) => Some(number),
            _ => self.bad(key, &format!("a whole number from 1 to {max}")),
        }
    }

    /// `Some(None)`: no snapshots.
    fn state(&mut self) -> Option<Option<StateSettings>> {
        let (least, most) = (SNAPSHOT_INTERVAL_MIN, SNAPSHOT_INTERVAL_MAX);
        let snapshot_interval = self.duration("state.snapshot_interval", "10m", least, most)?;
        match self.text("state.directory") {
            Ok(Some(text)) if !text.is_empty() => {
                let directory = self.path("state.directory")?;
                Some(Some(StateSettings { directory, snapshot_interval }))
            }
            Ok(_) => Some(None),
            Err(AlreadyReported) => None,
        }
    }

    /// An empty name is none.
    fn instance(&mut self) -> Option<Instance> {
        const KEY: &str = "service.instance";
        if self.text(KEY).ok()?.is_some_and(|text| !text.is_empty()) {
            return self.name(KEY, "").map(Instance::Named);
        }
        Some(Instance::Generated(format!("{}-{:08x}", host_name(), fastrand::u32(..))))
    }

    fn http(&mut self) -> Option<HttpSettings> {
        let listen = self.listen_or_off("http.listen", SocketAddr::from((Ipv4Addr::LOCALHOST, 8_080)))?;
        Some(HttpSettings { listen })
    }

    /// `Some(None)`: there is no server.
    pub(super) fn listen_or_off(&mut self, key: &str, default: SocketAddr) -> Option<Option<SocketAddr>> {
        match self.text(key).ok()?.as_deref() {
            None => Some(Some(default)),
            Some("off") => Some(None),
            Some(text) => match text.parse() {
                Ok(listen) => Some(Some(listen)),
                Err(_) => self.bad(key, &format!("an address with a port, such as {default}, or \"off\"")),
            },
        }
    }

    /// An address has a user. What stands before the host may be a password, which is not printed.
    pub(super) fn user_in_address<T>(&mut self, key: &str, credentials: &str) -> Option<T> {
        let words = format!("an address has no user and no password: they stand in the file {credentials}");
        let origin = self.origin(key);
        self.problems.push(key, origin, Fault::Other(words));
        None
    }

    /// A path: one in the file is taken from the file's folder, others from where the process was started.
    pub(super) fn path(&mut self, key: &str) -> Option<PathBuf> {
        let text = self.text(key).ok()??;
        let folder = match &self.raw[key].origin {
            Origin::File(file) => file.parent().map(PathBuf::from).unwrap_or_default(),
            _ => PathBuf::new(),
        };
        Some(folder.join(text))
    }

    /// An empty path counts as not given.
    pub(super) fn given_path(&mut self, key: &str) -> Option<PathBuf> {
        let is_given = self.text(key).is_ok_and(|text| text.is_some_and(|text| !text.is_empty()));
        if is_given { self.path(key) } else { None }
    }

    fn scoring(&mut self) -> ScoringSettings {
        ScoringSettings { library: self.given_path("scoring.library") }
    }

    fn check_topics_differ(&mut self, settings: &Settings) {
        let mut taken =
            vec![settings.dead_letter_topic(), settings.changelog_topic(), settings.push_dead_letter_topic()];
        taken.extend([settings.by_topic("user"), settings.by_changelog_topic("user")]);
        if settings.input.topics.iter().any(|topic| taken.contains(topic)) {
            let origin = self.origin("input.topics");
            let fault = Fault::Other("one of them is already used for something else".to_owned());
            self.problems.push("input.topics", origin, fault);
        }
        taken.extend(settings.input.topics.iter().cloned());
        let outputs =
            [("output.changes", Some(&settings.output.changes)), ("output.tags", settings.output.tags.as_ref())];
        for (key, topic) in outputs {
            let Some(topic) = topic else { continue };
            if taken.contains(topic) {
                let origin = self.origin(key);
                self.problems.push(
                    key,
                    origin,
                    Fault::Other(format!("\"{topic}\" is already used for something else")),
                );
            }
            taken.push(topic.clone());
        }
    }

    fn check_groups_differ(&mut self, settings: &Settings) {
        if settings.push_group() == settings.kafka.application {
            let fault =
                Fault::Other("this is the group of the workers (kafka.application); give it another name".to_owned());
            self.problems.push("push.group", self.origin("push.group"), fault);
        }
    }

    fn origin(&self, key: &str) -> Option<Origin> {
        self.raw.get(key).map(|entry| entry.origin.clone())
    }

    /// The value as text; `None` where it is not given.
    pub(super) fn text(&mut self, key: &str) -> Result<Option<String>, AlreadyReported> {
        let Some(entry) = self.raw.get(key) else { return Ok(None) };
        if let Some(text) = scalar(&entry.value) {
            return Ok(Some(text));
        }
        let entry = entry.clone();
        self.bad_value(key, &entry, "a single value");
        Err(AlreadyReported)
    }

    pub(super) fn name(&mut self, key: &str, default: &str) -> Option<String> {
        match self.text(key) {
            Ok(None) => Some(default.to_owned()),
            Ok(Some(text)) if is_name(&text) => Some(text),
            Ok(Some(_)) => {
                self.bad(key, &format!("1 to {NAME_BYTES_MAX} letters, digits, dots, dashes and underscores"))
            }
            Err(AlreadyReported) => None,
        }
    }

    pub(super) fn duration(&mut self, key: &str, default: &str, min: Duration, max: Duration) -> Option<Duration> {
        self.bounded_duration(key, default, (min, max), "")
    }

    /// `Some(None)`: off.
    pub(super) fn duration_or_off(
        &mut self,
        key: &str,
        default: &str,
        min: Duration,
        max: Duration,
    ) -> Option<Option<Duration>> {
        match self.text(key) {
            Ok(Some(text)) if text == "off" => Some(None),
            Ok(None) if default == "off" => Some(None),
            _ => self.bounded_duration(key, default, (min, max), ", or \"off\"").map(Some),
        }
    }

    fn bounded_duration(
        &mut self,
        key: &str,
        default: &str,
        (min, max): (Duration, Duration),
        otherwise: &str,
    ) -> Option<Duration> {
        let text = self.text(key).ok()?.unwrap_or_else(|| default.to_owned());
        if let Some(length) = duration::parse(&text).filter(|length| (min..=max).contains(length)) {
            return Some(length);
        }
        let bounds = match max {
            Duration::MAX => format!("at least {}", duration::display(min)),
            max => format!("from {} to {}", duration::display(min), duration::display(max)),
        };
        let example = if default == "off" { "10s" } else { default };
        self.bad(key, &format!("a duration with its unit, such as \"{example}\", {bounds}{otherwise}"))
    }

    /// One of a few words, the first of which is the default.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let Some(text) = self.text(key).ok()? else { return Some(choices[0].1) };
        if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == text) {
            return Some(*choice);
        }
        let words: Vec<String> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        self.bad(key, &words.join(" or "))
    }

    pub(super) fn bad<T>(&mut self, key: &str, expected: &str) -> Option<T> {
        let default = RawEntry { value: ValueKind::Nil, origin: Origin::Default };
        let entry = self.raw.get(key).unwrap_or(&default).clone();
        self.bad_value(key, &entry, expected);
        None
    }

    fn bad_value(&mut self, key: &str, entry: &RawEntry, expected: &str) {
        let found = if key.starts_with(PROPERTIES) { "another type".to_owned() } else { display(&entry.value) };
        self.problems.push(key, Some(entry.origin.clone()), Fault::Bad { found, expected: expected.to_owned() });
    }
}

/// The problem is already in the list.
pub(super) struct AlreadyReported;

fn scalar(value: &ValueKind) -> Option<String> {
    match value {
        ValueKind::String(text) => Some(text.clone()),
        ValueKind::I64(number) => Some(number.to_string()),
        ValueKind::Float(number) => Some(number.to_string()),
        ValueKind::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// The items of a list in a variable or a flag: `a,b`, or written as in the file.
fn listed(text: &str) -> Vec<String> {
    let text = text.trim();
    let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    inside.split(',').map(|item| item.trim().trim_matches(['"', '\'']).to_owned()).collect()
}

fn display(value: &ValueKind) -> String {
    match value {
        ValueKind::String(text) => format!("\"{text}\""),
        ValueKind::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| display(&item.kind)).collect();
            format!("[{}]", items.join(", "))
        }
        other => scalar(other).unwrap_or_else(|| "nothing".to_owned()),
    }
}

fn is_name(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !text.is_empty() && text.len() <= NAME_BYTES_MAX && text != "." && text != ".." && text.bytes().all(legal)
}

fn is_broker(text: &str) -> bool {
    let address = text.split_once("://").map_or(text, |(_, address)| address);
    match address.rsplit_once(':') {
        Some((host, port)) => !host.is_empty() && port.parse::<u16>().is_ok(),
        None => !address.is_empty(),
    }
}

/// The host's name, which is the same after a restart.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if is_name(name) { name.to_owned() } else { "host".to_owned() }
}
