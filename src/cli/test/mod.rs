//! `tagstream test`: unit tests of catalogs, with events and the tags that are expected at given instants.
//!
//! - `event_record`: an event of a test as a record; `coverage`: which tags the tests cover;
//! - `case_runner`: runs one case; `report`: the results as text or JUnit XML.

mod event_record;
mod coverage;
mod case_runner;
mod report;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use coverage::Coverage;
use report::{CaseReport, FileReport, junit, text};

use crate::catalog::{self, Colours, TestFile};
use crate::cli::input::catalog_file::{self, colours, display_name, read};
use crate::cli::input::models::{ModelArgs, Runnable};
use crate::cli::output::console::{self, print_document, print_error, print_text};
use crate::engine::CompiledCatalog;
use crate::scoring::Models;

/// Run unit tests of catalogs: events in, tags expected at given instants
///
/// Exits with 0 when all cases pass, 1 when one fails or a file has errors, 2 on wrong usage.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tagstream test tests.yaml
  tagstream test tests/*.yaml --require-coverage
  tagstream test tests.yaml --run \"two weeks\"
  tagstream test tests.yaml --format junit > report.xml")]
pub(crate) struct TestArgs {
    /// The test files; each names its catalog
    #[arg(value_name = "TESTS", required_unless_present = "schema")]
    tests: Vec<PathBuf>,

    /// Run only the cases whose names contain this text
    #[arg(long, value_name = "TEXT")]
    run: Option<String>,

    /// How to report
    #[arg(long, value_enum, default_value_t = TestFormat::Text)]
    format: TestFormat,

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
enum TestFormat {
    /// For people: failures, with the reasons of the tags.
    Text,
    /// For CI: JUnit XML.
    Junit,
}

/// The coverage of one catalog by all its test files.
struct CatalogCoverage {
    catalog: PathBuf,
    coverage: Coverage,
}

pub(crate) fn run(args: &TestArgs) -> ExitCode {
    if args.schema {
        return print_document(&format!("{:#}\n", catalog::test_file_schema()));
    }
    let mut covered = Vec::new();
    let mut reports: Vec<FileReport> = args.tests.iter().map(|path| test(path, args, &mut covered)).collect();
    let is_covered = !args.require_coverage || covered.iter().all(|covered| covered.coverage.is_full());
    let mut all_pass = reports.iter().all(FileReport::passes);
    // A name without a match is an error, unless a file that can't be read may have had the case.
    if let Some(name) = &args.run
        && reports.iter().all(|report| report.cases.is_ok() && !report.has_cases())
    {
        console::report(&format!("error: no case's name contains `{name}`"));
        all_pass = false;
    }
    if args.run.is_some() {
        reports.retain(|report| report.cases.is_err() || report.has_cases());
    }
    // With `--run`, the coverage of the selected cases is not that of the tests.
    let wanted = if args.run.is_none() { &covered[..] } else { &[] };
    let coverage: Vec<String> = wanted
        .iter()
        .map(|CatalogCoverage { catalog, coverage }| coverage.report(&catalog.display().to_string()))
        .collect();
    let printed = match args.format {
        TestFormat::Text => print_text(&(text(&reports) + &coverage.concat()), Colours::Off),
        TestFormat::Junit => {
            print_error(&coverage.concat(), Colours::Off);
            print_document(&junit(&reports))
        }
    };
    if all_pass && is_covered { printed } else { ExitCode::FAILURE }
}

fn test(path: &Path, args: &TestArgs, covered: &mut Vec<CatalogCoverage>) -> FileReport {
    let name = display_name(path);
    let folder = path.parent().unwrap_or(Path::new(""));
    let (test_file, catalog, compiled) = match open(path, &name, folder, args) {
        Ok(opened) => opened,
        Err(wrong) => return FileReport { name, cases: Err(wrong) },
    };
    let place = covered.iter().position(|covered| covered.catalog == catalog).unwrap_or_else(|| {
        covered.push(CatalogCoverage { catalog, coverage: Coverage::new(&compiled.catalog) });
        covered.len() - 1
    });
    let coverage = &mut covered[place].coverage;
    let wanted = |name: &str| args.run.as_ref().is_none_or(|text| name.contains(text.as_str()));
    let cases = test_file.cases.iter().filter(|case| wanted(&case.name)).map(|case| {
        let result = case_runner::run(case, &compiled, folder, coverage);
        for (line, warning) in result.warnings {
            console::report(&format!("warning: {name}:{line}: {warning}"));
        }
        CaseReport { name: case.name.clone(), line: case.line, failures: result.failures }
    });
    let cases = Ok(cases.collect());
    FileReport { name, cases }
}

type Opened = (TestFile, PathBuf, Arc<CompiledCatalog>);

/// Reads a test file and its catalog.
///
/// # Errors
/// Their problems, which have also been printed.
fn open(path: &Path, name: &str, folder: &Path, args: &TestArgs) -> Result<Opened, String> {
    // XML contains no colours.
    let colours = colours(args.format == TestFormat::Text && std::io::stderr().is_terminal());
    let text = read(path, name).map_err(|error| {
        console::report(&format!("error: {error}"));
        error.to_string()
    })?;
    let (mut catalog_path, mut models, mut wrong) = (PathBuf::new(), Models::default(), String::new());
    let loaded = catalog::load_test_file(&text, |written| {
        catalog_path = folder.join(written);
        let runnable = catalog_file::load(&catalog_path, &args.models.access(), colours);
        let runnable = runnable.map_err(|error| wrong = error.report()).ok()?;
        models = runnable.models;
        Some(runnable.catalog)
    });
    wrong.push_str(&catalog::as_text(name, &text, &loaded.problems, colours));
    print_error(&wrong, colours);
    let (test_file, catalog) = loaded.test_file.ok_or(wrong)?;
    Ok((test_file, catalog_path, Runnable { catalog, models }.compile()))
}
