//! A batch of tag changes as the body of a request.

use xxhash_rust::xxh3::xxh3_128;

use crate::codec::{ChangeFormat, ChangeRecord};
use crate::kafka::SubscribedRecord;

/// A request without what differs from one try to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushRequest {
    /// The same for the same body: a receiver that knows it has had these changes.
    pub id: String,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

/// How changes are written.
#[derive(Clone, Debug, Default)]
pub struct RequestForm {
    pub format: ChangeFormat,
    /// Which installation of tagstream has made the changes (`kafka.application`).
    pub application: String,
}

impl RequestForm {
    /// A request with these changes, in this order. Their records are tag changes: see [`is_change`].
    pub fn request<'a>(&self, records: impl IntoIterator<Item = &'a SubscribedRecord>) -> PushRequest {
        let mut changes = Vec::new();
        let mut latest = String::new();
        for record in records {
            let Ok((change, object)) = ChangeRecord::parse_with_object(&record.value) else { continue };
            if !changes.is_empty() {
                changes.push(b',');
            }
            self.format.write(object, &self.application, &mut changes);
            latest = change.at.into_owned();
        }
        let (content_type, head, tail) = match self.format {
            ChangeFormat::Tagstream => {
                let head = format!(r#"{{"type":"tagstream.tag_changes","timestamp":"{latest}","data":{{"changes":["#);
                ("application/json", head, "]}}")
            }
            ChangeFormat::CloudEvents => ("application/cloudevents-batch+json", "[".to_owned(), "]"),
            ChangeFormat::Segment => ("application/json", r#"{"batch":["#.to_owned(), "]}"),
        };
        let body = [head.as_bytes(), &changes, tail.as_bytes()].concat();
        PushRequest { id: format!("msg_{:032x}", xxh3_128(&body)), content_type, body }
    }
}

/// Whether a record is a tag change.
pub(super) fn is_change(record: &SubscribedRecord) -> bool {
    ChangeRecord::parse(&record.value).is_ok()
}
