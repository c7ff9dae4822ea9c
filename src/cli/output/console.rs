//! Writes results to the standard output and messages to the standard error.

use std::io::Write;
use std::process::ExitCode;

/// The form of a command's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one JSON document.
    Json,
}

/// Prints a message that is not a result.
pub(crate) fn report(message: &str) {
    print_error(&format!("tagstream: {message}\n"));
}

/// Prints to the standard error. That it is closed or full is not a reason to fail.
pub(crate) fn print_error(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Prints an error.
pub(crate) fn fail(error: &dyn std::error::Error) -> ExitCode {
    report(&format!("error: {error}"));
    ExitCode::FAILURE
}

/// Prints a result. A reader that has closed the standard output is not an error.
pub(crate) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
