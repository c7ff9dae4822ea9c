//! Snapshot files: the bytes of a copy of a partition's state, version 1.
//!
//! # Format
//! Numbers are little-endian.
//!
//! | head | bytes | |
//! | --- | --- | --- |
//! | magic | 7 | `tagsnap` |
//! | version | 1 | 1 |
//! | log | 8 | as in the changelog's meta record: identifies this incarnation of the changelog |
//! | offset | 8, signed | of the changelog: the state contains all records before it, and possibly some after it |
//! | partition | 4, signed | |
//! | topic | 4, then that many | the changelog's name, UTF-8 |
//!
//! Then records of the changelog, the schema first and then segments in the order of their numbers, each as
//!
//! | record | bytes | |
//! | --- | --- | --- |
//! | key | 1, then that many | as in the changelog |
//! | log bytes | 4 | of a segment: the size of its entries in the changelog; outdated entries are left out here |
//! | value | 4, then that many | as in the changelog, with its own checksum |
//!
//! and at the end a key of length 0 and the xxh3 hash (64 bits) of everything before the hash.

use std::io::{self, Read};

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::changelog::{ChangelogDecodeError, ChangelogRecord};
use crate::engine::{ChangelogError, Segment, SnapshotSink, StateRestorer};

const MAGIC: &[u8; 7] = b"tagsnap";

/// The version that is written, and the newest version that can be read.
const VERSION: u8 = 1;

/// The names of topics are shorter.
const TOPIC_BYTES_MAX: u32 = 1 << 10;

/// The head of a snapshot: which changelog it is of, and up to where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotHead {
    /// Identifies the incarnation of the changelog.
    pub log: u64,
    /// The first offset of the changelog to read after the snapshot.
    pub offset: i64,
    pub partition: i32,
    /// The changelog's.
    pub topic: String,
}

/// Why a file cannot be used as a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    #[error("it cannot be read: {0}")]
    Io(String),
    #[error("it is not a snapshot of tagstream")]
    Foreign,
    #[error("it is of version {found}, the newest that this program knows is {VERSION}")]
    UnknownVersion { found: u8 },
    #[error("it is damaged: {what}")]
    Damaged { what: &'static str },
    #[error("it is damaged: {0}")]
    Record(#[from] ChangelogDecodeError),
    #[error("it is damaged: {0}")]
    State(#[from] ChangelogError),
}

impl From<io::Error> for SnapshotError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => SnapshotError::Damaged { what: "it ends too early" },
            _ => SnapshotError::Io(error.to_string()),
        }
    }
}

/// Writes a snapshot into memory. The engine writes the state between [`SnapshotWriter::new`] and
/// [`SnapshotWriter::finish`].
#[derive(Debug)]
pub struct SnapshotWriter {
    bytes: Vec<u8>,
}

impl SnapshotWriter {
    /// `bytes`: the estimated size.
    pub fn new(head: &SnapshotHead, bytes: usize) -> Self {
        let mut out = Vec::with_capacity(bytes);
        out.extend_from_slice(MAGIC);
        out.push(VERSION);
        out.extend_from_slice(&head.log.to_le_bytes());
        out.extend_from_slice(&head.offset.to_le_bytes());
        out.extend_from_slice(&head.partition.to_le_bytes());
        out.extend_from_slice(&(head.topic.len() as u32).to_le_bytes());
        out.extend_from_slice(head.topic.as_bytes());
        SnapshotWriter { bytes: out }
    }

    /// The file.
    pub fn finish(self) -> Vec<u8> {
        let mut bytes = self.bytes;
        bytes.push(0);
        let sum = xxh3_64(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes
    }

    fn put(&mut self, record: &ChangelogRecord<'_>, log_bytes: u32) {
        let start = self.bytes.len();
        self.bytes.push(0);
        record.key().write(&mut self.bytes);
        self.bytes[start] = (self.bytes.len() - start - 1) as u8;
        self.bytes.extend_from_slice(&log_bytes.to_le_bytes());
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        record.write_value(&mut self.bytes);
        let len = (self.bytes.len() - at - 4) as u32;
        self.bytes[at..at + 4].copy_from_slice(&len.to_le_bytes());
    }
}

impl SnapshotSink for SnapshotWriter {
    fn schema(&mut self, id: u64, meaning: &[u8]) {
        self.put(&ChangelogRecord::Schema { id, meaning }, 0);
    }

