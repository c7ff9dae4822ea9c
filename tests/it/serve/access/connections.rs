//! Clients that connect and ask nothing keep nobody waiting.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tagstream::serve::ServeServer;

/// More than a server gives seats.
const IDLE: usize = 300;

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
    stream
}

/// Asks, and reads the answer; whether there is one.
fn ask(stream: &mut TcpStream) -> bool {
    let mut answer = [0; 512];
    let asked = stream.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").is_ok();
    asked && stream.read(&mut answer).is_ok_and(|count| answer[..count].starts_with(b"HTTP/1.1 200"))
}

#[test]
fn whoever_asks_nothing_loses_the_seat_first() {
    let router = Router::new().route("/livez", get(|| async { "ok" }));
    let server = ServeServer::start("127.0.0.1:0".parse().expect("an address"), None, router).expect("a server");
    let mut oldest = connect(server.address());
    assert!(ask(&mut oldest));
    let mut idle = Vec::new();
    for number in 0..IDLE {
        idle.push(connect(server.address()));
        // The oldest goes on asking.
        if number % 20 == 19 {
            assert!(ask(&mut oldest), "it lost its seat after {number} others");
        }
    }
    assert!(ask(&mut connect(server.address())), "a new one is not answered");
    assert!(ask(&mut oldest));
    // The first of those who asked nothing were sent away, the last were not.
    let mut byte = [0; 1];
    assert!(matches!(idle[0].read(&mut byte), Ok(0) | Err(_)) && !ask(&mut idle[0]));
    assert!(ask(&mut idle[IDLE - 1]));
}
