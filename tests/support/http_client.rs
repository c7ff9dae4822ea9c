//! A minimal HTTP client: one request, read to the end of the connection.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: String,
}

/// Asks for a page.
pub fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, "GET", path).expect("an answer")
}

pub fn ask(address: SocketAddr, method: &str, path: &str) -> io::Result<Answer> {
    ask_with(address, method, path, &["Host: tagstream"])
}

/// Asks for something to be done, as an operator's program does.
pub fn post(address: SocketAddr, path: &str) -> Answer {
    ask_with(address, "POST", path, &["Host: tagstream", "X-Tagstream: 1"]).expect("an answer")
}

/// Asks with these headers only.
pub fn ask_with(address: SocketAddr, method: &str, path: &str, headers: &[&str]) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(stream, "{method} {path} HTTP/1.1\r\n{}\r\n\r\n", headers.join("\r\n"))?;
    let mut text = String::new();
    // To the end of the connection, which the server closes.
    stream.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
    Ok(Answer { status, headers: head.to_lowercase(), body: body.to_owned() })
}
