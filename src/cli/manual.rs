//! `tagstream manual`: completions for shells, and manual pages, made from the command line's own description.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Command, Subcommand};
use clap_complete::Shell;

use crate::cli::output::console::{print_document, report};

/// Write completions for a shell, or manual pages
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tagstream manual completions bash > /etc/bash_completion.d/tagstream
  tagstream manual pages /usr/local/share/man/man1")]
pub(crate) struct ManualArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print the completions for a shell
    Completions { shell: Shell },
    /// Write a manual page for each command into a folder, which is made if it is missing
    Pages { folder: PathBuf },
}

/// Exit codes: 0, or 1 where something cannot be written.
pub(crate) fn run(args: &ManualArgs, command: &mut Command) -> ExitCode {
    match &args.what {
        What::Completions { shell } => print_document(&completions(*shell, command)),
        What::Pages { folder } => match pages(folder, command) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                report(&format!("error: cannot write the pages to {}: {error}", folder.display()));
                ExitCode::FAILURE
            }
        },
    }
}

fn completions(shell: Shell, command: &mut Command) -> String {
    let mut text = Vec::new();
    clap_complete::generate(shell, command, "tagstream", &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn pages(folder: &Path, command: &Command) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command.clone(), folder)
}
