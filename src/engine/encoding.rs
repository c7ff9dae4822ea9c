//! Bytes of what an entity keeps: variable-length integers (LEB128, zigzag) and the values made of them.

use crate::model::{Date, Decimal, Number, Scalar, Timestamp};

/// The bit of each of eight bytes that says that another byte of the number follows.
pub(super) const CONTINUES: u64 = 0x8080_8080_8080_8080;

/// Reads what the `put_` functions wrote. Past the end it returns zeros: bytes are checked where they enter the
/// process.
#[derive(Clone, Debug)]
pub(super) struct ByteReader<'a> {
    bytes: &'a [u8],
}

impl<'a> ByteReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        ByteReader { bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn remaining(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    #[inline]
    pub(super) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else {
            return 0;
        };
        self.bytes = rest;
        *first
    }

    #[inline]
    pub(super) fn unsigned(&mut self) -> u64 {
        match self.bytes {
            [only @ 0..0x80, rest @ ..] => {
                self.bytes = rest;
                u64::from(*only)
            }
            _ => self.long_unsigned(),
        }
    }

    /// A number of several bytes.
    fn long_unsigned(&mut self) -> u64 {
        if let Some(value) = self.word_number() {
            return value;
        }
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            value |= u64::from(byte & 0x7f) << (shift & 63);
            if byte < 0x80 {
                return value;
            }
            shift += 7;
        }
    }

    /// A number that ends within the next eight bytes, where there are so many: the groups of seven bits are put
    /// together two, four and eight at a time.
    #[inline]
    fn word_number(&mut self) -> Option<u64> {
        let word = u64::from_le_bytes(*self.bytes.first_chunk()?);
        let ends = !word & CONTINUES;
        if ends == 0 {
            return None;
        }
        let bits = ends.trailing_zeros() + 1;
        let sevens = word & !CONTINUES & (u64::MAX >> (64 - bits));
        let twos = sevens & 0x007f_007f_007f_007f | (sevens & 0x7f00_7f00_7f00_7f00) >> 1;
        let fours = twos & 0x0000_3fff_0000_3fff | (twos & 0x3fff_0000_3fff_0000) >> 2;
        self.bytes = &self.bytes[bits as usize / 8..];
        Some(fours & 0x0fff_ffff | (fours >> 32) << 28)
    }

    #[inline]
    pub(super) fn signed(&mut self) -> i64 {
        let zigzag = self.unsigned();
        (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64)
    }

    /// A zigzag number of up to 128 bits, for sums of billionths.
    pub(super) fn wide(&mut self) -> i128 {
        if let Some(zigzag) = self.word_number() {
            return i128::from((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64));
        }
        let mut zigzag = 0_u128;
        let mut shift = 0;
        loop {
            let byte = self.byte();
            zigzag |= u128::from(byte & 0x7f) << (shift & 127);
            if byte < 0x80 {
                return (zigzag >> 1) as i128 ^ -((zigzag & 1) as i128);
            }
            shift += 7;
        }
    }

    pub(super) fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.bytes.split_at(len.min(self.bytes.len()));
        self.bytes = rest;
        taken
    }

    pub(super) fn word(&mut self) -> u64 {
        let mut bytes = [0; 8];
        let taken = self.take(8);
        bytes[..taken.len()].copy_from_slice(taken);
        u64::from_le_bytes(bytes)
    }

    pub(super) fn timestamp(&mut self) -> Timestamp {
        Timestamp::from_ms(self.signed())
    }
}

#[inline]
pub(super) fn put_unsigned(out: &mut Vec<u8>, value: u64) {
    if value < 0x80 {
        out.push(value as u8);
    } else {
        put_long_unsigned(out, value);
    }
}

fn put_long_unsigned(out: &mut Vec<u8>, mut value: u64) {
    let len = unsigned_len(value);
    if len > 8 {
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        return out.push(value as u8);
    }
    // As `word_number`, the other way round.
    let fours = value & 0x0fff_ffff | (value >> 28) << 32;
    let twos = fours & 0x0000_3fff_0000_3fff | (fours & 0x0fff_c000_0fff_c000) << 2;
    let sevens = twos & 0x007f_007f_007f_007f | (twos & 0x3f80_3f80_3f80_3f80) << 1;
    let end = out.len() + len;
    out.extend_from_slice(&(sevens | CONTINUES & !(u64::MAX << (8 * (len - 1)))).to_le_bytes());
    out.truncate(end);
}

