//! The files of the partitions' states in `serve.directory`: read at the start, written now and then, erased from at once.
//!
//! Whoever is erased or forgotten is erased from the file before the next one is written. While a file is being written on
//! its thread, what is erased meanwhile is noted, and erased from it when it is there. A file that cannot be erased from is
//! removed, and so is one that cannot be used.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use xxhash_rust::xxh3::xxh3_64;

use super::entity_table::EntityNumber;
use super::follower::{FollowError, PartitionFollower};
use super::state_file::{StateFile, StateFileError, StateFileReader};
use crate::engine::{ChangelogFollower, Program};
use crate::kafka::{OffsetBounds, PartitionId, PartitionName};

const FOLDER: &str = "states";
/// After a start the first file is soon there; then there is one a minute, if something has changed.
const FIRST_AFTER: Duration = Duration::from_secs(2);
const EVERY: Duration = Duration::from_secs(60);

/// The files, and the one that is being written.
pub(super) struct StateFiles {
    folder: PathBuf,
    files: BTreeMap<PartitionId, StateFile>,
    /// When a partition's file was written or read, and up to which offset of the changelog it goes.
    written: BTreeMap<PartitionId, (Instant, i64)>,
    started: Instant,
    writing: Option<WrittenFile>,
}

struct WrittenFile {
    partition: PartitionId,
    path: PathBuf,
    offset: i64,
    thread: JoinHandle<io::Result<StateFile>>,
    /// Erased since.
    erased: Vec<EntityNumber>,
    /// The follower whose state it is has gone.
    is_void: bool,
}

