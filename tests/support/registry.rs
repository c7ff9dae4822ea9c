//! A schema registry as far as its API is documented: schemas by id, versions of subjects, and a switch that turns it off.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
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
    scheme: &'static str,
    address: SocketAddr,
    content: Arc<Mutex<Content>>,
}

impl Registry {
    pub fn start() -> Self {
        Registry::listen(None)
    }

    /// One that speaks TLS, with the key and the certificate in a file.
    pub fn start_with_tls(key_store: &Path) -> Self {
        let key = PrivateKeyDer::from_pem_file(key_store).expect("a key");
        let certificates = CertificateDer::pem_file_iter(key_store).expect("a file").map(|item| item.expect("PEM"));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_no_client_auth()
            .with_single_cert(certificates.take(1).collect(), key)
            .expect("a certificate with its key");
        Registry::listen(Some(Arc::new(config)))
    }

    fn listen(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let content =
            Content { mood: Mood::Answers, answers: HashMap::new(), authorization: None, requests: Vec::new() };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let registry = Registry { scheme, address, content: Arc::new(Mutex::new(content)) };
        let server = registry.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (server, tls) = (server.clone(), tls.clone());
                thread::spawn(move || match tls {
                    None => server.serve(stream),
                    Some(config) => {
                        server.serve(StreamOwned::new(ServerConnection::new(config).expect("a connection"), stream));
                    }
                });
            }
        });
        registry
    }

    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
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
        self.add_at(format!("/schemas/ids/{id}"), schema_type, schema, references);
    }

    /// Adds a schema by its GUID.
    pub fn add_guid(&self, guid: &str, schema_type: Option<&str>, schema: &str) {
        self.add_at(format!("/schemas/guids/{guid}"), schema_type, schema, &json!([]));
    }

    fn add_at(&self, path: String, schema_type: Option<&str>, schema: &str, references: &Value) {
        let answer = match schema_type {
            None => json!({ "schema": schema, "references": references }),
            Some(named) => json!({ "schemaType": named, "schema": schema, "references": references }),
        };
        self.content().answers.insert(path, answer);
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

    fn serve(&self, stream: impl Read + Write) {
        let mut stream = BufReader::new(stream);
        // A client that does not trust the certificate ends the connection.
        while let Some(first) = line(&mut stream) {
            let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
            let headers: Vec<String> =
                std::iter::from_fn(|| line(&mut stream).filter(|line| !line.is_empty())).collect();
            let Some((status, body)) = self.answer(path, &headers) else { return };
            let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
            let content_type = "Content-Type: application/vnd.schemaregistry.v1+json";
            let stream = stream.get_mut();
            if write!(stream, "{head}{content_type}\r\n\r\n{body}").and_then(|()| stream.flush()).is_err() {
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

/// The next line, without its end; `None`: there is none.
fn line(stream: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
    Some(line.trim_end().to_owned())
}