/// The number of bytes that [`put_unsigned`] appends.
pub(super) fn unsigned_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros()).div_ceil(7) as usize
}

/// The number of bytes that [`put_signed`] appends.
pub(super) fn signed_len(value: i64) -> usize {
    unsigned_len(((value << 1) ^ (value >> 63)) as u64)
}

pub(super) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_unsigned(out, ((value << 1) ^ (value >> 63)) as u64);
}

pub(super) fn put_wide(out: &mut Vec<u8>, value: i128) {
    if let Ok(value) = i64::try_from(value) {
        return put_signed(out, value);
    }
    let mut zigzag = ((value << 1) ^ (value >> 127)) as u128;
    while zigzag >= 0x80 {
        out.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    out.push(zigzag as u8);
}

pub(super) fn put_word(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}

pub(super) fn put_timestamp(out: &mut Vec<u8>, at: Timestamp) {
    put_signed(out, at.ms());
}

/// Numbers in ascending order, written as the first one and then the difference from each to the next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Deltas {
    last: Option<i64>,
}

impl Deltas {
    /// The rest of the numbers, behind this one.
    pub(super) fn after(number: i64) -> Self {
        Deltas { last: Some(number) }
    }

    pub(super) fn put(&mut self, out: &mut Vec<u8>, number: i64) {
        match self.last {
            None => put_signed(out, number),
            Some(last) => put_unsigned(out, (number - last) as u64),
        }
        self.last = Some(number);
    }

    pub(super) fn take(&mut self, reader: &mut ByteReader<'_>) -> i64 {
        let number = match self.last {
            None => reader.signed(),
            Some(last) => last.wrapping_add(reader.unsigned() as i64),
        };
        self.last = Some(number);
        number
    }
}

/// A part of a text buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TextSpan {
    start: u32,
    len: u32,
}

impl TextSpan {
    pub(super) fn of(self, text: &str) -> &str {
        text.get(self.start as usize..(self.start + self.len) as usize).unwrap_or_default()
    }

    /// Appends `span` to the buffer.
    pub(super) fn keep(text: &mut String, span: &str) -> Self {
        let start = text.len() as u32;
        text.push_str(span);
        TextSpan { start, len: span.len() as u32 }
    }
}

/// A value whose string, if it is one, stands in a text buffer beside it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum StoredValue {
    Absent,
    Bool(bool),
    Number(Number),
    Time(Timestamp),
    Date(Date),
    String(TextSpan),
}

impl StoredValue {
    pub(super) fn new(value: Scalar<'_>, text: &mut String) -> Self {
        match value {
            Scalar::Absent => StoredValue::Absent,
            Scalar::Bool(b) => StoredValue::Bool(b),
            Scalar::Number(n) => StoredValue::Number(n),
            Scalar::Time(t) => StoredValue::Time(t),
            Scalar::Date(d) => StoredValue::Date(d),
            Scalar::String(s) => StoredValue::String(TextSpan::keep(text, s)),
        }
    }

    pub(super) fn get(self, text: &str) -> Scalar<'_> {
        match self {
            StoredValue::Absent => Scalar::Absent,
            StoredValue::Bool(b) => Scalar::Bool(b),
            StoredValue::Number(n) => Scalar::Number(n),
            StoredValue::Time(t) => Scalar::Time(t),
            StoredValue::Date(d) => Scalar::Date(d),
            StoredValue::String(span) => Scalar::String(span.of(text)),
        }
    }
}

const ABSENT: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const NUMBER: u8 = 3;
/// An integer of an event. Until decimals had tags of their own, every whole number.
const WHOLE: u8 = 4;
const TIME: u8 = 5;
const STRING: u8 = 6;
const DATE: u8 = 7;
/// A decimal with a fraction, in billionths.
const DECIMAL: u8 = 8;
/// A decimal that is whole.
const WHOLE_DECIMAL: u8 = 9;
/// A decimal with a fraction of two digits, as amounts of money have.
const HUNDREDTHS: u8 = 10;

const BILLIONTHS_A_HUNDREDTH: i64 = 10_000_000;

