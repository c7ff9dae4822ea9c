//! The types of an Avro schema, in one table: types refer to each other, and to themselves.

/// Index into [`AvroSchema::types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TypeId(pub usize);

/// A schema by which payloads are read.
#[derive(Clone, Debug)]
pub struct AvroSchema {
    pub(super) types: Vec<AvroType>,
    pub(super) root: TypeId,
}

/// How a value is encoded, and what it means.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum AvroType {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    Text,
    Fixed(usize),
    /// The symbols, as JSON.
    Enum(Vec<Box<str>>),
    Array(TypeId),
    Map(TypeId),
    Union(Vec<TypeId>),
    Record(Vec<Field>),
    /// A whole number of `10^-scale`; `size`: of as many bytes, or of bytes with their length before them.
    Decimal {
        scale: usize,
        size: Option<usize>,
    },
    /// 16 bytes.
    Uuid,
    /// Days since 1970, as an int.
    Date,
    /// Since midnight.
    TimeOfDay(Fraction),
    /// Since 1970; `is_local`: of no time zone.
    Timestamp {
        fraction: Fraction,
        is_local: bool,
    },
    /// Months, days and milliseconds, in 12 bytes.
    Duration,
}

/// The unit of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fraction {
    /// As an int, where it is a time of the day.
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    /// The name as JSON, with its colon.
    pub(super) name: Box<str>,
    pub(super) of: TypeId,
}
