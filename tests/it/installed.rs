//! Where the tests find what `deploy/setup.sh` has put into the cache folder.

use std::path::{Path, PathBuf};

/// A thing in the cache folder, if it is there.
pub fn find(path: &str) -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
    cache.map(|cache| cache.join("tagstream").join(path)).filter(|path| path.exists())
}

/// A thing without which a test cannot be run.
pub fn expect(path: &str) -> PathBuf {
    find(path).unwrap_or_else(|| panic!("{path} is not in the cache folder: run deploy/setup.sh"))
}
