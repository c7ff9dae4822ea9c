//! The file of a snapshot: bytes of a copy of a partition, version 1.
//!
//! # Format
//! Numbers are little-endian.
//!
//! | head | bytes | |
//! | --- | --- | --- |
//! | magic | 7 | `tagsnap` |
//! | version | 1 | 1 |
//! | log | 8 | as in the changelog's meta record: tells one life of a changelog from another |
//! | offset | 8, signed | of the changelog: the state holds all that stands before it, and maybe some of what stands behind |
//! | partition | 4, signed | |
//! | topic | 4, then that many | the changelog's name, UTF-8 |
//!
//! Then records of the changelog, the schema first and then segments in the order of their numbers, each as
//!
//! | record | bytes | |
//! | --- | --- | --- |
//! | key | 1, then that many | as in the changelog |
//! | log bytes | 4 | of a segment: the size of its entries in the changelog; those that are out of date are left out here |
//! | value | 4, then that many | as in the changelog, with its own checksum |
//!
//! and at the end a key of length 0 and the xxh3 hash (64 bits) of everything before the hash.

use std::io::{self, Read};

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::changelog::{ChangelogRecord, Unreadable};
use crate::engine::{ChangelogError, Segment, SnapshotSink, StateRestorer};

const MAGIC: &[u8; 7] = b"tagsnap";

/// The version that is written, and the newest that can be read.
const VERSION: u8 = 1;

/// Names of topics are shorter.
const TOPIC_BYTES_MAX: u32 = 1 << 10;

/// What a snapshot is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotHead {
    /// Tells one life of a changelog from another.
    pub log: u64,
    /// The changelog is to be read from here on.
    pub offset: i64,
    pub partition: i32,
    /// The changelog's.
    pub topic: String,
}

/// Why a file is no snapshot that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    #[error("it cannot be read: {0}")]
    Io(String),
    #[error("it is none of tagstream's snapshots")]
    Foreign,
    #[error("it is of version {found}, the newest that this program knows is {VERSION}")]
    UnknownVersion { found: u8 },
    #[error("it is damaged: {what}")]
    Damaged { what: &'static str },
    #[error("it is damaged: {0}")]
    Record(#[from] Unreadable),
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

/// Writes a snapshot into memory: a copy goes between [`SnapshotWriter::new`] and [`SnapshotWriter::finish`].
#[derive(Debug)]
pub struct SnapshotWriter {
    bytes: Vec<u8>,
}

impl SnapshotWriter {
    /// `bytes`: about how many there will be.
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
pub enum Progress {
    More,
    /// All of it was read, and is as it was written.
    Whole,
}

impl<R: Read> SnapshotReader<R> {
    /// Reads the head, which nothing has confirmed yet.
    ///
    /// # Errors
    /// A file that cannot be read, or is none of this version.
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

    /// How many have been read.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads the next record into a state, which is worth nothing until [`Progress::Whole`] is said.
    ///
    /// # Errors
    /// A file that cannot be read, or is not as it was written.
    pub fn read_into(&mut self, restoring: &mut StateRestorer) -> Result<Progress, SnapshotError> {
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
                return Err(SnapshotError::Damaged { what: "a record that is none of a copy" });
            }
        }
        (self.key, self.value) = (key, value);
        Ok(Progress::More)
    }

    fn finish(&mut self) -> Result<Progress, SnapshotError> {
        let sum = self.sum.digest();
        if self.array()? != sum.to_le_bytes() {
            return Err(SnapshotError::Damaged { what: "the checksum differs" });
        }
        match self.file.read(&mut [0])? {
            0 => Ok(Progress::Whole),
            _ => Err(SnapshotError::Damaged { what: "it goes on behind its end" }),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        self.sum.update(&bytes);
        self.bytes += N as u64;
        Ok(bytes)
    }

    /// Takes no more room than the file has bytes, whatever a damaged length says.
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
