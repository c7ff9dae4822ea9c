//! The ONNX Runtime: a library that is found and loaded with the first model.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;

use super::mismatch::{ModelMismatch, ScorePart};

/// The runtime allows one environment per process, which is never closed; all models share it.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// Where the library is in a named folder: in the folder itself, or as in Python's package.
const FOLDERS: [&str; 3] = ["", "capi", "onnxruntime/capi"];

const HOW_TO_GET_IT: &str = "`pip install onnxruntime` brings it, in the package's folder `onnxruntime/capi`; name that \
                             folder with --onnx-runtime, ORT_DYLIB_PATH or the setting `scoring.library`";

/// The runtime, from the given library or from the system's.
pub(crate) fn environment(library: Option<&Path>) -> Result<Environment, ModelMismatch> {
    let mut shared = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = &*shared {
        return Ok(environment.clone());
    }
    let path = match library {
        Some(given) => find(given)?,
        None => PathBuf::from(format!("{}onnxruntime{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)),
    };
    let builder = ort::init_from(&path).map_err(|error| match (library, error) {
        (None, ort::LoadDynamicError::Dlopen { .. }) => {
            ModelMismatch::new(ScorePart::Model, "a model needs the ONNX Runtime, and this system has none")
                .help(HOW_TO_GET_IT)
        }
        (_, error) => {
            let message = format!("the ONNX Runtime can't be used: {error}");
            ModelMismatch::new(ScorePart::Model, message).help(HOW_TO_GET_IT)
        }
    })?;
    let environment = builder.with_name("tagstream").with_telemetry(false).build();
    let environment = environment.map_err(|error| {
        ModelMismatch::new(ScorePart::Model, format!("the ONNX Runtime does not start: {}", error.message()))
    })?;
    // Errors are returned to the caller; the library must not also write them to the standard error.
    environment.set_log_level(LogLevel::Fatal);
    *shared = Some(environment.clone());
    Ok(environment)
}

/// The library's file: the given file, or the one in the given folder.
fn find(given: &Path) -> Result<PathBuf, ModelMismatch> {
    let missing = |what: &str| {
        let message = format!("there is no {what} at {}", given.display());
        ModelMismatch::new(ScorePart::Model, message).help(HOW_TO_GET_IT)
    };
    // A relative path would first be resolved in the program's folder.
    let given = std::path::absolute(given).map_err(|_| missing("ONNX Runtime"))?;
    if given.is_file() {
        return Ok(given);
    }
    let found = FOLDERS.iter().find_map(|folder| in_folder(&given.join(folder)));
    found.ok_or_else(|| missing(if given.is_dir() { "libonnxruntime" } else { "file or folder" }))
}

fn in_folder(folder: &Path) -> Option<PathBuf> {
    let is_library = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.strip_prefix(std::env::consts::DLL_PREFIX).unwrap_or(&name);
        // `libonnxruntime_providers_shared.so` is another library.
        name.starts_with("onnxruntime.") && name.contains(std::env::consts::DLL_SUFFIX)
    };
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).filter(is_library).collect();
    found.sort();
    found.into_iter().next()
}
