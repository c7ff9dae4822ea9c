//! A real Apache Kafka broker for the tests: its jars through Maven, a throw-away folder, free ports, gone with the tests.
//!
//! The broker is a child process that the kernel kills when this process ends, however it ends (`PR_SET_PDEATHSIG`).
//! That signal follows the thread that started the child, so a thread that never returns starts it.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

const BOOT_TIME_MAX: Duration = Duration::from_secs(90);
const NEEDS: &str =
    "the Kafka tests need Java 17 or later, Maven and openssl: run deploy/setup.sh, or deploy/test.sh which does";
const JVM: [&str; 5] = [
    "-Xmx384m",
    "-Xms64m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
];

/// A running broker. Everybody may do everything through its plain listener.
pub struct Broker {
    folder: PathBuf,
    port: u16,
    /// The ports of its other listeners, in their order.
    pub ports: Vec<u16>,
    pid: u32,
}

/// A listener of a broker that clients reach through a proxy: they are told the proxy's port.
#[derive(Clone, Copy)]
pub struct Behind {
    pub port: u16,
    pub proxy_port: u16,
}

/// What a broker has beyond the plain one.
#[derive(Default)]
pub struct Extras {
    /// Names and protocols of more listeners.
    pub listeners: Vec<(&'static str, &'static str)>,
    /// Lines of server.properties.
    pub properties: Vec<String>,
    /// More arguments of `format`.
    pub format: Vec<String>,
    /// A listener behind a proxy.
    pub behind: Option<Behind>,
}

/// What clients can find brokers by.
pub trait Bootstrap {
    /// `host:port,host:port`.
    fn bootstrap(&self) -> String;
}

impl Bootstrap for Broker {
    fn bootstrap(&self) -> String {
        self.address()
    }
}

/// A broker's ports, and those of the controllers of its cluster: the first is that of node 1.
struct Seat<'a> {
    node: usize,
    port: u16,
    controllers: &'a [u16],
}

/// The one broker that the tests of this process share, started by the first that asks for it.
pub fn shared() -> &'static Broker {
    static SHARED: OnceLock<Broker> = OnceLock::new();
    SHARED.get_or_init(Broker::start)
}

impl Broker {
    /// A broker of its own, for a test that stops it.
    pub fn start() -> Broker {
        Broker::start_with(|_| Extras::default())
    }

    /// One with extras, which may put files into its folder.
    pub fn start_with(extras: impl FnMut(&Path) -> Extras) -> Broker {
        Broker::start_all(1, extras).pop().expect("one broker")
    }

    /// Brokers of one cluster, each a controller too. What they hold has as many copies as there are brokers.
    pub fn start_cluster(count: usize) -> Vec<Broker> {
        Broker::start_all(count, |_| Extras::default())
    }

    fn start_all(count: usize, mut extras: impl FnMut(&Path) -> Extras) -> Vec<Broker> {
        let root = root();
        sweep(&root.join("run"));
        let libs = jars(&root);
        let controllers: Vec<u16> = (0..count).map(|_| free_port()).collect();
        let brokers: Vec<Broker> = (1..=count)
            .map(|node| {
                static COUNT: AtomicU32 = AtomicU32::new(0);
                let name = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
                let folder = root.join("run").join(name);
                fs::create_dir_all(&folder).expect("a folder for the broker");
                let extras = extras(&folder);
                let ports: Vec<u16> = extras.listeners.iter().map(|_| free_port()).collect();
                let seat = Seat { node, port: free_port(), controllers: &controllers };
                let properties = properties(&folder, &seat, &extras, &ports);
                fs::write(folder.join("server.properties"), properties).expect("server.properties");
                format(&folder, &libs, &extras.format);
                let pid = boot(&folder, &libs);
                Broker { folder, port: seat.port, ports, pid }
            })
            .collect();
        brokers.iter().for_each(Broker::await_port);
        brokers
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where it keeps its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Kills the broker at once; its data stays.
    pub fn kill(&mut self) {
        signal(self.pid, libc::SIGKILL);
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts it again, on its ports and with its data.
    pub fn revive(&mut self) {
        self.pid = boot(&self.folder, &jars(&root()));
        self.await_port();
    }

    pub fn signal(&self, number: i32) {
        signal(self.pid, number);
    }

    fn await_port(&self) {
        let deadline = Instant::now() + BOOT_TIME_MAX;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "the broker does not answer\n{}", log());
            assert!(Path::new("/proc").join(self.pid.to_string()).exists(), "the broker ended\n{}", log());
            thread::sleep(Duration::from_millis(30));
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        signal(self.pid, libc::SIGKILL);
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub fn signal(pid: u32, signal: i32) {
    // SAFETY: kill(2) has no memory effects; the pid is that of a child that was not waited for by anybody else.
    unsafe { libc::kill(pid as libc::pid_t, signal) };
}

/// Has the kernel kill `command`'s process when the thread that starts it ends.
pub fn die_with_parent(command: &mut Command) {
    // SAFETY: prctl(2) is async-signal-safe and touches nothing of the parent.
    unsafe {
        command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        })
    };
}

/// `target/kafka`: jars, and the folders of running brokers.
fn root() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder").join("kafka")
}

