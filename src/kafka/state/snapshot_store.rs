//! Snapshots on the local disk: for each partition one file, which is there whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use crate::codec::{SnapshotError, SnapshotReader};
use crate::settings::Settings;

const READ_BYTES: usize = 1 << 18;

/// They hold what is known of people: nobody else on the machine may read them.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Where the snapshots of an application are.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotStore {
    folder: PathBuf,
    /// The changelog whose partitions' files are called by their numbers alone.
    usual: String,
}

/// Why a snapshot is not used.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum SnapshotUnusable {
    #[error(transparent)]
    File(#[from] SnapshotError),
    #[error("it is of {topic}, partition {partition}")]
    Other { topic: String, partition: i32 },
    #[error("with it the changelog is read from offset {offset} on, but this one holds {low} to {end}")]
    Offset { offset: i64, low: i64, end: i64 },
    #[error("the changelog was made anew since")]
    OtherLog,
    #[error("nothing that the changelog holds behind it says where the state stands")]
    NoNote,
}

/// Makes the folder for snapshots, if the settings ask for one, and tries whether files can be made there.
///
/// # Errors
/// They cannot.
pub fn prepare(settings: &Settings) -> io::Result<()> {
    let Some(snapshots) = SnapshotStore::of(settings) else { return Ok(()) };
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&snapshots.folder)?;
    let trial = snapshots.folder.join("trial");
    File::create(&trial)?;
    fs::remove_file(trial)
}

impl SnapshotStore {
    pub(crate) fn of(settings: &Settings) -> Option<Self> {
        let state = settings.state.as_ref()?;
        Some(SnapshotStore {
            folder: state.directory.join(&settings.kafka.application),
            usual: settings.changelog_topic(),
        })
    }

    fn path(&self, changelog: &str, partition: i32) -> PathBuf {
        let of = if changelog == self.usual { String::new() } else { format!("{changelog}-") };
        self.folder.join(format!("{of}{partition}.snapshot"))
    }

    /// Opens the snapshot of a changelog's partition, if there is one.
    ///
    /// # Errors
    /// A file that is none, or of something else.
    pub(crate) fn open(
        &self,
        changelog: &str,
        partition: i32,
    ) -> Result<Option<SnapshotReader<BufReader<File>>>, SnapshotUnusable> {
        let file = match File::open(self.path(changelog, partition)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(SnapshotError::from(error).into()),
        };
        let reader = SnapshotReader::new(BufReader::with_capacity(READ_BYTES, file))?;
        let head = reader.head();
        if head.partition != partition || head.topic != changelog {
            return Err(SnapshotUnusable::Other { topic: head.topic.clone(), partition: head.partition });
        }
        Ok(Some(reader))
    }

    /// Puts a snapshot in place of the one that was there.
    ///
    /// # Errors
    /// The disk is full, or whatever else may be wrong with it. What was there is there still.
    pub(crate) fn write(&self, changelog: &str, partition: i32, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(changelog, partition);
        let unfinished = path.with_extension("unfinished");
        let written = write_through(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, &path));
        if written.is_err() {
            // A part of a file is of no use, and takes the room that is wanting.
            let _ = fs::remove_file(&unfinished);
        }
        written?;
        File::open(&self.folder)?.sync_all()
    }
}

/// Writes a file down to the disk.
fn write_through(path: &PathBuf, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(FILE_MODE).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
