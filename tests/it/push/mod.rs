//! `tagstream push`: signatures, answers, what becomes of a batch, and the whole process on an embedded broker.

mod answers;
mod courier;
mod process;
mod signature;

use tagstream::codec::ChangeRecord;
use tagstream::kafka::SubscribedRecord;

/// A change of an entity, as tagstream writes it.
pub fn change(n: i64, key: &str) -> String {
    let text = format!(
        r#"{{"id":"{n:032x}","entity":"user","key":"{key}","tag":"seen","change":"changed","value":{n},"previous":{},"at":"2026-01-02T03:04:05.000Z","seq":{n},"cause":"event","because":{{}},"catalog":"01234567"}}"#,
        n - 1
    );
    ChangeRecord::parse(text.as_bytes()).expect("a tag change");
    text
}

pub fn record(n: i64, key: &str) -> SubscribedRecord {
    SubscribedRecord::new(0, n, key, change(n, key))
}
