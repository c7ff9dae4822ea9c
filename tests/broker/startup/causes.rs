//! What is wrong when no broker answers, or when the system refuses something, is said by name, with the mend.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;

use crate::fixture::broker;
use crate::fixture::client::{alter_topic, produce};
use crate::fixture::counting::{COUNT, events};
use crate::support::service::Setup;

/// A port that answers the first bytes of each connection with these, and closes it.
fn answering(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let _ = client.read(&mut [0; 512]);
            let _ = client.write_all(answer);
        }
    });
    address
}

fn check_says(name: &str, brokers: &str, settings: &[&str], words: &str) {
    let setup = settings.iter().fold(Setup::new(name, brokers, COUNT), |setup, setting| setup.with(setting));
    let mut service = setup.start();
    service.says(&format!("no answer from the brokers at {brokers}: {words}"));
    service.stop();
}

#[test]
fn a_port_of_another_service_is_told_by_its_protocol() {
    let http = answering(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    check_says("http-port", &http, &[], "the port speaks HTTP, not Kafka's protocol: check the hosts and ports");
    let alert = answering(&[0x15, 3, 3, 0, 2, 2, 70, 0x15, 3, 3, 0, 2, 1, 0]);
    check_says("tls-port", &alert, &[], "the port speaks TLS: set security.protocol to ssl or sasl_ssl");
    let silent = answering(b"");
    check_says("silent-port", &silent, &[], "the port closes a connection without TLS");
    let tls = ["kafka.properties.security.protocol=ssl"];
    check_says("no-tls-port", &http, &tls, "the port does not speak TLS: check security.protocol");
}

/// Has a command run with a limit.
fn limit(command: &mut Command, resource: libc::__rlimit_resource_t, limit: u64) {
    let set = move || {
        let limit = libc::rlimit { rlim_cur: limit, rlim_max: limit };
        // SAFETY: the pointer is to a value that outlives the call, which is safe between fork and exec.
        match unsafe { libc::setrlimit(resource, &raw const limit) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    };
    // SAFETY: the closure allocates nothing and calls only setrlimit.
    unsafe { command.pre_exec(set) };
}

#[test]
fn too_few_file_descriptors_are_told() {
    let setup = Setup::on("few-files", broker::shared(), COUNT);
    setup.create_topics(1);
    let mut command = setup.command(&["run"]);
    limit(&mut command, libc::RLIMIT_NOFILE, 14);
    let mut service = setup.start_command(command);
    service.says("the process may not open more files and connections: raise its limit");
}

#[test]
fn a_clock_that_a_topic_does_not_accept_is_told() {
    let broker = broker::shared();
    let setup = Setup::on("clock", broker, COUNT);
    setup.create_topics(2);
    // No clock is right for that.
    alter_topic(broker, &setup.topic("changes"), &[("message.timestamp.before.max.ms", "0")]);
    produce(broker, &setup.topic("events"), events(0, 100));
    let mut service = setup.start();
    service
        .says("the clock of this machine and that of the brokers differ by more than the topic clock-changes allows");
    service.stop();
}