/// The broker's jars, brought by Maven once.
fn jars(root: &Path) -> PathBuf {
    let libs = root.join("libs");
    let pom = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/kafka/pom.xml");
    let wanted = fs::read(&pom).expect("deploy/kafka/pom.xml");
    fs::create_dir_all(root).expect("target/kafka");
    let lock = fs::File::create(root.join("lock")).expect("a lock file");
    lock.lock().expect("the lock of target/kafka");
    let stamp = root.join("pom.xml");
    if fs::read(&stamp).is_ok_and(|had| had == wanted) {
        return libs;
    }
    let _ = fs::remove_dir_all(&libs);
    fs::create_dir_all(&libs).expect("a folder for the jars");
    let mut maven = Command::new("mvn");
    maven.args(["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-f"]).arg(&pom);
    maven.arg(format!("-DoutputDirectory={}", libs.display()));
    run("mvn", &mut maven);
    fs::write(stamp, wanted).expect("a stamp beside the jars");
    libs
}

pub fn run(name: &str, command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{name}: {error}; {NEEDS}"));
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    assert!(output.status.success(), "{name} failed; {NEEDS}\n{}", String::from_utf8_lossy(&text));
    output
}

fn java(libs: &Path, main: &str) -> Command {
    let mut java = Command::new("java");
    java.args(JVM).arg("-cp").arg(libs.join("*")).arg(main);
    java
}

fn format(folder: &Path, libs: &Path, more: &[String]) {
    let mut format = java(libs, "kafka.tools.StorageTool");
    format.args(["format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c"]).arg(folder.join("server.properties"));
    format.args(more);
    run("java", &mut format);
}

fn boot(folder: &Path, libs: &Path) -> u32 {
    let log = fs::File::create(folder.join("log")).expect("a log file");
    let mut command = java(libs, "kafka.Kafka");
    command.arg(folder.join("server.properties")).stdin(Stdio::null());
    command.stdout(log.try_clone().expect("a log file")).stderr(log);
    let pid = start_from_lasting_thread(command);
    fs::write(folder.join("pid"), pid.to_string()).expect("a pid file");
    pid
}

/// The thread lasts as long as the child, whose end it awaits.
fn start_from_lasting_thread(mut command: Command) -> u32 {
    die_with_parent(&mut command);
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let started = command.spawn().map(|mut child| {
            sender.send(Ok(child.id())).expect("somebody waits for the broker");
            child.wait()
        });
        if let Err(error) = started {
            sender.send(Err(error)).expect("somebody waits for the broker");
        }
    });
    receiver.recv().expect("a started broker").unwrap_or_else(|error| panic!("java: {error}; {NEEDS}"))
}

/// Ends brokers of test processes that are no more, and removes their folders.
fn sweep(run: &Path) {
    for entry in fs::read_dir(run).into_iter().flatten().flatten() {
        let folder = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.split('-').next().unwrap_or_default();
        if Path::new("/proc").join(owner).exists() {
            continue;
        }
        let pid = fs::read_to_string(folder.join("pid")).unwrap_or_default();
        let command = fs::read_to_string(Path::new("/proc").join(&pid).join("cmdline")).unwrap_or_default();
        if let Ok(pid) = pid.parse()
            && command.contains(&folder.display().to_string())
        {
            signal(pid, libc::SIGKILL);
        }
        let _ = fs::remove_dir_all(folder);
    }
}

/// A port that nobody listens on now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

fn properties(folder: &Path, seat: &Seat, extras: &Extras, ports: &[u16]) -> String {
    let (mut listeners, mut protocols) = (String::new(), String::new());
    for ((name, protocol), port) in extras.listeners.iter().zip(ports) {
        listeners += &format!(",{name}://127.0.0.1:{port}");
        protocols += &format!(",{name}:{protocol}");
    }
    let listener = extras.behind.map_or_else(String::new, |behind| format!(",PX://127.0.0.1:{}", behind.port));
    let advertised = extras.behind.map_or_else(String::new, |behind| format!(",PX://127.0.0.1:{}", behind.proxy_port));
    let Seat { node, port, controllers } = seat;
    let controller_port = controllers[node - 1];
    let voters: Vec<String> =
        controllers.iter().enumerate().map(|(index, port)| format!("{}@127.0.0.1:{port}", index + 1)).collect();
    let voters = voters.join(",");
    let copies = controllers.len();
    let in_sync_min = copies.div_ceil(2);
    // A broker that was killed can come back only when its session is over. With more of them on few cores a short one
    // would end without need.
    let session_ms = 2_000 + 1_000 * copies;
    format!(
        "process.roles=broker,controller\n\
         node.id={node}\n\
         controller.quorum.voters={voters}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}{listeners}{listener}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}{listeners}{advertised}\n\
         controller.listener.names=CONTROLLER\n\
         inter.broker.listener.name=PLAINTEXT\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PX:PLAINTEXT{protocols}\n\
         log.dirs={}\n\
         auto.create.topics.enable=false\n\
         default.replication.factor={copies}\n\
         min.insync.replicas={in_sync_min}\n\
         offsets.topic.replication.factor={copies}\n\
         offsets.topic.num.partitions=4\n\
         transaction.state.log.replication.factor={copies}\n\
         transaction.state.log.min.isr={in_sync_min}\n\
         transaction.state.log.num.partitions=4\n\
         transaction.abort.timed.out.transaction.cleanup.interval.ms=500\n\
         group.initial.rebalance.delay.ms=0\n\
         group.min.session.timeout.ms=1000\n\
         group.consumer.min.heartbeat.interval.ms=500\n\
         group.consumer.heartbeat.interval.ms=500\n\
         log.index.size.max.bytes=1048576\n\
         log.cleaner.dedupe.buffer.size=2097152\n\
         log.cleaner.backoff.ms=500\n\
         broker.session.timeout.ms={session_ms}\n\
         broker.heartbeat.interval.ms=200\n\
         {}\n",
        folder.join("data").display(),
        extras.properties.join("\n")
    )
}
