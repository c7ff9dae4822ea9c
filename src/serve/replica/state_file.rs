//! A file with the state of a partition as of one committed transaction, so that a start need not read the whole changelog.
//!
//! # Format
//! Numbers are little-endian; a text is its length (4) and its bytes.
//!
//! | | bytes |
//! | --- | --- |
//! | magic and version | `tagserve`, 1 |
//! | the partition's name | text |
//! | where the changelog goes on; the first offset of the partition itself that is not in the state | 8, 8 |
//! | the id of the schema of all states | 8 |
//! | the schemas of the changelog: how many, then of each its id and its meaning | 4; 8, text |
//! | the last meta record: key and value, as in the changelog | text, text |
//! | the xxh3 hash of all that | 8 |
//! | each state: its length, when it is due, the xxh3 hash of it with that instant as the seed, the state | 4, 8, 8, and the state |
//! | the end: the largest length there is, then the number of states | 4, 8 |
//!
//! # What is erased is gone
//! A state is erased by writing zeros over it, in place: nothing else in the file is moved, and a reader passes over it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::entity_table::EntityNumber;
use super::view::PartitionView;
use crate::model::Timestamp;

const MAGIC: &[u8; 9] = b"tagserve\x01";
const END: u32 = u32::MAX;
/// A longer text or state is a damaged one.
const BYTES_MAX: u32 = 1 << 28;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateFileError {
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("it is not a file of states, or one of another version")]
    Foreign,
    #[error("it is damaged")]
    Damaged,
    #[error("it is of {0}")]
    OtherPartition(String),
    #[error("it was written under another catalog")]
    OtherSchema,
}

/// What a file says of a partition beside its states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedPartition {
    pub label: String,
    /// Where the changelog goes on.
    pub offset: i64,
    pub next_input: i64,
    /// The id of the schema of all states.
    pub schema: u64,
    /// The schemas of the changelog, by id.
    pub schemas: Vec<(u64, Vec<u8>)>,
    /// The meta record that ended the transaction: key and value.
    pub meta: (Vec<u8>, Vec<u8>),
}

/// A file, and where in it the state of each entity is.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    /// The place of a state, behind its length; 0: it is not there.
    places: Vec<u64>,
}

/// A file that is being read.
pub struct StateFileReader {
    path: PathBuf,
    file: BufReader<File>,
    position: u64,
    pub saved: SavedPartition,
}

impl SavedPartition {
    fn write(&self, out: &mut Vec<u8>) {
        let text = |bytes: &[u8], out: &mut Vec<u8>| {
            out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            out.extend_from_slice(bytes);
        };
        out.extend_from_slice(MAGIC);
        text(self.label.as_bytes(), out);
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.next_input.to_le_bytes());
        out.extend_from_slice(&self.schema.to_le_bytes());
        out.extend_from_slice(&(self.schemas.len() as u32).to_le_bytes());
        for (id, meaning) in &self.schemas {
            out.extend_from_slice(&id.to_le_bytes());
            text(meaning, out);
        }
        text(&self.meta.0, out);
        text(&self.meta.1, out);
        out.extend_from_slice(&xxh3_64(out).to_le_bytes());
    }
}

impl StateFile {
    /// Writes the state of a view; the file is there as a whole, or it is not there.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(path: &Path, saved: &SavedPartition, view: &PartitionView) -> io::Result<Self> {
        let unfinished = path.with_extension("unfinished");
        let written = Self::write_to(&unfinished, saved, view).and_then(|places| {
            fs::rename(&unfinished, path)?;
            File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
            Ok(StateFile { path: path.to_owned(), places })
        });
        if written.is_err() {
            // A part of a file is useless, and holds what may be erased.
            let _ = fs::remove_file(&unfinished);
        }
        written
    }

    fn write_to(path: &Path, saved: &SavedPartition, view: &PartitionView) -> io::Result<Vec<u64>> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        let (mut out, mut head, mut places) = (BufWriter::with_capacity(1 << 20, file), Vec::new(), Vec::new());
        saved.write(&mut head);
        out.write_all(&head)?;
        let (mut position, mut count) = (head.len() as u64, 0_u64);
        for (number, state, due) in view.states() {
            out.write_all(&(state.len() as u32).to_le_bytes())?;
            out.write_all(&due.ms().to_le_bytes())?;
            out.write_all(&hash_of(state, due).to_le_bytes())?;
            out.write_all(state)?;
            note_place(&mut places, number, position + 4);
            position += 20 + state.len() as u64;
            count += 1;
        }
        out.write_all(&END.to_le_bytes())?;
        out.write_all(&count.to_le_bytes())?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(places)
    }

    /// Writes zeros over the states of these entities.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn erase(&mut self, numbers: &[EntityNumber]) -> io::Result<()> {
        let mut file: Option<File> = None;
        for number in numbers {
            let place = self.places.get_mut(*number as usize).map(std::mem::take).filter(|place| *place > 0);
            let Some(place) = place else { continue };
            if file.is_none() {
                file = Some(OpenOptions::new().read(true).write(true).open(&self.path)?);
            }
            let Some(file) = &mut file else { continue };
            file.seek(SeekFrom::Start(place - 4))?;
            let mut length = [0; 4];
            file.read_exact(&mut length)?;
            let zeros = vec![0; 16 + u32::from_le_bytes(length).min(BYTES_MAX) as usize];
            file.write_all(&zeros)?;
        }
        file.map_or(Ok(()), |file| file.sync_data())
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn hash_of(state: &[u8], due: Timestamp) -> u64 {
    xxh3_64_with_seed(state, due.ms().cast_unsigned())
}

