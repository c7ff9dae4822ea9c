//! A receiver of webhooks: a server that keeps what it is sent, and answers as the test says.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// By names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    pub at: Instant,
    /// What it was answered.
    pub status: u16,
}

/// An answer: its status, its headers, each with a line end, and its body.
pub struct Reply(pub u16, pub &'static str, pub &'static str);

pub const OK: Reply = Reply(200, "", "");

pub struct Receiver {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The changes in the body of the format `tagstream`.
    pub fn changes(&self) -> Vec<Value> {
        self.json()["data"]["changes"].as_array().expect("changes").clone()
    }

    /// Whether one of its signatures was made with this secret, by the definition of HMAC in RFC 2104.
    pub fn is_signed_with(&self, secret: &[u8]) -> bool {
        let mut text = format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp")).into_bytes();
        text.extend_from_slice(&self.body);
        let wanted = format!("v1,{}", base64(&hmac_sha256(secret, &text)));
        self.header("webhook-signature").split(' ').any(|signature| signature == wanted)
    }
}

impl Receiver {
    /// Starts to listen. `answer` is asked for each request, with the number of those before it.
    pub fn start(answer: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let (kept, answer) = (Arc::clone(&received), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &kept, &*answer));
            }
        });
        Receiver { port, received }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no panic").clone()
    }

    /// All changes that were accepted, in the order in which they came.
    pub fn accepted(&self) -> Vec<Value> {
        self.received().iter().filter(|received| received.status == 200).flat_map(Received::changes).collect()
    }
}

fn serve(stream: TcpStream, kept: &Mutex<Vec<Received>>, answer: &dyn Fn(usize, &Received) -> Reply) {
    let mut reader = BufReader::new(stream);
    let (mut headers, mut line) = (BTreeMap::new(), String::new());
    while reader.read_line(&mut line).is_ok_and(|read| read > 0) && !line.trim().is_empty() {
        if let Some((name, value)) = line.trim().split_once(": ") {
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        line.clear();
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    if headers.is_empty() || reader.read_exact(&mut body).is_err() {
        return;
    }
    let mut received = Received { headers, body, at: Instant::now(), status: 0 };
    let number = {
        let mut kept = kept.lock().expect("no panic");
        kept.push(received.clone());
        kept.len() - 1
    };
    let Reply(status, more, words) = answer(number, &received);
    received.status = status;
    kept.lock().expect("no panic")[number] = received;
    let length = words.len();
    let head = format!("HTTP/1.1 {status} Status\r\n{more}content-length: {length}\r\nconnection: close\r\n\r\n");
    let _ = reader.get_mut().write_all(format!("{head}{words}").as_bytes());
}

/// The definition of RFC 2104.
pub fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 64;
    let mut block = [0; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()
}

pub fn base64(bytes: &[u8]) -> String {
    let alphabet: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let digits = bits.as_bytes().chunks(6).map(|six| {
        let text = format!("{:0<6}", String::from_utf8_lossy(six));
        alphabet[usize::from_str_radix(&text, 2).expect("bits")]
    });
    let text: String = digits.collect();
    let padding = "=".repeat((4 - text.len() % 4) % 4);
    text + &padding
}
