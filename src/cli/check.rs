//! `tagstream check`: all errors and warnings of catalogs, with line and column.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use crate::catalog::{self, Colours, Severity};
use crate::cli::input::catalog_file::{CatalogFile, FileError, colours, display_name};
use crate::cli::input::models::{ModelAccess, ModelArgs};
use crate::cli::output::console::{print_document, print_text};
use crate::engine::{CompiledCatalog, RecordBounds};

/// What a topic takes unless its `max.message.bytes` is raised.
const TOPIC_BYTES: u64 = 1 << 20;

/// Check catalogs: all errors and warnings, with line and column.
///
/// Exits with 0 when all catalogs are fine, 1 when one has errors, 2 on wrong usage.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// The catalogs; `-` for standard input.
    #[arg(value_name = "CATALOG", required_unless_present = "schema")]
    catalogs: Vec<PathBuf>,

    /// How to report.
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    format: CheckFormat,

    /// Fail on warnings as on errors.
    #[arg(long)]
    deny_warnings: bool,

    #[command(flatten)]
    models: ModelArgs,

    /// Print the JSON Schema of a catalog, for editors, and exit.
    #[arg(long, conflicts_with_all = ["catalogs", "format", "deny_warnings"])]
    schema: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum CheckFormat {
    /// For people: each problem with its line and the underlined text.
    Text,
    /// For programs: one JSON document.
    Json,
}

/// A file that was checked, or could not be read.
enum CheckedFile {
    Read(Box<CatalogFile>),
    Unreadable(String, FileError),
}

pub(crate) fn run(args: &CheckArgs) -> ExitCode {
    if args.schema {
        return print_document(&format!("{:#}\n", catalog::catalog_schema()));
    }
    let access = args.models.access();
    let files: Vec<CheckedFile> = args.catalogs.iter().map(|path| check(path, &access)).collect();
    let is_fine = files.iter().all(|file| match file {
        CheckedFile::Read(checked) => {
            checked.loaded.catalog.is_some() && !(args.deny_warnings && checked.count(Severity::Warning) > 0)
        }
        CheckedFile::Unreadable(..) => false,
    });
    let printed = match args.format {
        CheckFormat::Text => {
            let colours = colours(std::io::stdout().is_terminal());
            let report: String = files.iter().map(|file| text(file, colours)).collect();
            print_text(&report, colours)
        }
        CheckFormat::Json => print_document(&format!("{:#}\n", json(&files, is_fine))),
    };
    if is_fine { printed } else { ExitCode::FAILURE }
}

fn check(path: &Path, access: &ModelAccess) -> CheckedFile {
    match CatalogFile::open(path, access) {
        Ok(file) => CheckedFile::Read(Box::new(file)),
        Err(error) => CheckedFile::Unreadable(display_name(path), error),
    }
}

fn text(file: &CheckedFile, colours: Colours) -> String {
    let checked = match file {
        CheckedFile::Read(checked) => checked,
        CheckedFile::Unreadable(_, error) => return format!("error: {error}\n"),
    };
    let mut report = checked.report(colours);
    report.push_str(&summary(checked));
    report.push('\n');
    for (entity, bounds) in bounds(checked) {
        report.push_str(&large(&entity, bounds));
    }
    report
}

/// The greatest sizes of the records of each kind of entity.
fn bounds(checked: &CatalogFile) -> Vec<(String, RecordBounds)> {
    let Some(catalog) = &checked.loaded.catalog else { return Vec::new() };
    let compiled = CompiledCatalog::new(catalog.clone());
    compiled.programs().map(|program| (program.entity().to_owned(), program.record_bounds())).collect()
}

/// Names records that may become larger than a topic usually takes.
fn large(entity: &str, RecordBounds { state, tag_change, current_tags }: RecordBounds) -> String {
    let records = [("state", state), ("tag change", tag_change), ("current tags", current_tags)];
    let large = records.iter().filter(|(_, bytes)| *bytes > TOPIC_BYTES);
    let line = |(record, bytes): &(&str, u64)| {
        format!(
            "note: the {record} of one {entity} may take {:.1} MB, more than a topic usually takes: raise its \
             max.message.bytes, or lower max_text, dedup_limit or a counter's limit or window\n",
            *bytes as f64 / 1e6
        )
    };
    large.map(line).collect()
}

/// One line per file: `catalog.yaml: fine: 3 tags, 2 counters, 1 attribute`.
fn summary(checked: &CatalogFile) -> String {
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

fn largest_document((entity, bounds): (String, RecordBounds)) -> (String, Value) {
    let RecordBounds { state, tag_change, current_tags } = bounds;
    (entity, json!({ "state": state, "tag_change": tag_change, "current_tags": current_tags }))
}

/// The documented shape: see `deploy/docs/catalog.md`.
fn json(files: &[CheckedFile], is_fine: bool) -> Value {
    let file = |file: &CheckedFile| match file {
        CheckedFile::Read(checked) => {
            let largest: Map<String, Value> = bounds(checked).into_iter().map(largest_document).collect();
            let sizes = checked.loaded.catalog.as_ref().map(|catalog| {
                json!({
                    "tags": catalog.tags.len(),
                    "counters": catalog.counters.len(),
                    "attributes": catalog.attributes.len(),
                    "entities": catalog.entities.len(),
                    "fingerprint": format!("{:016x}", catalog.fingerprint),
                    "largest_bytes": largest,
                })
            });
            let problems: Vec<Value> = checked.loaded.problems.iter().map(catalog::as_json).collect();
            json!({ "file": checked.name, "catalog": sizes, "problems": problems })
        }
        CheckedFile::Unreadable(name, error) => {
            let problem = json!({
                "severity": "error", "code": "unreadable", "message": error.to_string(), "help": null,
                "line": 1, "column": 1, "start": 0, "end": 0, "related": [],
            });
            json!({ "file": name, "catalog": null, "problems": [problem] })
        }
    };
    let documents: Vec<Value> = files.iter().map(file).collect();
    json!({ "ok": is_fine,  "files": documents })
}
