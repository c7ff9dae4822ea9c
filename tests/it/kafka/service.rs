//! `tagstream` as a child process: its folder, its log, its signals and its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::broker::{Broker, die_with_parent, signal};

const PATIENCE: Duration = Duration::from_secs(60);

/// Names of one test's own topics and application, and the settings that say them.
pub struct Setup {
    pub folder: PathBuf,
    pub application: String,
    settings: Vec<String>,
}

impl Setup {
    /// `name` must be the test's own: it is the application and the prefix of all topics.
    pub fn new(name: &str, brokers: &str, catalog: &str) -> Setup {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("catalog.yaml"), catalog).expect("a catalog");
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
        Setup { folder, application: name.to_owned(), settings: settings.to_vec() }
    }

    pub fn on(name: &str, broker: &Broker, catalog: &str) -> Setup {
        Setup::new(name, &broker.address(), catalog)
    }

    /// A setting, over those before.
    pub fn with(mut self, setting: &str) -> Setup {
        self.settings.push(setting.to_owned());
        self
    }

    pub fn topic(&self, name: &str) -> String {
        format!("{}-{name}", self.application)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tagstream"));
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null()).env_remove("TAGSTREAM_LOG");
        self.settings.iter().for_each(|setting| {
            command.args(["-s", setting]);
        });
        die_with_parent(&mut command);
        command
    }

    pub fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("tagstream")
    }

    /// Creates the topics with tagstream's own command.
    pub fn create_topics(&self, partitions: u32) {
        let output = self.output(&["topics", "create", "--input-partitions", &partitions.to_string()]);
        assert!(output.status.success(), "{}", text(&output));
    }

    pub fn start(&self) -> Service {
        self.start_with_log(&self.folder.join("log"))
    }

    pub fn start_with_log(&self, log: &Path) -> Service {
        spawn(self.command(&["run"]), log)
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
