//! Writes results to the standard output and messages to the standard error.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use super::escape::escaped_lines;
use crate::catalog::Colours;

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
    print_error(&format!("tagstream: {message}\n"), Colours::Off);
}

/// Prints to the standard error. That it is closed or full is not a reason to fail.
pub(crate) fn print_error(text: &str, colours: Colours) {
    let _ = std::io::stderr().write_all(escaped_lines(text, colours).as_bytes());
}

/// Prints an error.
pub(crate) fn fail(error: &dyn std::error::Error) -> ExitCode {
    report(&format!("error: {error}"));
    ExitCode::FAILURE
}

/// Prints a result for people.
pub(crate) fn print_text(text: &str, colours: Colours) -> ExitCode {
    print_document(&escaped_lines(text, colours))
}

/// Prints a result for programs, as it is. Returns the exit code: a result that cannot be written is a failure, but not
/// a reader that has closed the standard output, since it has read what it wanted.
pub(crate) fn print_document(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            report(&format!("error: the standard output can't be written: {error}"));
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}
