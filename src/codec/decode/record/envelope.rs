//! The JSON object of an event, taken out of what is around it.
//!
//! A CloudEvent has two modes on Kafka. In the structured mode the record's value is the whole event. In the binary mode
//! the attributes are headers, and the value is the data alone: the structured form is made of it, so that a catalog's
//! pointers mean the same in both modes.
//!
//! Kafka Connect's JSON converter writes a schema beside each value, unless it is told not to. The value is `payload`, a
//! part of the record: nothing is copied.

use super::input_record::InputRecord;
use crate::codec::decode::json::{NotJson, Scanner};
use crate::codec::json_writer::push_string;

/// The header that tells what the value is.
const CONTENT_TYPE: &str = "content-type";
/// A value of this media type, or of one that begins so, is a whole CloudEvent.
const STRUCTURED: &str = "application/cloudevents";
/// What the names of attributes begin with in headers.
const ATTRIBUTE: &str = "ce_";
/// The attribute that every CloudEvent has: a record with this header is in binary mode.
const SPEC_VERSION: &str = "ce_specversion";
/// The member in which the structured form has the data.
const DATA: &str = "data";

/// The structured form of a CloudEvent: `composed`, if it has to be made, or the record's value. A record that has no
/// headers of a CloudEvent is taken as structured: a line of a file has none.
pub(in crate::codec::decode) fn cloud_event<'a>(
    input: InputRecord<'a>,
    composed: &'a mut Vec<u8>,
) -> Result<&'a str, NotJson> {
    let value = simdutf8::basic::from_utf8(input.json()).map_err(|_| NotJson)?;
    let (mut is_structured, mut is_binary) = (false, false);
    for (name, header) in input.headers.iter() {
        if name.eq_ignore_ascii_case(CONTENT_TYPE) {
            let beginning = header.get(..STRUCTURED.len());
            is_structured = beginning.is_some_and(|text| text.eq_ignore_ascii_case(STRUCTURED.as_bytes()));
        }
        is_binary |= name == SPEC_VERSION;
    }
    if is_structured || !is_binary {
        return Ok(value);
    }
    compose(input, value, composed)?;
    simdutf8::basic::from_utf8(composed).map_err(|_| NotJson)
}

/// Writes the structured form of an event in binary mode. An attribute that is not text counts as missing.
fn compose(input: InputRecord<'_>, data: &str, out: &mut Vec<u8>) -> Result<(), NotJson> {
    out.clear();
    out.push(b'{');
    for (name, header) in input.headers.iter() {
        let attribute = name.strip_prefix(ATTRIBUTE).filter(|attribute| *attribute != DATA);
        let (Some(attribute), Ok(text)) = (attribute, std::str::from_utf8(header)) else { continue };
        push_string(attribute, out);
        out.push(b':');
        push_string(text, out);
        out.push(b',');
    }
    if data.is_empty() {
        // There is `ce_specversion` before it.
        out.pop();
    } else {
        check_value(data)?;
        push_string(DATA, out);
        out.push(b':');
        out.extend_from_slice(data.as_bytes());
    }
    out.push(b'}');
    Ok(())
}

/// Checks that a text is one JSON value and nothing else.
fn check_value(text: &str) -> Result<(), NotJson> {
    let mut scanner = Scanner::new(text, 0);
    scanner.whitespace();
    // It is one level deeper than the text itself.
    scanner.value(1)?;
    scanner.whitespace();
    if scanner.peek().is_some() { Err(NotJson) } else { Ok(()) }
}

/// The payload of a record that Kafka Connect's JSON converter has written with its schema; the whole record, if it is
/// none.
pub(in crate::codec::decode) fn connect_payload(record: &str) -> Result<&str, NotJson> {
    let mut scanner = Scanner::new(record, 0);
    scanner.whitespace();
    if scanner.peek() != Some(b'{') {
        return Ok(record);
    }
    scanner.open(0)?;
    let (mut has_schema, mut payload) = (false, None);
    loop {
        // The converter writes these two members; with another one it is an object as any other.
        if scanner.peek() != Some(b'"') {
            return Ok(record);
        }
        let name = scanner.name()?;
        let is_schema = match name.of(record) {
            "schema" => true,
            "payload" => false,
            _ => return Ok(record),
        };
        let start = scanner.at();
        scanner.value(1)?;
        if is_schema {
            has_schema = true;
        } else {
            payload = Some(&record[start..scanner.at()]);
        }
        if !scanner.another(b'}')? {
            break;
        }
    }
    scanner.whitespace();
    match payload {
        _ if scanner.peek().is_some() => Err(NotJson),
        Some(payload) if has_schema => Ok(payload),
        _ => Ok(record),
    }
}
