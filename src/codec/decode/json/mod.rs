//! What JSON is (RFC 8259); it knows no catalog.
//!
//! | file | holds |
//! | --- | --- |
//! | [`raw_value`] | a value as a range of its record |
//! | [`text`] | the inside of strings, plain bytes and escapes |
//! | [`scanner`] | where values begin and end |

mod raw_value;
mod text;
mod scanner;

pub(super) use raw_value::{FoundValue, JsonType, NotJson, RECORD_BYTES_MAX, RawValue};
pub(super) use scanner::{DEPTH_MAX, Scanner};
pub(super) use text::text;
