//! A proxy before a broker that knows requests by their kind and does to them what a bad network does.
//!
//! ```text
//!   client ──▶ proxy ──▶ listener PX of the broker, which tells clients that it is the proxy
//! ```
//! A request is known by its client's id and its API key. What is to become of requests is said by rules, each good for
//! one request: the oldest rule for a kind takes the next of it.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use super::broker::{Behind, Broker, Extras, free_port};

/// The kinds of requests that rules are for; the numbers are Kafka's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    Produce = 0,
    EndTxn = 26,
    TxnOffsetCommit = 28,
}

/// What is to become of a request.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// It is passed on after so long. What is behind it on its connection waits, too.
    Delay(Duration),
    /// Its connection breaks, and it reaches the broker later, alone: right before the n-th request of this kind that
    /// the client sends then.
    Late(Api, usize),
    /// The broker obeys it, and the client does not hear of it.
    LoseAnswer,
    /// For so long nothing passes between the client and the broker any more, this request included.
    CutOff(Duration),
    /// The same, but this request still reaches the broker.
    CutOffBehind(Duration),
}

/// The error code of an answer; 0: none.
pub type Code = i16;

/// What has become of a request that a rule took.
pub struct Taken(Receiver<Code>);

impl Taken {
    /// Waits for what the broker said to it, where that did not reach the client.
    pub fn answer(&self) -> Code {
        const PATIENCE: Duration = Duration::from_secs(60);
        self.0.recv_timeout(PATIENCE).expect("no such request, or no answer to it")
    }

    /// Whether it has come by, where the rule keeps no answer.
    pub fn is_over(&self) -> bool {
        self.0.try_recv() == Err(mpsc::TryRecvError::Disconnected)
    }
}

struct Rule {
    client: String,
    api: Api,
    act: Act,
    answer: Sender<Code>,
}

/// A request whose connection broke, on its way.
struct Late {
    request: Request,
    before: Api,
    count: usize,
    answer: Sender<Code>,
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    late: Vec<Late>,
    /// Until when a client is cut off.
    dark: HashMap<String, Instant>,
}

/// The proxy; a copy is the same one.
#[derive(Clone)]
pub struct Proxy {
    behind: Behind,
    state: Arc<Mutex<State>>,
}

/// A broker behind a proxy, shared by the tests of this process.
pub fn shared() -> (&'static Broker, &'static Proxy) {
    static SHARED: OnceLock<(Broker, Proxy)> = OnceLock::new();
    let (broker, proxy) = SHARED.get_or_init(|| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let proxy_port = listener.local_addr().expect("an address").port();
        let behind = Behind { port: free_port(), proxy_port };
        let proxy = Proxy { behind, state: Arc::default() };
        let serving = proxy.clone();
        thread::spawn(move || listener.incoming().flatten().for_each(|client| serving.join(client)));
        (Broker::start_with(|_| Extras { behind: Some(behind), ..Extras::default() }), proxy)
    });
    (broker, proxy)
}

