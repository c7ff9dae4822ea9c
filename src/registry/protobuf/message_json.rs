//! A message of Protobuf as JSON: with the names of its file, and every digit of its numbers.

use prost_reflect::{
    DynamicMessage, EnumDescriptor, Kind as FieldType, MapKey, ReflectMessage, SerializeOptions, Value,
};

use crate::codec::{push_base64, push_string};
use crate::registry::number_json::{push_decimal, push_integer};

/// The messages whose form in JSON Protobuf itself defines, such as `google.protobuf.Timestamp`.
const WELL_KNOWN: &str = "google.protobuf.";
/// A number with all its digits, as Confluent's libraries send it.
const DECIMAL: &str = "confluent.type.Decimal";
/// Beyond this many zeros or decimals a number is written with an exponent.
const PLAIN_SCALE_MAX: u32 = 100;

/// Appends a message.
pub(super) fn push_message(message: &DynamicMessage, out: &mut Vec<u8>) -> Result<(), String> {
    let descriptor = message.descriptor();
    match descriptor.full_name() {
        DECIMAL => {
            push_confluent_decimal(message, out);
            return Ok(());
        }
        name if name.starts_with(WELL_KNOWN) => return push_well_known(message, out),
        _ => {}
    }
    out.push(b'{');
    let mut is_first = true;
    // A field whose absence cannot be told from its default value has that value.
    for field in descriptor.fields().filter(|field| !field.supports_presence() || message.has_field(field)) {
        push_name(field.name(), &mut is_first, out);
        push_value(&message.get_field(&field), &field.kind(), out)?;
    }
    for (extension, value) in message.extensions() {
        push_name(extension.json_name(), &mut is_first, out);
        push_value(value, &extension.kind(), out)?;
    }
    out.push(b'}');
    Ok(())
}

fn push_name(name: &str, is_first: &mut bool, out: &mut Vec<u8>) {
    if !std::mem::replace(is_first, false) {
        out.push(b',');
    }
    push_string(name, out);
    out.push(b':');
}

fn push_value(value: &Value, of: &FieldType, out: &mut Vec<u8>) -> Result<(), String> {
    match value {
        Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::I32(number) => push_integer(*number, out),
        Value::I64(number) => push_integer(*number, out),
        Value::U32(number) => push_integer(*number, out),
        Value::U64(number) => push_integer(*number, out),
        Value::F32(number) => push_float(*number, out),
        Value::F64(number) => push_float(*number, out),
        Value::String(text) => push_string(text, out),
        Value::Bytes(bytes) => {
            out.push(b'"');
            push_base64(bytes, out);
            out.push(b'"');
        }
        Value::EnumNumber(number) => push_enum(*number, of.as_enum(), out),
        Value::Message(message) => push_message(message, out)?,
        Value::List(values) => {
            out.push(b'[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                push_value(value, of, out)?;
            }
            out.push(b']');
        }
        Value::Map(entries) => {
            let entry = of.as_message().ok_or("a map without entries")?;
            let of_values = entry.map_entry_value_field().kind();
            out.push(b'{');
            let mut is_first = true;
            for (key, value) in entries {
                push_name(&key_text(key), &mut is_first, out);
                push_value(value, &of_values, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn key_text(key: &MapKey) -> String {
    match key {
        MapKey::Bool(key) => key.to_string(),
        MapKey::I32(key) => key.to_string(),
        MapKey::I64(key) => key.to_string(),
        MapKey::U32(key) => key.to_string(),
        MapKey::U64(key) => key.to_string(),
        MapKey::String(key) => key.clone(),
    }
}

/// The name of a value, or its number where the schema does not have it. `NullValue` has one value, null.
fn push_enum(number: i32, of: Option<&EnumDescriptor>, out: &mut Vec<u8>) {
    match of.and_then(|of| of.get_value(number)) {
        Some(value) if value.parent_enum().full_name() == "google.protobuf.NullValue" => {
            out.extend_from_slice(b"null");
        }
        Some(value) => push_string(value.name(), out),
        None => push_integer(number, out),
    }
}

/// A finite number in the fewest digits that name it; one that is not finite as the text that Protobuf has for it.
fn push_float<F: ryu_js::Float>(number: F, out: &mut Vec<u8>) {
    let mut buffer = ryu_js::Buffer::new();
    match buffer.format(number) {
        text @ ("NaN" | "Infinity" | "-Infinity") => push_string(text, out),
        digits => out.extend_from_slice(digits.as_bytes()),
    }
}

/// A whole number of `10^-scale`, big-endian in two's complement.
fn push_confluent_decimal(message: &DynamicMessage, out: &mut Vec<u8>) {
    let field = |name: &str| message.get_field_by_name(name);
    let value = field("value");
    let bytes = value.as_ref().and_then(|value| value.as_bytes()).map(|bytes| &bytes[..]).unwrap_or_default();
    let scale = field("scale").and_then(|scale| scale.as_i32()).unwrap_or_default();
    if scale.unsigned_abs() > PLAIN_SCALE_MAX {
        push_decimal(bytes, 0, out);
        out.push(b'e');
        push_integer(-i64::from(scale), out);
    } else if scale >= 0 {
        push_decimal(bytes, scale as usize, out);
    } else {
        let start = out.len();
        push_decimal(bytes, 0, out);
        if out[start..] != *b"0" {
            out.extend(std::iter::repeat_n(b'0', scale.unsigned_abs() as usize));
        }
    }
}

fn push_well_known(message: &DynamicMessage, out: &mut Vec<u8>) -> Result<(), String> {
    let options =
        SerializeOptions::new().stringify_64_bit_integers(false).use_proto_field_name(true).skip_default_fields(false);
    let mut serializer = serde_json::Serializer::new(out);
    message.serialize_with_options(&mut serializer, &options).map_err(|error| error.to_string())
}
