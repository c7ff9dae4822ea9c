//! A schema registry as far as its API is documented: schemas by id, versions of subjects, and a switch that turns it off.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Value, json};

/// What it does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Answers,
    /// It closes the connection.
    Away,
    /// As a proxy does whose registry is away, with this status and a page.
    Proxy(u16),
}

#[derive(Debug)]
struct Content {
    mood: Mood,
    /// By path.
    answers: HashMap<String, Value>,
    /// What a request has to have as `Authorization`.
    authorization: Option<String>,
    requests: Vec<String>,
}

/// A registry that listens on this machine until the process ends.
#[derive(Clone, Debug)]
pub struct Registry {
    address: SocketAddr,
    content: Arc<Mutex<Content>>,
}

impl Registry {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let content =
            Content { mood: Mood::Answers, answers: HashMap::new(), authorization: None, requests: Vec::new() };
        let registry = Registry { address, content: Arc::new(Mutex::new(content)) };
        let server = registry.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                thread::spawn(move || server.serve(stream));
            }
        });
        registry
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set_mood(&self, mood: Mood) {
        self.content().mood = mood;
    }

    pub fn ask_for(&self, authorization: &str) {
        self.content().authorization = Some(authorization.to_owned());
    }

    /// Adds a schema; `schema_type`: `None` for Avro, as the registry leaves it out.
    pub fn add(&self, id: u32, schema_type: Option<&str>, schema: &str, references: &Value) {
        let answer = match schema_type {
            None => json!({ "schema": schema, "references": references }),
            Some(named) => json!({ "schemaType": named, "schema": schema, "references": references }),
        };
        self.content().answers.insert(format!("/schemas/ids/{id}"), answer);
    }

    /// Adds the schema of a version of a subject.
    pub fn add_version(&self, subject: &str, version: i64, schema: &str, references: &Value) {
        let answer = json!({
            "subject": subject, "version": version, "id": 1_000 + version, "schema": schema, "references": references,
        });
        self.content().answers.insert(format!("/subjects/{subject}/versions/{version}"), answer);
    }

    /// The paths of the requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.content().requests.clone()
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines().map_while(Result::ok);
        while let Some(first) = lines.next() {
            let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
            let headers: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
            let Some((status, body)) = self.answer(path, &headers) else { return };
            let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
            let written = write!(stream, "{head}Content-Type: application/vnd.schemaregistry.v1+json\r\n\r\n{body}");
            if written.is_err() {
                return;
            }
        }
    }

    fn answer(&self, path: String, headers: &[String]) -> Option<(u16, String)> {
        let mut content = self.content();
        content.requests.push(path.clone());
        let given = headers.iter().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("authorization").then(|| value.trim().to_owned())
        });
        match content.mood {
            Mood::Away => return None,
            Mood::Proxy(status) => return Some((status, "<html>no such page</html>".to_owned())),
            Mood::Answers => {}
        }
        if content.authorization.is_some() && given != content.authorization {
            return Some((401, json!({ "error_code": 40101, "message": "Unauthorized" }).to_string()));
        }
        let unknown = || (404, json!({ "error_code": 40403, "message": "Schema not found" }).to_string());
        Some(content.answers.get(&path).map_or_else(unknown, |answer| (200, answer.to_string())))
    }
}
