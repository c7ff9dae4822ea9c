//! Where a field of an event stands: in the record's value, or beside it.

/// A JSON Pointer (RFC 6901): its reference tokens, unescaped.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pointer(pub Vec<Box<str>>);

/// A place at which a field of an event may stand.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordPlace {
    /// In the record's value.
    Value(Pointer),
    /// `$key`: the record's key.
    Key,
    /// `$record`: the record's timestamp.
    Timestamp,
    /// `$header.NAME`: the record's header of this name.
    Header(Box<str>),
}

/// The places of a field: the first at which there is something other than null counts.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldRule(pub Vec<RecordPlace>);

impl FieldRule {
    pub fn of(pointers: impl IntoIterator<Item = Pointer>) -> Self {
        FieldRule(pointers.into_iter().map(RecordPlace::Value).collect())
    }

    /// The pointers among the places.
    pub fn pointers(&self) -> impl Iterator<Item = &Pointer> {
        self.0.iter().filter_map(|place| match place {
            RecordPlace::Value(pointer) => Some(pointer),
            RecordPlace::Key | RecordPlace::Timestamp | RecordPlace::Header(_) => None,
        })
    }

    /// The names of the headers among the places.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|place| match place {
            RecordPlace::Header(name) => Some(&**name),
            RecordPlace::Value(_) | RecordPlace::Key | RecordPlace::Timestamp => None,
        })
    }

    /// Whether some of it stands beside the record's value.
    pub fn reads_metadata(&self) -> bool {
        self.0.iter().any(|place| !matches!(place, RecordPlace::Value(_)))
    }
}
