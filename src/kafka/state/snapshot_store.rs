//! Snapshots on the local disk: one file per partition, which is either complete or absent.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use crate::codec::{SnapshotError, SnapshotReader};
use crate::settings::Settings;

const READ_BYTES: usize = 1 << 18;

/// Snapshots hold personal data: no other user of the machine may read them.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// The snapshots of an application.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotStore {
    folder: PathBuf,
    /// The changelog whose files are named by the partition only.
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
    #[error("the changelog was created again since then")]
    OtherLog,
    #[error("the changelog behind it does not say where the state stands")]
    NoNote,
}

/// Creates the folder for snapshots, if the settings ask for one, and tries to create a file there.
///
/// # Errors
/// The folder or the file cannot be created.
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
    /// The file is not a snapshot, or it is of another partition.
    pub(crate) fn open(
        &self,
        changelog: &str,
        partition: i32,
    ) -> Result<Option<SnapshotReader<BufReader<File>>>, SnapshotUnusable> {
        let path = self.path(changelog, partition);
        // To open a FIFO may take for ever.
        let opened = fs::metadata(&path).and_then(|metadata| match metadata.is_file() {
            true => File::open(&path),
            false => Err(io::Error::other("it is not a plain file")),
        });
        let file = match opened {
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

    /// Replaces the snapshot by a new one.
    ///
    /// # Errors
    /// The file cannot be written. Then the old snapshot is still there.
    pub(crate) fn write(&self, changelog: &str, partition: i32, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(changelog, partition);
        let unfinished = path.with_extension("unfinished");
        let written = write_through(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, &path));
        if written.is_err() {
            // A part of a file is useless, and takes room on the disk.
            let _ = fs::remove_file(&unfinished);
        }
        written?;
        File::open(&self.folder)?.sync_all()
    }
}

/// Writes a file and waits until it is on the disk.
fn write_through(path: &PathBuf, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(FILE_MODE).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_file_is_opened() {
        let folder = std::env::temp_dir().join(format!("tagstream-snapshot-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let store = SnapshotStore { folder: folder.clone(), usual: "changelog".to_owned() };
        assert!(matches!(store.open("changelog", 0), Ok(None)));
        let made = std::process::Command::new("mkfifo").arg(store.path("changelog", 0)).status().expect("mkfifo");
        assert!(made.success());
        let refused = store.open("changelog", 0).err().expect("a FIFO is not a snapshot").to_string();
        assert!(refused.contains("it is not a plain file"), "{refused}");
        fs::remove_dir_all(folder).expect("the folder is there");
    }
}