fn note_place(places: &mut Vec<u64>, number: EntityNumber, place: u64) {
    if places.len() <= number as usize {
        places.resize(number as usize + 1, 0);
    }
    places[number as usize] = place;
}

impl StateFileReader {
    /// Opens a file that has to be of this partition, and its states of this schema.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn open(path: &Path, label: &str, schema: u64) -> Result<Self, StateFileError> {
        let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
        let mut head = HeadReader { file: &mut file, read: Vec::new() };
        if head.take(MAGIC.len() as u32)? != MAGIC {
            return Err(StateFileError::Foreign);
        }
        let found = String::from_utf8(head.text()?).map_err(|_| StateFileError::Damaged)?;
        let (offset, next_input, of) = (head.long()?, head.long()?, head.long()?.cast_unsigned());
        let count = head.short()?;
        let mut schemas = Vec::new();
        for _ in 0..count {
            schemas.push((head.long()?.cast_unsigned(), head.text()?));
        }
        let meta = (head.text()?, head.text()?);
        let expected = xxh3_64(&head.read);
        if head.long()?.cast_unsigned() != expected {
            return Err(StateFileError::Damaged);
        }
        let position = head.read.len() as u64;
        match () {
            () if found != label => Err(StateFileError::OtherPartition(found)),
            () if of != schema => Err(StateFileError::OtherSchema),
            () => {
                let saved = SavedPartition { label: found, offset, next_input, schema: of, schemas, meta };
                Ok(StateFileReader { path: path.to_owned(), file, position, saved })
            }
        }
    }

    /// Hands out all states, each with the instant at which it is due; those that were erased are left out. What is handed
    /// out is whole only if this succeeds.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn read(mut self, mut each: impl FnMut(&[u8], Timestamp) -> EntityNumber) -> Result<StateFile, StateFileError> {
        let (mut places, mut state, mut count) = (Vec::new(), Vec::new(), 0_u64);
        loop {
            let length = u32::from_le_bytes(self.array()?);
            if length == END {
                let is_whole = u64::from_le_bytes(self.array()?) == count;
                return if is_whole { Ok(StateFile { path: self.path, places }) } else { Err(StateFileError::Damaged) };
            }
            if length > BYTES_MAX {
                return Err(StateFileError::Damaged);
            }
            let (due, hash): ([u8; 8], [u8; 8]) = (self.array()?, self.array()?);
            state.resize(length as usize, 0);
            self.file.read_exact(&mut state)?;
            let is_erased = hash == [0; 8] && due == [0; 8] && state.iter().all(|byte| *byte == 0);
            if !is_erased {
                let due = Timestamp::from_ms(i64::from_le_bytes(due));
                if u64::from_le_bytes(hash) != hash_of(&state, due) {
                    return Err(StateFileError::Damaged);
                }
                let number = each(&state, due);
                note_place(&mut places, number, self.position + 4);
            }
            self.position += 20 + u64::from(length);
            count += 1;
        }
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// Reads the head, and remembers it for its hash.
struct HeadReader<'a> {
    file: &'a mut BufReader<File>,
    read: Vec<u8>,
}

impl HeadReader<'_> {
    fn take(&mut self, count: u32) -> Result<Vec<u8>, StateFileError> {
        if count > BYTES_MAX {
            return Err(StateFileError::Damaged);
        }
        let mut bytes = vec![0; count as usize];
        self.file.read_exact(&mut bytes)?;
        self.read.extend_from_slice(&bytes);
        Ok(bytes)
    }

    fn short(&mut self) -> Result<u32, StateFileError> {
        let bytes = self.take(4)?;
        bytes.try_into().map(u32::from_le_bytes).map_err(|_| StateFileError::Damaged)
    }

    fn long(&mut self) -> Result<i64, StateFileError> {
        let bytes = self.take(8)?;
        bytes.try_into().map(i64::from_le_bytes).map_err(|_| StateFileError::Damaged)
    }

    fn text(&mut self) -> Result<Vec<u8>, StateFileError> {
        let count = self.short()?;
        self.take(count)
    }
}
