//! What is recorded of who looked and who wrote.

use tagstream::kafka::Clock;
use tagstream::model::Timestamp;
use tagstream::serve::access::{AuditEntry, AuditLog};

use super::Scratch;

#[test]
fn each_entry_is_a_line_with_its_time() {
    let file = Scratch::new("audit", "");
    let clock = Clock::new(|| Timestamp::from_ms(1_760_000_000_000));
    let log = AuditLog::open(Some(&file.0), clock.clone()).expect("a file");
    let look = AuditEntry { caller: "crm", action: "profile", entity: "user", key: "u \"1\"\n", ..Default::default() };
    log.record(&look).expect("a line");
    // A restart appends.
    let log = AuditLog::open(Some(&file.0), clock).expect("a file");
    let note = "asked for it by mail";
    log.record(&AuditEntry { action: "tag.set", tag: "vip", note, detail: "events-0@7", ..look }).expect("a line");
    assert_eq!(
        std::fs::read_to_string(&file.0).expect("a file"),
        concat!(
            r#"{"time":"2025-10-09T08:53:20.000Z","caller":"crm","action":"profile","entity":"user","key":"u \"1\"\n"}"#,
            "\n",
            r#"{"time":"2025-10-09T08:53:20.000Z","caller":"crm","action":"tag.set","entity":"user","key":"u \"1\"\n","#,
            r#""tag":"vip","note":"asked for it by mail","detail":"events-0@7"}"#,
            "\n"
        )
    );
}
