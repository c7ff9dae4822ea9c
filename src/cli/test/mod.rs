//! `tagstream test`: unit tests of catalogs, events in and tags expected at given instants.

mod coverage;
mod envelope;
mod report;
mod story;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use coverage::Coverage;
use report::{CaseReport, FileReport, junit, text};

use super::catalog_file::{self, colours, display_name, read};
use super::models::{ModelArgs, Runnable};
use super::print;
use crate::catalog::{self, Casebook};
use crate::engine::CompiledCatalog;
use crate::scoring::Models;

/// Unit tests of catalogs: events in, tags expected at given instants
///
/// Exits with 0 when all cases pass, 1 when one fails or a file has errors, 2 on wrong usage.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tagstream test tests.yaml
  tagstream test tests/*.yaml --require-coverage
  tagstream test tests.yaml --run \"two weeks\"
  tagstream test tests.yaml --format junit > report.xml")]
pub struct TestArgs {
    /// The test files; each names its catalog
    #[arg(value_name = "TESTS", required_unless_present = "schema")]
    tests: Vec<PathBuf>,

    /// Only the cases whose names hold this text
    #[arg(long, value_name = "TEXT")]
    run: Option<String>,

    /// How to report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Fail when a tag, stage or band is never entered or never left by any case
    #[arg(long, conflicts_with = "run")]
    require_coverage: bool,

    #[command(flatten)]
    models: ModelArgs,

    /// Print the JSON Schema of a test file, for editors, and exit
    #[arg(long, conflicts_with_all = ["tests", "run", "format", "require_coverage"])]
    schema: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people: what fails, with the reasons of the tags.
    Text,
    /// For CI: JUnit's XML.
    Junit,
}

/// What all files over one catalog have seen of it.
struct Covered {
    catalog: PathBuf,
    coverage: Coverage,
}

pub fn run(args: &TestArgs) -> ExitCode {
    if args.schema {
        print(&format!("{:#}\n", catalog::casebook_schema()));
        return ExitCode::SUCCESS;
    }
    let mut covered = Vec::new();
    let mut reports: Vec<FileReport> = args.tests.iter().map(|path| test(path, args, &mut covered)).collect();
    let is_covered = !args.require_coverage || covered.iter().all(|covered| covered.coverage.is_full());
    let mut all_pass = reports.iter().all(FileReport::passes);
    // A slip in the name must not pass for a test; of a file that can't be run no name is known.
    if let Some(name) = &args.run
        && reports.iter().all(|report| report.cases.is_ok() && !report.has_cases())
    {
        super::report(&format!("error: no case's name holds `{name}`"));
        all_pass = false;
    }
    if args.run.is_some() {
        reports.retain(|report| report.cases.is_err() || report.has_cases());
    }
    // A part of the cases says nothing of what all of them see.
    let wanted = if args.run.is_none() { &covered[..] } else { &[] };
    let coverage: Vec<String> =
        wanted.iter().map(|Covered { catalog, coverage }| coverage.report(&catalog.display().to_string())).collect();
    let report = match args.format {
        Format::Text => text(&reports) + &coverage.concat(),
        Format::Junit => {
            coverage.iter().for_each(|coverage| eprint!("{coverage}"));
            junit(&reports)
        }
    };
    print(&report);
    if all_pass && is_covered { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn test(path: &Path, args: &TestArgs, covered: &mut Vec<Covered>) -> FileReport {
    let name = display_name(path);
    let folder = path.parent().unwrap_or(Path::new(""));
    let (casebook, catalog, programs) = match open(path, &name, folder, args) {
        Ok(opened) => opened,
        Err(wrong) => return FileReport { name, cases: Err(wrong) },
    };
    let place = covered.iter().position(|covered| covered.catalog == catalog).unwrap_or_else(|| {
        covered.push(Covered { catalog, coverage: Coverage::new(&programs.catalog) });
        covered.len() - 1
    });
    let coverage = &mut covered[place].coverage;
    let wanted = |name: &str| args.run.as_ref().is_none_or(|text| name.contains(text.as_str()));
    let cases = casebook.cases.iter().filter(|case| wanted(&case.name)).map(|case| {
        let told = story::run(case, &programs, folder, coverage);
        for (line, warning) in told.warnings {
            super::report(&format!("warning: {name}:{line}: {warning}"));
        }
        CaseReport { name: case.name.clone(), line: case.line, failures: told.failures }
    });
    let cases = Ok(cases.collect());
    FileReport { name, cases }
}

type Opened = (Casebook, PathBuf, Arc<CompiledCatalog>);

/// A test file with its catalog; without one, what is wrong has been said, and is handed back.
fn open(path: &Path, name: &str, folder: &Path, args: &TestArgs) -> Result<Opened, String> {
    // What stands in XML has no colours.
    let colours = colours(args.format == Format::Text && std::io::stderr().is_terminal());
    let text = read(path, name).map_err(|error| {
        super::report(&format!("error: {error}"));
        error.to_string()
    })?;
    let (mut catalog_path, mut models, mut wrong) = (PathBuf::new(), Models::default(), String::new());
    let loaded = catalog::load_casebook(&text, |written| {
        catalog_path = folder.join(written);
        let runnable = catalog_file::runnable(&catalog_path, &args.models.access(), colours);
        let runnable = runnable.map_err(|report| wrong = report).ok()?;
        models = runnable.models;
        Some(runnable.catalog)
    });
    wrong.push_str(&catalog::as_text(name, &text, &loaded.problems, colours));
    eprint!("{wrong}");
    let (casebook, catalog) = loaded.casebook.ok_or(wrong)?;
    Ok((casebook, catalog_path, Runnable { catalog, models }.programs()))
}