fn put_number(out: &mut Vec<u8>, number: Number) {
    match number {
        Number::Integer(integer) => {
            out.push(WHOLE);
            put_signed(out, integer);
        }
        Number::Decimal(decimal) => put_decimal_as(out, decimal, WHOLE_DECIMAL),
        Number::Double(double) => {
            out.push(NUMBER);
            put_word(out, double.to_bits());
        }
    }
}

/// Writes a number that can only be a decimal.
pub(super) fn put_decimal(out: &mut Vec<u8>, decimal: Decimal) {
    put_decimal_as(out, decimal, WHOLE);
}

fn put_decimal_as(out: &mut Vec<u8>, decimal: Decimal, whole: u8) {
    match decimal.as_whole() {
        Some(number) => {
            out.push(whole);
            put_signed(out, number);
        }
        None => match hundredths(decimal) {
            Some(number) => {
                out.push(HUNDREDTHS);
                put_signed(out, number);
            }
            None => {
                out.push(DECIMAL);
                put_wide(out, decimal.billionths());
            }
        },
    }
}

fn hundredths(decimal: Decimal) -> Option<i64> {
    let billionths = i64::try_from(decimal.billionths()).ok()?;
    (billionths % BILLIONTHS_A_HUNDREDTH == 0).then_some(billionths / BILLIONTHS_A_HUNDREDTH)
}

pub(super) fn put_value(out: &mut Vec<u8>, value: StoredValue, text: &str) {
    match value {
        StoredValue::Absent => out.push(ABSENT),
        StoredValue::Bool(false) => out.push(FALSE),
        StoredValue::Bool(true) => out.push(TRUE),
        StoredValue::Number(number) => put_number(out, number),
        StoredValue::Time(at) => {
            out.push(TIME);
            put_timestamp(out, at);
        }
        StoredValue::Date(date) => {
            out.push(DATE);
            put_signed(out, date.days());
        }
        StoredValue::String(span) => {
            out.push(STRING);
            put_text(out, span.of(text));
        }
    }
}

pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_unsigned(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

impl ByteReader<'_> {
    /// Reads what [`put_decimal`] wrote, or a double from when it wrote doubles.
    pub(super) fn decimal(&mut self) -> Decimal {
        match self.byte() {
            WHOLE => Decimal::whole(self.signed()),
            DECIMAL => Decimal::from_billionths(self.wide()),
            HUNDREDTHS => self.hundredths(),
            _ => Decimal::rounded(&f64::from_bits(self.word()).to_string()).unwrap_or_default(),
        }
    }

    fn hundredths(&mut self) -> Decimal {
        Decimal::from_billionths(i128::from(self.signed()) * i128::from(BILLIONTHS_A_HUNDREDTH))
    }

    /// Reads a string into the buffer.
    pub(super) fn text(&mut self, text: &mut String) -> TextSpan {
        let len = self.unsigned() as usize;
        let bytes = self.take(len);
        TextSpan::keep(text, std::str::from_utf8(bytes).unwrap_or_default())
    }

    pub(super) fn value(&mut self, text: &mut String) -> StoredValue {
        match self.byte() {
            FALSE => StoredValue::Bool(false),
            TRUE => StoredValue::Bool(true),
            NUMBER => StoredValue::Number(Number::Double(f64::from_bits(self.word()))),
            WHOLE => StoredValue::Number(Number::Integer(self.signed())),
            WHOLE_DECIMAL => StoredValue::Number(Number::Decimal(Decimal::whole(self.signed()))),
            DECIMAL => StoredValue::Number(Number::Decimal(Decimal::from_billionths(self.wide()))),
            HUNDREDTHS => StoredValue::Number(Number::Decimal(self.hundredths())),
            TIME => StoredValue::Time(self.timestamp()),
            DATE => Date::from_days(self.signed()).map_or(StoredValue::Absent, StoredValue::Date),
            STRING => StoredValue::String(self.text(text)),
            _ => StoredValue::Absent,
        }
    }
}

/// Takes a zigzag LEB128 number off the front of unchecked bytes; `None` where there is none of 64 bits.
pub(super) fn split_signed(bytes: &mut &[u8]) -> Option<i64> {
    let zigzag = split_unsigned(bytes)?;
    Some((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
}

/// Takes a LEB128 number off the front of unchecked bytes; `None` where there is none of 64 bits.
pub(super) fn split_unsigned(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if shift == 63 && *byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(value);
        }
    }
    None
}
