//! The ONNX Runtime: a library that is looked for and loaded when the first model is.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;

use super::mismatch::{ModelMismatch, ScorePart};

/// The runtime allows one environment a process, for its whole life; whoever opens a model shares it.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// Where the library lies in a folder that is named instead of it: in itself, and as Python's package has it.
const FOLDERS: [&str; 3] = ["", "capi", "onnxruntime/capi"];

const HOW_TO_GET_IT: &str = "`pip install onnxruntime` brings it, in the package's folder `onnxruntime/capi`; name that \
                             folder with --onnx-runtime, ORT_DYLIB_PATH or the setting `scoring.library`";

/// The runtime, from the library given, or from the one that the system knows.
pub fn environment(library: Option<&Path>) -> Result<Environment, ModelMismatch> {
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
    // What fails is told to whoever asked for it; the library need not write it to the standard error as well.
    environment.set_log_level(LogLevel::Fatal);
    *shared = Some(environment.clone());
    Ok(environment)
}

/// The library's file: the one given, or the one in the folder given.
fn find(given: &Path) -> Result<PathBuf, ModelMismatch> {
    let missing = |what: &str| {
        let message = format!("there is no {what} at {}", given.display());
        ModelMismatch::new(ScorePart::Model, message).help(HOW_TO_GET_IT)
    };
    // A relative path would be taken from the program's folder first.
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
        // `libonnxruntime_providers_shared.so` is another.
        name.starts_with("onnxruntime.") && name.contains(std::env::consts::DLL_SUFFIX)
    };
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).filter(is_library).collect();
    found.sort();
    found.into_iter().next()
}