    fn segment(&mut self, segment: Segment<'_>, log_bytes: u32) {
        self.put(&ChangelogRecord::Segment(segment), log_bytes);
    }
}

/// Reads a snapshot, record by record.
pub struct SnapshotReader<R> {
    file: R,
    sum: Xxh3,
    head: SnapshotHead,
    bytes: u64,
    key: Vec<u8>,
    value: Vec<u8>,
}

/// How far a snapshot has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotProgress {
    More,
    /// The whole file was read, and its checksum is correct.
    Whole,
}

impl<R: Read> SnapshotReader<R> {
    /// Reads the head, which no checksum has confirmed yet.
    ///
    /// # Errors
    /// The file cannot be read, or is not a snapshot of this version.
    pub fn new(file: R) -> Result<Self, SnapshotError> {
        let head = SnapshotHead { log: 0, offset: 0, partition: 0, topic: String::new() };
        let mut reader = SnapshotReader { file, sum: Xxh3::new(), head, bytes: 0, key: Vec::new(), value: Vec::new() };
        if reader.array()? != *MAGIC {
            return Err(SnapshotError::Foreign);
        }
        let [found] = reader.array()?;
        if found != VERSION {
            return Err(SnapshotError::UnknownVersion { found });
        }
        reader.head.log = u64::from_le_bytes(reader.array()?);
        reader.head.offset = i64::from_le_bytes(reader.array()?);
        reader.head.partition = i32::from_le_bytes(reader.array()?);
        let len = u32::from_le_bytes(reader.array()?);
        if len > TOPIC_BYTES_MAX {
            return Err(SnapshotError::Damaged { what: "the topic" });
        }
        let mut topic = Vec::new();
        reader.fill(&mut topic, len)?;
        reader.head.topic = String::from_utf8(topic).map_err(|_| SnapshotError::Damaged { what: "the topic" })?;
        Ok(reader)
    }

    pub fn head(&self) -> &SnapshotHead {
        &self.head
    }

    /// The number of bytes that have been read.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads the next record into a state, which is not valid before [`SnapshotProgress::Whole`] is returned.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn read_into(&mut self, restoring: &mut StateRestorer) -> Result<SnapshotProgress, SnapshotError> {
        let [key_len] = self.array()?;
        if key_len == 0 {
            return self.finish();
        }
        let (mut key, mut value) = (std::mem::take(&mut self.key), std::mem::take(&mut self.value));
        self.fill(&mut key, key_len.into())?;
        let log_bytes = u32::from_le_bytes(self.array()?);
        let value_len = u32::from_le_bytes(self.array()?);
        self.fill(&mut value, value_len)?;
        match ChangelogRecord::read(&key, Some(&value))? {
            ChangelogRecord::Schema { id, meaning } => restoring.snapshot_schema(id, meaning)?,
            ChangelogRecord::Segment(segment) => restoring.snapshot_segment(segment, log_bytes)?,
            ChangelogRecord::Meta(_) | ChangelogRecord::Sources { .. } | ChangelogRecord::Cleared(_) => {
                return Err(SnapshotError::Damaged { what: "a record that does not belong in a snapshot" });
            }
        }
        (self.key, self.value) = (key, value);
        Ok(SnapshotProgress::More)
    }

    fn finish(&mut self) -> Result<SnapshotProgress, SnapshotError> {
        let sum = self.sum.digest();
        if self.array()? != sum.to_le_bytes() {
            return Err(SnapshotError::Damaged { what: "the checksum differs" });
        }
        match self.file.read(&mut [0])? {
            0 => Ok(SnapshotProgress::Whole),
            _ => Err(SnapshotError::Damaged { what: "there are bytes after its end" }),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        self.sum.update(&bytes);
        self.bytes += N as u64;
        Ok(bytes)
    }

    /// Reads `len` bytes; allocates at most the file's size, even for a damaged length.
    fn fill(&mut self, out: &mut Vec<u8>, len: u32) -> Result<(), SnapshotError> {
        out.clear();
        if self.file.by_ref().take(len.into()).read_to_end(out)? < len as usize {
            return Err(SnapshotError::Damaged { what: "it ends too early" });
        }
        self.sum.update(out);
        self.bytes += u64::from(len);
        Ok(())
    }
}
