//! A payload in Avro's binary encoding, written as JSON.

use std::io::Write;

use super::avro_type::{AvroSchema, AvroType, Fraction, TypeId};
use super::logical::{push_date, push_time_of_day, push_timestamp, push_uuid};
use crate::codec::{push_base64, push_string};
use crate::registry::number_json::{push_decimal, push_integer};

/// Deeper than any record that is read as JSON.
const DEPTH_MAX: usize = 127;
/// The longest JSON that a payload may become: an array of a few bytes may say that it has billions of nulls.
const JSON_BYTES_MAX: usize = 64 << 20;

/// Why a payload is not of its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOfSchema {
    #[error("it ends within a value")]
    TooShort,
    #[error("{0} bytes are left behind its last value")]
    Left(usize),
    #[error("an integer is larger than its type")]
    Integer,
    #[error("a boolean is {0}")]
    Boolean(u8),
    #[error("a text is not UTF-8")]
    Text,
    #[error("a length is negative")]
    Length,
    #[error("a union has no branch {0}")]
    Branch(i64),
    #[error("an enum has no symbol {0}")]
    Symbol(i64),
    #[error("it is nested more than {DEPTH_MAX} levels deep")]
    Depth,
    #[error("its JSON is longer than {} MiB", JSON_BYTES_MAX >> 20)]
    Size,
}

impl AvroSchema {
    /// Appends a payload as JSON. After an error, what was appended is undefined.
    ///
    /// # Errors
    /// The payload is not of this schema.
    pub fn write_json(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), NotOfSchema> {
        let mut reader = Reader { schema: self, rest: payload };
        reader.value(self.root, 0, out)?;
        if reader.rest.is_empty() { Ok(()) } else { Err(NotOfSchema::Left(reader.rest.len())) }
    }
}

