//! The headers of a record, looked at only where they are wanted: to read them costs, and most catalogs want none.

use std::fmt;

/// Something that has headers: a Kafka record, or a copy of its headers.
pub trait HeaderSource {
    /// The name and the value of a header, from index 0 on; `None`: there are no more.
    fn header(&self, index: usize) -> Option<(&str, Option<&[u8]>)>;
}

/// The headers of a record; none for a line of a file.
#[derive(Clone, Copy, Default)]
pub struct RecordHeaders<'a> {
    source: Option<&'a dyn HeaderSource>,
    /// Only the headers whose names begin so, by the rest of their names.
    prefix: &'static str,
}

impl<'a> RecordHeaders<'a> {
    pub fn of(source: &'a dyn HeaderSource) -> Self {
        RecordHeaders { source: Some(source), prefix: "" }
    }

    /// The headers whose names begin with `prefix`, by the rest of their names.
    pub fn below(source: &'a dyn HeaderSource, prefix: &'static str) -> Self {
        RecordHeaders { source: Some(source), prefix }
    }

    /// The headers that have a value, in their order.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let all = (0..).map_while(move |index| self.source?.header(index));
        all.filter_map(move |(name, value)| Some((name.strip_prefix(self.prefix)?, value?)))
    }

    /// The value of the last header of this name. A header without a value counts as missing.
    pub fn last(self, name: &str) -> Option<&'a [u8]> {
        self.iter().filter(|(of, _)| *of == name).last().map(|(_, value)| value)
    }
}

impl fmt::Debug for RecordHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Headers that are kept, in their order.
#[derive(Clone, Debug, Default)]
pub struct HeaderList(Vec<(Box<str>, Box<[u8]>)>);

impl HeaderList {
    pub fn of(headers: RecordHeaders<'_>) -> Self {
        let mut list = HeaderList::default();
        list.copy(headers);
        list
    }

    pub(super) fn add(&mut self, name: &str, value: &[u8]) {
        self.0.push((name.into(), value.into()));
    }

    /// Replaces the content.
    pub(super) fn copy(&mut self, headers: RecordHeaders<'_>) {
        self.0.clear();
        self.0.extend(headers.iter().map(|(name, value)| (name.into(), value.into())));
    }
}

impl HeaderSource for HeaderList {
    fn header(&self, index: usize) -> Option<(&str, Option<&[u8]>)> {
        self.0.get(index).map(|(name, value)| (&**name, Some(&**value)))
    }
}
