//! `tagstream run` while no broker answers: it waits, and stops when it is told to.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::fixture::broker::{self, free_port};
use crate::fixture::client::{committed, produce, read_all};
use crate::fixture::echo::{ECHO, check_echo, numbered, total};
use crate::support::service::Setup;

#[test]
fn a_broker_that_is_away_at_the_start_is_waited_for() {
    let broker = broker::shared();
    let port = free_port();
    Setup::on("late", broker, ECHO).create_topics(1);
    let setup = Setup::new("late", &format!("127.0.0.1:{port}"), ECHO);
    produce(broker, &setup.topic("events"), numbered(0, 100, 1));
    let mut service = setup.start();
    service.says("no answer from the brokers");
    thread::sleep(Duration::from_secs(1));
    forward(port, broker.address().parse().expect("an address"));
    service.until("the end", |_| total(&committed(broker, "late", &setup.topic("events"))) == 100);
    service.stop();
    check_echo(&read_all(broker, &setup.topic("changes")), 100);
}

#[test]
fn told_to_stop_while_no_broker_answers_it_stops() {
    let setup = Setup::new("nobody", &format!("127.0.0.1:{}", free_port()), ECHO);
    let mut service = setup.start();
    service.says("no answer from the brokers");
    service.stop();
}

/// Takes connections at `port` from now on, and passes them on.
fn forward(port: u16, to: SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the port");
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(to) else { continue };
            let pair = |from: &TcpStream, to: &TcpStream| {
                let (mut from, mut to) = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
                thread::spawn(move || io::copy(&mut from, &mut to));
            };
            pair(&client, &server);
            pair(&server, &client);
        }
    });
}