struct Reader<'a> {
    schema: &'a AvroSchema,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn value(&mut self, of: TypeId, depth: usize, out: &mut Vec<u8>) -> Result<(), NotOfSchema> {
        if depth > DEPTH_MAX {
            return Err(NotOfSchema::Depth);
        }
        if out.len() > JSON_BYTES_MAX {
            return Err(NotOfSchema::Size);
        }
        let schema = self.schema;
        match &schema.types[of.0] {
            AvroType::Null => out.extend_from_slice(b"null"),
            AvroType::Boolean => match self.take(1)? {
                [0] => out.extend_from_slice(b"false"),
                [1] => out.extend_from_slice(b"true"),
                other => return Err(NotOfSchema::Boolean(other[0])),
            },
            AvroType::Int => push_integer(self.int()?, out),
            AvroType::Long => push_integer(self.long()?, out),
            AvroType::Float => push_float(f32::from_le_bytes(self.array()?), out),
            AvroType::Double => push_float(f64::from_le_bytes(self.array()?), out),
            AvroType::Bytes => push_bytes(self.bytes()?, out),
            AvroType::Text => push_string(self.text()?, out),
            AvroType::Fixed(size) => push_bytes(self.take(*size)?, out),
            AvroType::Enum(symbols) => {
                let index = self.long()?;
                let symbol = usize::try_from(index).ok().and_then(|index| symbols.get(index));
                out.extend_from_slice(symbol.ok_or(NotOfSchema::Symbol(index))?.as_bytes());
            }
            AvroType::Union(branches) => {
                let index = self.long()?;
                let branch = usize::try_from(index).ok().and_then(|index| branches.get(index));
                // Nesting of unions writes nothing, so it counts, too.
                self.value(*branch.ok_or(NotOfSchema::Branch(index))?, depth + 1, out)?;
            }
            AvroType::Record(fields) => {
                out.push(b'{');
                for (index, field) in fields.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(field.name.as_bytes());
                    self.value(field.of, depth + 1, out)?;
                }
                out.push(b'}');
            }
            AvroType::Array(items) => self.blocks(b"[]", out, |reader, out| reader.value(*items, depth + 1, out))?,
            AvroType::Map(values) => self.blocks(b"{}", out, |reader, out| {
                push_string(reader.text()?, out);
                out.push(b':');
                reader.value(*values, depth + 1, out)
            })?,
            logical => self.logical(logical, out)?,
        }
        Ok(())
    }

    fn logical(&mut self, of: &AvroType, out: &mut Vec<u8>) -> Result<(), NotOfSchema> {
        match of {
            AvroType::Decimal { scale, size } => {
                let bytes = match size {
                    Some(size) => self.take(*size)?,
                    None => self.bytes()?,
                };
                push_decimal(bytes, *scale, out);
            }
            AvroType::Uuid => push_uuid(self.take(16)?, out),
            AvroType::Date => push_date(self.int()?, out),
            AvroType::TimeOfDay(Fraction::Milliseconds) => {
                push_time_of_day(i64::from(self.int()?), Fraction::Milliseconds, out);
            }
            AvroType::TimeOfDay(fraction) => push_time_of_day(self.long()?, *fraction, out),
            AvroType::Timestamp { fraction, is_local } => push_timestamp(self.long()?, *fraction, *is_local, out),
            AvroType::Duration => {
                let mut number = || self.array().map(u32::from_le_bytes);
                let (months, days, ms) = (number()?, number()?, number()?);
                let written = write!(out, "{{\"months\":{months},\"days\":{days},\"milliseconds\":{ms}}}");
                debug_assert!(written.is_ok(), "a buffer takes everything");
            }
            _ => unreachable!("the other types are read where they are met"),
        }
        Ok(())
    }

    /// The items of an array or a map, which come in blocks.
    fn blocks(
        &mut self,
        brackets: &[u8; 2],
        out: &mut Vec<u8>,
        mut item: impl FnMut(&mut Self, &mut Vec<u8>) -> Result<(), NotOfSchema>,
    ) -> Result<(), NotOfSchema> {
        out.push(brackets[0]);
        let mut is_first = true;
        loop {
            let mut count = self.long()?;
            if count == 0 {
                break;
            }
            if count < 0 {
                // The length of the block in bytes follows, for those who skip it.
                count = count.checked_neg().ok_or(NotOfSchema::Length)?;
                self.long()?;
            }
            for _ in 0..count {
                if !std::mem::take(&mut is_first) {
                    out.push(b',');
                }
                item(self, out)?;
            }
        }
        out.push(brackets[1]);
        Ok(())
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], NotOfSchema> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(NotOfSchema::TooShort)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NotOfSchema> {
        self.take(N)?.try_into().map_err(|_| NotOfSchema::TooShort)
    }

    /// An integer of variable length, in zigzag encoding.
    fn long(&mut self) -> Result<i64, NotOfSchema> {
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(NotOfSchema::Integer);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
            shift += 7;
            if shift > 63 {
                return Err(NotOfSchema::Integer);
            }
        }
    }

    fn int(&mut self) -> Result<i32, NotOfSchema> {
        i32::try_from(self.long()?).map_err(|_| NotOfSchema::Integer)
    }

    fn bytes(&mut self) -> Result<&'a [u8], NotOfSchema> {
        let length = usize::try_from(self.long()?).map_err(|_| NotOfSchema::Length)?;
        self.take(length)
    }

    fn text(&mut self) -> Result<&'a str, NotOfSchema> {
        simdutf8::basic::from_utf8(self.bytes()?).map_err(|_| NotOfSchema::Text)
    }
}

/// A finite number, in the fewest digits that name it; JSON has no other numbers, so one that is not finite is null.
fn push_float<F: ryu_js::Float>(number: F, out: &mut Vec<u8>) {
    let mut buffer = ryu_js::Buffer::new();
    match buffer.format(number) {
        "NaN" | "Infinity" | "-Infinity" => out.extend_from_slice(b"null"),
        digits => out.extend_from_slice(digits.as_bytes()),
    }
}

fn push_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    push_base64(bytes, out);
    out.push(b'"');
}
