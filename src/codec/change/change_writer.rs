//! Tag changes and current tags as JSON, byte for byte as specified.

use xxhash_rust::xxh3::xxh3_128;

use crate::codec::json_writer::{push_hex, push_integer, push_member, push_plain_member, push_scalar, push_string};
use crate::model::{CurrentTag, Scalar, TagChange};

/// Writes a tag change as a JSON object (spec 6), without a line end. Returns its id.
pub fn write_change(change: &TagChange, out: &mut Vec<u8>) -> u128 {
    let begin = out.len();
    put_identity(change, out);
    let id = xxh3_128(&out[begin..]);
    out.truncate(begin);
    out.extend_from_slice(b"{\"id\":\"");
    push_hex(id, out);
    out.push(b'"');
    push_plain_member("entity", change.entity, out);
    push_member("key", Scalar::String(change.key), out);
    push_plain_member("tag", change.tag, out);
    push_plain_member("change", change.change_type().name(), out);
    push_member("value", change.value, out);
    push_member("previous", change.previous, out);
    push_member("at", Scalar::Time(change.at), out);
    out.extend_from_slice(b",\"seq\":");
    push_integer(change.seq, out);
    push_plain_member("cause", change.cause.name(), out);
    out.extend_from_slice(b",\"because\":{");
    for (index, (label, value)) in change.because.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_string(label, out);
        out.push(b':');
        push_scalar(*value, out);
    }
    out.push(b'}');
    push_plain_member("catalog", change.catalog, out);
    out.push(b'}');
    id
}

/// The id of a change: the same wherever and however often it is computed.
///
/// A hash of entity, key, tag, at and seq; and of the life, where several ended or began at that instant. Each text is
/// preceded by its length: otherwise `("ab", "c")` and `("a", "bc")` would have one id.
pub fn change_id(change: &TagChange) -> u128 {
    let mut identity = Vec::new();
    put_identity(change, &mut identity);
    xxh3_128(&identity)
}

fn put_identity(change: &TagChange, out: &mut Vec<u8>) {
    for text in [change.entity, change.key, change.tag] {
        out.extend_from_slice(&(text.len() as u64).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
    }
    out.extend_from_slice(&change.at.ms().to_le_bytes());
    out.extend_from_slice(&change.seq.to_le_bytes());
    if change.life > 0 {
        out.extend_from_slice(&change.life.to_le_bytes());
    }
}

/// Writes the record of the current-tags topic: every tag that an entity has, with its value and since when.
pub fn write_current_tags(entity: &str, key: &str, tags: &[CurrentTag], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"entity\":");
    push_string(entity, out);
    push_member("key", Scalar::String(key), out);
    out.extend_from_slice(b",\"tags\":{");
    for (index, tag) in tags.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_string(tag.tag, out);
        out.extend_from_slice(b":{\"value\":");
        push_scalar(tag.value, out);
        push_member("since", Scalar::Time(tag.since), out);
        out.push(b'}');
    }
    out.extend_from_slice(b"}}");
}
