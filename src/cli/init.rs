//! `tagstream init`: writes a first catalog with its tests and some events, to start from.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::catalog::Colours;
use crate::cli::output::console::{print_text, report};

/// Write a first catalog, with comments, its tests, and some events to replay
///
/// Exits with 0 when all files were written, 1 when one exists already or can't be written, 2 on wrong usage.
#[derive(Debug, clap::Args)]
pub(crate) struct InitArgs {
    /// The folder; created if it does not exist
    #[arg(default_value = ".")]
    folder: PathBuf,
}

const FILES: [(&str, &str); 3] = [
    ("catalog.yaml", include_str!("../../deploy/examples/starter/catalog.yaml")),
    ("tests.yaml", include_str!("../../deploy/examples/starter/tests.yaml")),
    ("events.ndjson", include_str!("../../deploy/examples/starter/events.ndjson")),
];

pub(crate) fn run(args: &InitArgs) -> ExitCode {
    let paths = FILES.map(|(name, _)| args.folder.join(name));
    // All or none: a catalog beside other tests would be confusing.
    if let Some(existing) = paths.iter().find(|path| path.exists()) {
        report(&format!("error: {} exists already; nothing was written", existing.display()));
        return ExitCode::FAILURE;
    }
    for (path, (_, text)) in paths.iter().zip(FILES) {
        if let Err(error) = write(&args.folder, path, text) {
            report(&format!("error: {}: {error}", path.display()));
            return ExitCode::FAILURE;
        }
    }
    let [catalog, tests, events] = paths.map(|path| path.display().to_string());
    let text = format!(
        "wrote {catalog}, {tests} and {events}; next:\n  tagstream check {catalog}\n  tagstream test {tests}\n  \
         tagstream replay {catalog} --input {events} --summary\n"
    );
    print_text(&text, Colours::Off)
}

fn write(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}
