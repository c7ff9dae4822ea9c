//! Asks the service to let held changes of tags take effect: its own page for that (`http.listen`) does it.
//!
//! One process of the service is enough: what one of them has noted counts in all of them.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::Value as Json;

/// The service answers when the approval is committed, after at most four seconds.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// How long one address of the service's name may take to accept a connection.
const CONNECT_MAX: Duration = Duration::from_secs(3);
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// Why nothing was approved, or why that is not known.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    #[error(
        "changes are not approved here: set serve.service to the address of http.listen of a process of the service, or \
         send POST /v1/catalog/approve there"
    )]
    Off,
    #[error("serve.service = {service} does not answer: {error}")]
    Unreachable { service: String, error: io::Error },
    #[error("serve.service = {service} has not answered within {} s; ask again", ANSWER_MAX.as_secs())]
    TooLate { service: String },
    #[error("serve.service = {service} answers with something else than HTTP; is it http.listen of the service?")]
    Unreadable { service: String },
    /// The service's own words.
    #[error("{detail}")]
    Refused { status: u16, detail: String },
}

/// The way to the service.
#[derive(Clone, Debug, Default)]
pub struct Approver {
    service: Option<String>,
}

impl Approver {
    /// `service`: a host and a port.
    pub fn new(service: Option<String>) -> Self {
        Approver { service }
    }

    /// Whether there is a way.
    pub fn is_on(&self) -> bool {
        self.service.is_some()
    }

    /// Approves what a changed catalog would do to these tags.
    ///
    /// # Errors
    /// Why it was not, or why that is not known.
    pub async fn approve(&self, tags: &[String]) -> Result<(), ApprovalError> {
        let Some(service) = &self.service else { return Err(ApprovalError::Off) };
        let answer = tokio::time::timeout(ANSWER_MAX, ask(service, tags)).await;
        let answer = answer.map_err(|_| ApprovalError::TooLate { service: service.clone() })?;
        let text = answer.map_err(|error| ApprovalError::Unreachable { service: service.clone(), error })?;
        let (status, body) = read(&text).ok_or_else(|| ApprovalError::Unreadable { service: service.clone() })?;
        if status == 200 {
            return Ok(());
        }
        let document: Json = serde_json::from_str(body).unwrap_or_default();
        let detail = document["error"].as_str().map_or_else(|| format!("the service answers {status}"), str::to_owned);
        Err(ApprovalError::Refused { status, detail })
    }
}

fn request(service: &str, tags: &[String]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for tag in tags {
        query.append_pair("tag", tag);
    }
    // The names of tags have no character that the query would need to write in another way.
    format!(
        "POST /v1/catalog/approve?{} HTTP/1.1\r\nHost: {service}\r\nX-Tagstream: 1\r\nContent-Length: 0\r\n\
         Connection: close\r\n\r\n",
        query.finish()
    )
}

/// Connects to the first address of a name that answers.
fn connect(service: &str) -> io::Result<TcpStream> {
    let mut failed = io::Error::other("the name has no address");
    for address in service.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_MAX) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Asks on a thread of its own: connecting and reading wait.
async fn ask(service: &str, tags: &[String]) -> io::Result<String> {
    let (service, request) = (service.to_owned(), request(service, tags));
    let asked = tokio::task::spawn_blocking(move || {
        let mut stream = connect(&service)?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        stream.set_write_timeout(Some(ANSWER_MAX))?;
        stream.write_all(request.as_bytes())?;
        let mut text = String::new();
        stream.take(ANSWER_BYTES_MAX).read_to_string(&mut text)?;
        Ok(text)
    });
    asked.await.map_err(io::Error::other)?
}

/// Status and body of an answer.
fn read(text: &str) -> Option<(u16, &str)> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let (version, rest) = head.split_once(' ')?;
    let status = rest.get(..3)?.parse().ok()?;
    version.starts_with("HTTP/1.").then_some((status, body))
}
