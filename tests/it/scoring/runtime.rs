//! Where the tests find the ONNX Runtime: `deploy/setup.sh` puts it there.

use std::path::PathBuf;

use crate::installed;

/// The library, or the folder that it is in. Where there is none, tests of models are left out, except in CI.
pub fn library() -> Option<PathBuf> {
    let named = std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from);
    let installed = || installed::find("onnxruntime-1.31.1/onnxruntime");
    let found = named.filter(|path| path.exists()).or_else(installed);
    assert!(found.is_some() || std::env::var_os("CI").is_none(), "deploy/setup.sh has not installed the ONNX Runtime");
    if found.is_none() {
        eprintln!("no ONNX Runtime: run deploy/setup.sh for the tests of models");
    }
    found
}
