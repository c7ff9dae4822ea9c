//! Where the tests find the ONNX Runtime: `deploy/setup.sh` puts it there.

use std::path::PathBuf;

/// The library, or the folder that it is in. Where there is none, tests of models are left out, except in CI.
pub fn library() -> Option<PathBuf> {
    let named = std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from);
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    let installed = cache.map(|cache| cache.join("tagstream/onnxruntime-1.31.1/onnxruntime"));
    let found = named.or(installed).filter(|path| path.exists());
    assert!(found.is_some() || std::env::var_os("CI").is_none(), "deploy/setup.sh has not installed the ONNX Runtime");
    if found.is_none() {
        eprintln!("no ONNX Runtime: run deploy/setup.sh for the tests of models");
    }
    found
}
