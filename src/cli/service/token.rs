//! `tagstream token`: makes tokens for the read side.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};

use crate::catalog::Colours;
use crate::cli::output::console::{print_text, report};
use crate::serve::access::{Scope, Scopes, new_token};

/// Make tokens for the read side
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    New(NewArgs),
}

/// Make a token, and print the line for the file serve.tokens
///
/// The line goes to the standard output: append it to the file. The token goes to the standard error, and is nowhere else:
/// the file holds its hash.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  tagstream token new --name crm --scope profile --scope audience >> tokens")]
struct NewArgs {
    /// Who gets it, as the audit log names them
    #[arg(long, value_name = "NAME")]
    name: String,

    /// What it allows; may be repeated
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<ScopeArg>,
}

/// A scope on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ScopeArg {
    /// Look at a single entity
    Profile,
    /// Count and list entities
    Audience,
    /// Set and remove manual tags, and erase
    Write,
    /// Reload and approve catalogs
    Catalog,
}

impl From<ScopeArg> for Scope {
    fn from(scope: ScopeArg) -> Scope {
        match scope {
            ScopeArg::Profile => Scope::Profile,
            ScopeArg::Audience => Scope::Audience,
            ScopeArg::Write => Scope::Write,
            ScopeArg::Catalog => Scope::Catalog,
        }
    }
}

pub(crate) fn run(args: &TokenArgs) -> ExitCode {
    let TokenCommand::New(args) = &args.command;
    let scopes: Scopes = args.scopes.iter().map(|scope| Scope::from(*scope)).collect();
    match new_token(&args.name, scopes) {
        Ok((token, line)) => {
            report(&format!("the token of {}, which is shown only now: {token}", args.name));
            print_text(&format!("{line}\n"), Colours::Off)
        }
        Err(why) => {
            report(&format!("error: {why}"));
            ExitCode::from(2)
        }
    }
}
