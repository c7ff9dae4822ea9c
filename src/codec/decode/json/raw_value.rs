//! A JSON value as a range of its record, and the types of values.

/// The record is not JSON. Where and why does not matter: the whole record becomes a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::codec::decode) struct NotJson;

/// The type of a JSON value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::codec::decode) enum JsonType {
    #[default]
    Missing,
    Null,
    False,
    True,
    Number,
    /// A string without escapes.
    Plain,
    /// A string with escapes.
    Escaped,
    Array,
    Object,
}

/// A value as a range of the record: nothing is copied or converted before it is known to be used.
///
/// It is one machine word, because every value is passed on several times on the hot path, where a struct of small
/// fields goes through memory field by field: 4 bits of type, then start and end in 30 bits each.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::codec::decode) struct RawValue(u64);

/// The largest record, whatever the catalog allows: a [`RawValue`] has 30 bits for a position.
pub(in crate::codec::decode) const RECORD_BYTES_MAX: usize = (1 << 30) - 1;

impl RawValue {
    const TYPES: [JsonType; 16] = [
        JsonType::Missing,
        JsonType::Null,
        JsonType::False,
        JsonType::True,
        JsonType::Number,
        JsonType::Plain,
        JsonType::Escaped,
        JsonType::Array,
        JsonType::Object,
        JsonType::Missing,
        JsonType::Missing,
        JsonType::Missing,
        JsonType::Missing,
        JsonType::Missing,
        JsonType::Missing,
        JsonType::Missing,
    ];

    /// A value between two positions; for a string, the text within its quotes.
    pub(in crate::codec::decode) fn new(json_type: JsonType, start: usize, end: usize) -> Self {
        RawValue(json_type as u64 | (start as u64) << 4 | (end as u64) << 34)
    }

    pub(in crate::codec::decode) fn json_type(self) -> JsonType {
        RawValue::TYPES[(self.0 & 15) as usize]
    }

    pub(in crate::codec::decode) fn start(self) -> usize {
        (self.0 >> 4) as usize & RECORD_BYTES_MAX
    }

    pub(in crate::codec::decode) fn end(self) -> usize {
        (self.0 >> 34) as usize
    }

    /// The value as written.
    pub(in crate::codec::decode) fn of(self, record: &str) -> &str {
        &record[self.start()..self.end()]
    }

    /// Whether the value is missing or null.
    pub(in crate::codec::decode) fn is_absent(self) -> bool {
        matches!(self.json_type(), JsonType::Missing | JsonType::Null)
    }
}

/// The value at a wanted place.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::codec::decode) struct FoundValue {
    pub(in crate::codec::decode) raw: RawValue,
    /// Whether the way led through an array: pointers do that, property paths do not.
    pub(in crate::codec::decode) through_array: bool,
}

impl FoundValue {
    /// The value for a property path.
    pub(in crate::codec::decode) fn property(self) -> RawValue {
        if self.through_array { RawValue::default() } else { self.raw }
    }
}
