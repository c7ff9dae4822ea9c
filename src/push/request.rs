//! A batch of tag changes as the body of a request.

use xxhash_rust::xxh3::xxh3_128;

use crate::codec::ChangeRecord;
use crate::kafka::SubscribedRecord;

/// A request without what differs from one try to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushRequest {
    /// The same for the same body: a receiver that knows it has had these changes.
    pub id: String,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

impl PushRequest {
    /// A request with these changes, in this order. Their records are tag changes: see [`is_change`].
    pub fn of<'a>(records: impl IntoIterator<Item = &'a SubscribedRecord>) -> Self {
        let mut changes = Vec::new();
        let mut latest = String::new();
        for record in records {
            if !changes.is_empty() {
                changes.push(b',');
            }
            changes.extend_from_slice(&record.value);
            if let Ok(change) = ChangeRecord::parse(&record.value) {
                latest = change.at.into_owned();
            }
        }
        let mut body =
            format!("{{\"type\":\"tagstream.tag_changes\",\"timestamp\":\"{latest}\",\"data\":{{\"changes\":[")
                .into_bytes();
        body.extend_from_slice(&changes);
        body.extend_from_slice(b"]}}");
        PushRequest { id: format!("msg_{:032x}", xxh3_128(&body)), content_type: "application/json", body }
    }
}

/// Whether a record is a tag change.
pub(super) fn is_change(record: &SubscribedRecord) -> bool {
    ChangeRecord::parse(&record.value).is_ok()
}
