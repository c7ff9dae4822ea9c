//! Notices that the catalog's file has changed, by looking at it again and again.
//!
//! A notification from the system would miss a mounted ConfigMap, where a link changes and not the file. A file may be seen
//! half written, so a change counts when two looks in a row have found the same.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::time::Duration;

/// What a look at the file found: the hash of its text, or `None` where it cannot be read.
type Content = Option<u64>;

/// Looks at the catalog's file.
#[derive(Debug)]
pub(crate) struct CatalogWatch {
    path: PathBuf,
    pub(crate) interval: Duration,
    looks: Looks,
}

impl CatalogWatch {
    /// The file as it is now is the catalog that runs.
    pub(crate) fn new(path: PathBuf, interval: Duration) -> Self {
        let now = content(&path);
        CatalogWatch { path, interval, looks: Looks { loaded: now, last: now } }
    }

    /// Whether the catalog has to be read again.
    pub(crate) fn has_changed(&mut self) -> bool {
        self.looks.add(content(&self.path))
    }
}

/// What the looks have found.
#[derive(Debug)]
struct Looks {
    /// What was last read as a catalog, also where it has errors: they are reported once.
    loaded: Content,
    last: Content,
}

impl Looks {
    /// Whether what is there now has to be read.
    fn add(&mut self, now: Content) -> bool {
        let settled = now == self.last;
        self.last = now;
        let is_new = settled && now != self.loaded;
        if is_new {
            self.loaded = now;
        }
        is_new
    }
}

/// Only a plain file is opened: a FIFO could keep the service waiting.
fn content(path: &PathBuf) -> Content {
    let text = fs::metadata(path).ok().filter(fs::Metadata::is_file).and_then(|_| fs::read(path).ok())?;
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::{Content, Looks};

    /// The looks after the catalog with the text 1 was loaded, and which of them lead to a reload.
    fn check(looks: &[Content], reloads: &[usize]) {
        let mut state = Looks { loaded: Some(1), last: Some(1) };
        let found: Vec<usize> = (0..looks.len()).filter(|index| state.add(looks[*index])).collect();
        assert_eq!(found, reloads, "{looks:?}");
    }

    #[test]
    fn a_change_counts_once_when_two_looks_agree() {
        check(&[Some(1), Some(1), Some(1)], &[]);
        check(&[Some(2), Some(2), Some(2)], &[1]);
        // Written in two parts.
        check(&[Some(2), Some(3), Some(3), Some(3)], &[2]);
        // Written and taken back.
        check(&[Some(2), Some(1), Some(1)], &[]);
        // Replaced, and away for a moment; then away for good, which is reported once.
        check(&[None, Some(2), Some(2)], &[2]);
        check(&[None, None, None, Some(1), Some(1)], &[1, 4]);
    }
}
