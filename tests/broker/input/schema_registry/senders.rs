//! Events that `senders.py` writes with Confluent's own serializers.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;

use super::apicurio;
use crate::fixture::broker;
use crate::installed;

/// An event in which `user` has bought for `amount`, such as `19.90`.
#[derive(Clone, Debug)]
pub struct Bought {
    /// One of those that `senders.py` names.
    pub format: &'static str,
    pub partition: i32,
    pub user: String,
    pub at: i64,
    pub amount: String,
}

/// Registers the schemas and writes the events, in their order.
pub fn send(topic: &str, events: impl IntoIterator<Item = Bought>) {
    let mut lines = String::new();
    for Bought { format, partition, user, at, amount } in events {
        let line = json!({ "format": format, "partition": partition, "user": user, "at": at, "amount": amount });
        lines += &format!("{line}\n");
    }
    let mut python = Command::new(installed::expect("confluent-kafka-serializers-2.16.1/bin/python"));
    python.arg(format!("{}/tests/broker/input/schema_registry/senders.py", env!("CARGO_MANIFEST_DIR")));
    python.args([&broker::shared().address(), apicurio::shared(), topic]);
    python.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = python.spawn().expect("python");
    child.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("a reader");
    let output = child.wait_with_output().expect("python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
