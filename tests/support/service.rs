//! `tagstream` as a child process: its folder, its log, its signals and its end.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tagstream::settings::{self, ConfigFile, Settings, Sources};

use super::process::{die_with_parent, signal};

const PATIENCE: Duration = Duration::from_secs(60);
const HTTP_LISTENS: &str = "metrics and probes at http://";

/// What clients can find brokers by.
pub trait Bootstrap {
    /// `host:port,host:port`.
    fn bootstrap(&self) -> String;
}

/// Names of one test's own topics and application, and the settings that say them.
pub struct Setup {
    pub folder: PathBuf,
    pub application: String,
    settings: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Setup {
    /// `name` must be the test's own: it is the application and the prefix of all topics.
    pub fn new(name: &str, brokers: &str, catalog: &str) -> Setup {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let settings = [
            format!("kafka.brokers={brokers}"),
            format!("kafka.application={name}"),
            format!("input.topics={name}-events"),
            format!("output.changes={name}-changes"),
            format!("output.tags={name}-tags"),
            "catalog=catalog.yaml".to_owned(),
            "service.instance=one".to_owned(),
            "service.workers=1".to_owned(),
            "http.listen=off".to_owned(),
        ];
        let setup =
            Setup { folder, application: name.to_owned(), settings: settings.to_vec(), environment: Vec::new() };
        setup.edit(catalog);
        setup
    }

    /// Writes the catalog's file.
    pub fn edit(&self, catalog: &str) {
        fs::write(self.folder.join("catalog.yaml"), catalog).expect("the file can be written");
    }

    pub fn on(name: &str, broker: &impl Bootstrap, catalog: &str) -> Setup {
        Setup::new(name, &broker.bootstrap(), catalog)
    }

    /// A setting, over those before.
    pub fn with(mut self, setting: &str) -> Setup {
        self.settings.push(setting.to_owned());
        self
    }

    /// A variable of the environment of its processes.
    pub fn with_variable(mut self, name: &str, value: &str) -> Setup {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn topic(&self, name: &str) -> String {
        format!("{}-{name}", self.application)
    }

    /// The snapshot of a partition, where `state.directory` is `state`.
    pub fn snapshot(&self, partition: usize) -> PathBuf {
        self.folder.join(format!("state/{}/{partition}.snapshot", self.application))
    }

    /// What its processes read of them.
    pub fn settings(&self) -> Settings {
        let sources = Sources {
            file: ConfigFile::Default(self.folder.join("tagstream.toml")),
            environment: self.environment.clone(),
            flags: self.settings.clone(),
        };
        settings::load(&sources).unwrap_or_else(|problems| panic!("{problems}"))
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_tagstream")), arguments)
    }

    /// The same of another build of tagstream.
    pub fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null()).env_remove("TAGSTREAM_LOG");
        self.settings.iter().for_each(|setting| {
            command.args(["-s", setting]);
        });
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        die_with_parent(&mut command);
        command
    }

    pub fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("tagstream")
    }

    /// Creates the topics with tagstream's own command.
    pub fn create_topics(&self, partitions: u32) {
        self.create_copied_topics(partitions, 1);
    }

    /// The same, with `copies` of each partition.
    pub fn create_copied_topics(&self, partitions: u32, copies: u32) {
        let (partitions, copies) = (partitions.to_string(), copies.to_string());
        let arguments = ["topics", "create", "--input-partitions", &partitions, "--replication-factor", &copies];
        let deadline = Instant::now() + PATIENCE;
        loop {
            let output = self.output(&arguments);
            if output.status.success() {
                return;
            }
            // On a busy machine a broker may be late with its heartbeat, and does not count then.
            let is_late = text(&output).contains("InvalidReplicationFactor") && Instant::now() < deadline;
            assert!(is_late, "{}", text(&output));
        }
    }

    pub fn start(&self) -> Service {
        self.start_with_log(&self.folder.join("log"))
    }

    pub fn start_with_log(&self, log: &Path) -> Service {
        spawn(self.command(&["run"]), log)
    }

    /// Starts it under another name of an instance, with a log of its own.
    pub fn start_as(&self, instance: &str) -> Service {
        let mut command = self.command(&["run"]);
        command.args(["-s", &format!("service.instance={instance}")]);
        spawn(command, &self.folder.join(format!("log-{instance}")))
    }

    pub fn start_command(&self, command: Command) -> Service {
        spawn(command, &self.folder.join("log"))
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

fn spawn(mut command: Command, log: &Path) -> Service {
    let file = fs::OpenOptions::new().create(true).append(true).open(log).expect("a log file");
    let from = fs::metadata(log).map_or(0, |data| data.len() as usize);
    let child = command.stderr(file).stdout(Stdio::null()).spawn().expect("tagstream run");
    Service { child, log: log.to_owned(), from }
}

pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A running `tagstream run`.
pub struct Service {
    child: Child,
    log: PathBuf,
    /// Where this process's lines begin in the log.
    from: usize,
}

impl Service {
    pub fn log(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&log[self.from.min(log.len())..]).into_owned()
    }

    /// Where its pages are.
    pub fn http_address(&mut self) -> SocketAddr {
        self.says(HTTP_LISTENS);
        let log = self.log();
        let (_, after) = log.split_once(HTTP_LISTENS).expect("the log says so");
        let end = after.find(['"', '\n', '\u{1b}']).expect("an end");
        after[..end].parse().expect("an address")
    }

    /// Waits until the log says something.
    pub fn says(&mut self, words: &str) {
        self.until(&format!("the log to say {words:?}"), |service| service.log().contains(words));
    }

    /// Waits until something is so.
    pub fn until(&mut self, what: &str, mut so: impl FnMut(&Service) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !so(self) {
            let ended = self.child.try_wait().expect("a status");
            assert!(ended.is_none(), "waiting for {what}: the service ended with {ended:?}\n{}", self.log());
            assert!(Instant::now() < deadline, "waiting for {what}\n{}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn signal(&self, number: i32) {
        signal(self.child.id(), number);
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a status").is_none()
    }

    /// A figure of the process in bytes, such as `VmHWM`, the most memory that it has held.
    pub fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a status");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("such a figure");
        let kb: u64 = line.trim_matches(|c: char| !c.is_ascii_digit()).parse().expect("a number");
        kb << 10
    }

    /// Waits for the end of the process.
    pub fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a status") {
                return status;
            }
            assert!(Instant::now() < deadline, "the service does not end\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as an operator does, and checks that all went well.
    pub fn stop(mut self) -> String {
        self.signal(libc::SIGTERM);
        let status = self.ended();
        assert_eq!(status.code(), Some(0), "{status}\n{}", self.log());
        self.log()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