impl Proxy {
    /// `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.behind.proxy_port)
    }

    /// Says what is to become of a request of a client.
    pub fn rule(&self, client: &str, api: Api, act: Act) -> Taken {
        let (answer, answers) = mpsc::channel();
        self.state().rules.push(Rule { client: client.to_owned(), api, act, answer });
        Taken(answers)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the proxy's state")
    }

    fn broker(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.behind.port))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Joins a client to the broker, with a thread for each direction.
    fn join(&self, client: TcpStream) {
        let Ok(broker) = self.broker() else { return };
        let _ = client.set_nodelay(true);
        let line = Arc::new(Line { client, broker, name: OnceLock::new(), lost: Mutex::default() });
        let (up, down) = (self.clone(), self.clone());
        let up_line = Arc::clone(&line);
        thread::spawn(move || {
            let _ = up.requests(&up_line);
            up_line.cut();
        });
        thread::spawn(move || {
            let _ = down.answers(&line);
            line.cut();
        });
    }

    fn requests(&self, line: &Line) -> io::Result<()> {
        loop {
            let request = Request { frame: read_frame(&line.client)? };
            let name = line.name.get_or_init(|| request.client());
            self.await_light(name);
            for late in self.due(name, request.api()) {
                let _ = late.answer.send(self.deliver(&late.request)?);
            }
            match self.take(name, request.api()) {
                None => {}
                Some(Rule { act: Act::Delay(time), .. }) => thread::sleep(time),
                Some(Rule { act: Act::Late(before, count), answer, .. }) => {
                    self.state().late.push(Late { request, before, count, answer });
                    return Ok(());
                }
                Some(Rule { act: Act::LoseAnswer, answer, .. }) => {
                    line.lost.lock().expect("a line").insert(request.correlation(), (request.clone(), answer));
                }
                Some(Rule { act: Act::CutOff(time), .. }) => {
                    self.darken(name, time);
                    self.await_light(name);
                }
                Some(Rule { act: Act::CutOffBehind(time), .. }) => self.darken(name, time),
            }
            (&line.broker).write_all(&request.frame)?;
        }
    }

    fn answers(&self, line: &Line) -> io::Result<()> {
        loop {
            let frame = read_frame(&line.broker)?;
            if let Some(name) = line.name.get() {
                self.await_light(name);
            }
            match line.lost.lock().expect("a line").remove(&number(&frame, 4)) {
                Some((request, answer)) => drop(answer.send(request.error_code(&frame))),
                None => (&line.client).write_all(&frame)?,
            }
        }
    }

    fn take(&self, client: &str, api: i16) -> Option<Rule> {
        let mut state = self.state();
        let rules = &mut state.rules;
        let at = rules.iter().position(|rule| rule.client == client && rule.api as i16 == api)?;
        Some(rules.remove(at))
    }

    /// The late requests that come right before this one.
    fn due(&self, client: &str, api: i16) -> Vec<Late> {
        let mut state = self.state();
        let late = &mut state.late;
        for one in late.iter_mut().filter(|one| one.before as i16 == api && one.request.client() == client) {
            one.count -= 1;
        }
        late.extract_if(.., |one| one.count == 0).collect()
    }

    fn deliver(&self, request: &Request) -> io::Result<Code> {
        let stream = self.broker()?;
        (&stream).write_all(&request.frame)?;
        Ok(request.error_code(&read_frame(&stream)?))
    }

    fn darken(&self, client: &str, time: Duration) {
        self.state().dark.insert(client.to_owned(), Instant::now() + time);
    }

    fn await_light(&self, client: &str) {
        let until = self.state().dark.get(client).copied();
        if let Some(until) = until {
            thread::sleep(until.saturating_duration_since(Instant::now()));
        }
    }
}

/// A client's connection.
struct Line {
    client: TcpStream,
    broker: TcpStream,
    name: OnceLock<String>,
    /// Requests whose answers are to be lost, by their correlation ids.
    lost: Mutex<HashMap<i32, (Request, Sender<Code>)>>,
}

impl Line {
    fn cut(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.broker.shutdown(Shutdown::Both);
    }
}

/// A frame with its length before it: API key, version, correlation id, client id, and what the request says.
#[derive(Clone)]
struct Request {
    frame: Vec<u8>,
}

impl Request {
    fn api(&self) -> i16 {
        short(&self.frame, 4)
    }

    fn version(&self) -> i16 {
        short(&self.frame, 6)
    }

    fn correlation(&self) -> i32 {
        number(&self.frame, 8)
    }

    fn client(&self) -> String {
        let length = usize::try_from(short(&self.frame, 12)).unwrap_or_default();
        String::from_utf8_lossy(&self.frame[14..14 + length]).into_owned()
    }

    /// The error code in the answer, which is about one partition at least.
    fn error_code(&self, answer: &[u8]) -> Code {
        const AFTER_LENGTH_AND_CORRELATION: usize = 8;
        const THROTTLE: usize = 4;
        let at = AFTER_LENGTH_AND_CORRELATION;
        match (self.api(), self.version()) {
            (26, ..=2) => short(answer, at + THROTTLE),
            (28, 3..=4) => first_partition_error(&answer[at + 1 + THROTTLE..]),
            (0, 9..=12) => first_partition_error(&answer[at + 1..]),
            other => panic!("the layout of {other:?} is not known here"),
        }
    }
}

/// Of a compact array of topics, each a name and a compact array of partitions, each a number and an error code.
fn first_partition_error(topics: &[u8]) -> Code {
    // One byte each as long as they are below 128: the count of topics, the name's length, the count of partitions.
    let name_bytes = usize::from(topics[1]) - 1;
    short(topics, 2 + name_bytes + 1 + 4)
}

fn short(bytes: &[u8], at: usize) -> i16 {
    i16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn number(bytes: &[u8], at: usize) -> i32 {
    i32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn read_frame(mut stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 4];
    stream.read_exact(&mut frame)?;
    let length = usize::try_from(number(&frame, 0)).map_err(io::Error::other)?;
    frame.resize(4 + length, 0);
    stream.read_exact(&mut frame[4..])?;
    Ok(frame)
}
