//! A partition as a broker keeps it: records, the marks that end transactions, and what readers see of both.

use std::collections::BTreeMap;

use rdkafka::message::{Header, OwnedHeaders};

/// A producer's id, which stands for its transactional id too.
pub type Pid = usize;

/// What a record holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Content {
    /// As a reader gets them.
    pub fn owned_headers(&self) -> Option<OwnedHeaders> {
        let insert = |headers: OwnedHeaders, (key, value): &(String, Vec<u8>)| {
            headers.insert(Header { key, value: Some(value) })
        };
        (!self.headers.is_empty()).then(|| self.headers.iter().fold(OwnedHeaders::new(), insert))
    }

    pub fn bytes(&self) -> usize {
        self.key.as_ref().map_or(0, Vec::len) + self.value.as_ref().map_or(0, Vec::len)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Open(Pid),
    Committed,
    Aborted,
    /// The end of a transaction: no reader sees it, but it has an offset.
    Mark,
}

#[derive(Debug)]
struct Entry {
    content: Content,
    fate: Fate,
}

/// One partition. The offset of an entry is its place.
#[derive(Debug, Default)]
pub struct Log {
    entries: Vec<Entry>,
    /// Transactions without their mark: where each begins, and the epoch of its producer.
    open: BTreeMap<Pid, (usize, i16)>,
}

impl Log {
    /// Behind everything that was written.
    pub fn end(&self) -> i64 {
        self.entries.len() as i64
    }

    /// The last stable offset: no open transaction begins before it.
    pub fn stable(&self) -> i64 {
        self.open.values().map(|(first, _)| *first as i64).min().unwrap_or_else(|| self.end())
    }

    pub fn append(&mut self, content: Content) {
        self.entries.push(Entry { content, fate: Fate::Committed });
    }

    pub fn append_in_transaction(&mut self, pid: Pid, epoch: i16, content: Content) {
        self.open.entry(pid).or_insert((self.entries.len(), epoch));
        self.entries.push(Entry { content, fate: Fate::Open(pid) });
    }

    /// The epoch under which a producer's transaction is open here.
    pub fn open_epoch(&self, pid: Pid) -> Option<i16> {
        self.open.get(&pid).map(|(_, epoch)| *epoch)
    }

    pub fn has_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Ends a producer's transaction.
    pub fn mark(&mut self, pid: Pid, commit: bool) {
        let first = self.open.remove(&pid).map_or(self.entries.len(), |(first, _)| first);
        let fate = if commit { Fate::Committed } else { Fate::Aborted };
        for entry in &mut self.entries[first..] {
            if entry.fate == Fate::Open(pid) {
                entry.fate = fate;
            }
        }
        self.entries.push(Entry { content: Content::default(), fate: Fate::Mark });
    }

    /// The first record at or behind an offset that a read_committed reader sees now.
    pub fn next_visible(&self, from: i64) -> Option<(i64, &Content)> {
        let at = self.skip(from);
        (at < self.stable()).then(|| (at, &self.entries[at as usize].content))
    }

    /// The first record at or behind an offset that a read_uncommitted reader sees.
    pub fn next_written(&self, from: i64) -> Option<(i64, &Content)> {
        let at = (from..self.end()).find(|at| self.entries[*at as usize].fate != Fate::Mark)?;
        Some((at, &self.entries[at as usize].content))
    }

    /// Where a read_committed reader stands that has read up to an offset: behind what is not a record for it.
    pub fn skip(&self, from: i64) -> i64 {
        let stable = self.stable();
        (from..stable).find(|at| self.entries[*at as usize].fate == Fate::Committed).unwrap_or(stable.max(from))
    }

    /// All that a read_committed reader sees.
    pub fn visible(&self) -> impl Iterator<Item = (i64, &Content)> {
        let stable = self.stable() as usize;
        let committed = |(_, entry): &(usize, &Entry)| entry.fate == Fate::Committed;
        let entries = self.entries[..stable].iter().enumerate().filter(committed);
        entries.map(|(at, entry)| (at as i64, &entry.content))
    }
}
