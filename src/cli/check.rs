//! `tagstream check`: all errors and warnings of catalogs, with line and column.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::catalog_file::{CatalogFile, FileError, colours, display_name};
use super::models::{ModelAccess, ModelArgs};
use super::print;
use crate::catalog::{self, Severity};

/// Check catalogs: all errors and warnings, with line and column.
///
/// Exits with 0 when all catalogs are fine, 1 when one has errors, 2 on wrong usage.
#[derive(Debug, clap::Args)]
pub struct Check {
    /// The catalogs; `-` for standard input.
    #[arg(value_name = "CATALOG", required_unless_present = "schema")]
    catalogs: Vec<PathBuf>,

    /// How to report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Let warnings fail as errors do.
    #[arg(long)]
    deny_warnings: bool,

    #[command(flatten)]
    models: ModelArgs,

    /// Print the JSON Schema of a catalog, for editors, and exit.
    #[arg(long, conflicts_with_all = ["catalogs", "format", "deny_warnings"])]
    schema: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people: each problem with its line, the place underlined.
    Text,
    /// For programs: one JSON document.
    Json,
}

/// What became of a file.
enum Outcome {
    Checked(Box<CatalogFile>),
    Failed(String, FileError),
}

pub fn run(args: Check) -> ExitCode {
    if args.schema {
        print(&format!("{:#}\n", catalog::catalog_schema()));
        return ExitCode::SUCCESS;
    }
    let access = args.models.access();
    let outcomes: Vec<Outcome> = args.catalogs.iter().map(|path| check(path, &access)).collect();
    let is_fine = outcomes.iter().all(|outcome| match outcome {
        Outcome::Checked(checked) => {
            checked.loaded.catalog.is_some() && !(args.deny_warnings && checked.count(Severity::Warning) > 0)
        }
        Outcome::Failed(..) => false,
    });
    let report = match args.format {
        Format::Text => outcomes.iter().map(text).collect(),
        Format::Json => format!("{:#}\n", json(&outcomes, is_fine)),
    };
    print(&report);
    if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn check(path: &Path, access: &ModelAccess) -> Outcome {
    match CatalogFile::open(path, access) {
        Ok(file) => Outcome::Checked(Box::new(file)),
        Err(error) => Outcome::Failed(display_name(path), error),
    }
}

fn text(outcome: &Outcome) -> String {
    let checked = match outcome {
        Outcome::Checked(checked) => checked,
        Outcome::Failed(_, error) => return format!("error: {error}\n"),
    };
    let mut report = checked.report(colours(std::io::stdout().is_terminal()));
    report.push_str(&verdict(checked));
    report.push('\n');
    report
}

/// One line a file: `catalog.yaml: fine: 3 tags, 2 counters, 1 attribute`.
fn verdict(checked: &CatalogFile) -> String {
    let (errors, warnings) = (checked.count(Severity::Error), checked.count(Severity::Warning));
    let mut parts = Vec::new();
    if let Some(catalog) = &checked.loaded.catalog {
        let mut sizes = vec![
            counted(catalog.tags.len(), "tag"),
            counted(catalog.counters.len(), "counter"),
            counted(catalog.attributes.len(), "attribute"),
        ];
        if catalog.entities.len() > 1 {
            let names: Vec<&str> = catalog.entities.iter().map(|kind| &*kind.name).collect();
            sizes.push(format!("{} entities ({})", names.len(), names.join(", ")));
        }
        parts.push(format!("fine: {}", sizes.join(", ")));
    } else {
        parts.push(counted(errors, "error"));
    }
    if warnings > 0 {
        parts.push(counted(warnings, "warning"));
    }
    format!("{}: {}", checked.name, parts.join("; "))
}

fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// The documented shape: see `deploy/docs/catalog.md`.
fn json(outcomes: &[Outcome], is_fine: bool) -> Value {
    let file = |outcome: &Outcome| match outcome {
        Outcome::Checked(checked) => {
            let sizes = checked.loaded.catalog.as_ref().map(|catalog| {
                json!({
                    "tags": catalog.tags.len(),
                    "counters": catalog.counters.len(),
                    "attributes": catalog.attributes.len(),
                    "entities": catalog.entities.len(),
                    "fingerprint": format!("{:016x}", catalog.fingerprint),
                })
            });
            let problems: Vec<Value> = checked.loaded.problems.iter().map(catalog::as_json).collect();
            json!({ "file": checked.name, "catalog": sizes, "problems": problems })
        }
        Outcome::Failed(name, error) => {
            let problem = json!({
                "severity": "error", "code": "unreadable", "message": error.to_string(), "help": null,
                "line": 1, "column": 1, "start": 0, "end": 0, "related": [],
            });
            json!({ "file": name, "catalog": null, "problems": [problem] })
        }
    };
    let files: Vec<Value> = outcomes.iter().map(file).collect();
    json!({ "ok": is_fine, "files": files })
}