/// Why a file is not of use at this start.
#[derive(Debug, thiserror::Error)]
enum ResumeError {
    #[error(transparent)]
    File(#[from] StateFileError),
    #[error(transparent)]
    Follow(#[from] FollowError),
    #[error("the changelog goes from {low} to {high}, and the file up to {offset}")]
    OutOfReach { low: i64, high: i64, offset: i64 },
}

impl StateFiles {
    /// Uses a folder below `serve.directory`.
    ///
    /// # Errors
    /// It cannot be made or read.
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        let folder = directory.join(FOLDER);
        fs::create_dir_all(&folder)?;
        for entry in fs::read_dir(&folder)?.flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "unfinished") {
                fs::remove_file(entry.path())?;
            }
        }
        let (files, written) = (BTreeMap::new(), BTreeMap::new());
        Ok(StateFiles { folder, files, written, started: Instant::now(), writing: None })
    }

    fn path(&self, name: &PartitionName) -> PathBuf {
        self.folder.join(format!("{:016x}.states", xxh3_64(name.label().as_bytes())))
    }

    /// A follower that goes on where the file of a partition ends; `None`: there is no file that can be used.
    pub(super) fn resume(
        &mut self,
        partition: PartitionId,
        name: &PartitionName,
        program: &Arc<Program>,
        bounds: OffsetBounds,
    ) -> Option<PartitionFollower> {
        let path = self.path(name);
        if !path.exists() {
            return None;
        }
        match resume(&path, name, program, bounds) {
            Ok((follower, file)) => {
                let (shown, offset) = (path.display(), follower.offset());
                tracing::info!("partition {name}: its state is read from {shown}; the changelog goes on at {offset}");
                self.files.insert(partition, file);
                self.written.insert(partition, (Instant::now(), offset));
                Some(follower)
            }
            Err(error) => {
                tracing::warn!(
                    "the changelog of partition {name} is read from its beginning: {}: {error}",
                    path.display()
                );
                remove(&path);
                None
            }
        }
    }

    /// Removes the files of partitions that are not followed: nothing would be erased from them.
    pub(super) fn remove_others(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if !self.files.values().any(|file| file.path() == entry.path()) {
                remove(&entry.path());
            }
        }
    }

    /// Removes the file of a partition whose follower begins again.
    pub(super) fn void(&mut self, partition: PartitionId) {
        if let Some(file) = self.files.remove(&partition) {
            remove(file.path());
        }
        self.written.remove(&partition);
        if let Some(writing) = self.writing.as_mut().filter(|writing| writing.partition == partition) {
            writing.is_void = true;
        }
    }

    /// Removes all files.
    pub(super) fn void_all(&mut self) {
        let writing = self.writing.iter().map(|writing| writing.partition);
        let all: Vec<PartitionId> = self.files.keys().copied().chain(writing).collect();
        all.into_iter().for_each(|partition| self.void(partition));
        self.started = Instant::now();
    }

    /// Erases entities of a partition.
    pub(super) fn erase(&mut self, partition: PartitionId, numbers: &[EntityNumber]) {
        if numbers.is_empty() {
            return;
        }
        if let Some(writing) = self.writing.as_mut().filter(|writing| writing.partition == partition) {
            writing.erased.extend_from_slice(numbers);
        }
        let Some(file) = self.files.get_mut(&partition) else { return };
        if let Err(error) = file.erase(numbers) {
            tracing::error!("{} is removed, since nothing can be erased from it: {error}", file.path().display());
            self.void(partition);
        }
    }

    /// Takes a file that has been written, and begins the next one where it is time.
    pub(super) fn turn<'f>(&mut self, followers: impl Iterator<Item = (PartitionId, &'f PartitionFollower)>) {
        if self.writing.as_ref().is_some_and(|writing| writing.thread.is_finished())
            && let Some(writing) = self.writing.take()
        {
            self.take_written(writing);
        }
        if self.writing.is_some() {
            return;
        }
        for (partition, follower) in followers {
            let is_due = match self.written.get(&partition) {
                Some((at, offset)) => at.elapsed() >= EVERY && follower.offset() > *offset,
                None => self.started.elapsed() >= FIRST_AFTER,
            };
            if is_due && self.begin(partition, follower) {
                return;
            }
        }
    }

    /// Whether a thread writes the file of a partition now.
    fn begin(&mut self, partition: PartitionId, follower: &PartitionFollower) -> bool {
        let (Some(saved), Some(view)) = (follower.saved(), follower.view()) else { return false };
        let (path, offset) = (self.path(follower.name()), saved.offset);
        let to = path.clone();
        let write = move || StateFile::write(&to, &saved, &view);
        let Ok(thread) = thread::Builder::new().name("states".to_owned()).spawn(write) else { return false };
        self.writing = Some(WrittenFile { partition, path, offset, thread, erased: Vec::new(), is_void: false });
        true
    }

    fn take_written(&mut self, writing: WrittenFile) {
        let WrittenFile { partition, path, offset, thread, erased, is_void } = writing;
        let written = thread.join().unwrap_or_else(|_| Err(io::Error::other("its thread panicked")));
        // Also where it failed: the next attempt is in a minute.
        self.written.insert(partition, (Instant::now(), offset));
        match written {
            Ok(_) if is_void => {
                self.written.remove(&partition);
                remove(&path);
            }
            Ok(file) => {
                self.files.insert(partition, file);
                self.erase(partition, &erased);
            }
            Err(error) => tracing::warn!("the state cannot be written to {}: {error}", path.display()),
        }
    }
}

fn resume(
    path: &Path,
    name: &PartitionName,
    program: &Arc<Program>,
    bounds: OffsetBounds,
) -> Result<(PartitionFollower, StateFile), ResumeError> {
    let reader = StateFileReader::open(path, &name.label(), ChangelogFollower::schema_id(program))?;
    let (OffsetBounds { low, high }, offset) = (bounds, reader.saved.offset);
    // The record before is read again: it tells whether the changelog is the same.
    if offset - 1 < low || offset > high {
        return Err(ResumeError::OutOfReach { low, high, offset });
    }
    let mut follower = PartitionFollower::resume(name.clone(), Arc::clone(program), &reader.saved, high)?;
    let file = reader.read(|state, due| follower.put(state, due))?;
    Ok((follower, file))
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::error!("{} cannot be removed: {error}", path.display());
    }
}
