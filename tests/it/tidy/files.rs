//! Files and folders: purposes, sizes, names, how many stand side by side, and who declares modules.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::{Source, all_sources, expect_none};
use super::tokens::tokens;

const LINES_MAX: usize = 500;

/// How many files and folders stand side by side at most; the map of their folder does not count.
const ENTRIES_MAX: usize = 12;

/// The parts of the library, which `src/lib.rs` maps: the engine's, the service's, and each process beside it (`serve`,
/// `push`), which know nothing of each other.
const PARTS_MAX: usize = 17;

#[test]
fn every_file_opens_with_its_purpose() {
    let missing = |source: &Source| {
        let first = source.text.lines().next().unwrap_or_default();
        let has_purpose = first.starts_with("//! ") && first.len() > 20;
        (!has_purpose).then(|| format!("{}: begin with one `//!` sentence that says what the file is for", source.name))
    };
    expect_none(all_sources().iter().filter_map(missing).collect());
}

#[test]
fn files_stay_small_and_have_names() {
    let mut findings = Vec::new();
    for source in all_sources() {
        let lines = source.text.lines().count();
        if lines > LINES_MAX {
            findings.push(format!("{}: {lines} lines; split it by noun before {LINES_MAX}", source.name));
        }
        if matches!(source.stem(), "util" | "utils" | "common" | "helpers" | "misc") {
            findings.push(format!("{}: name the file for what it holds", source.name));
        }
    }
    expect_none(findings);
}

#[test]
fn only_maps_declare_modules() {
    expect_none(declared_elsewhere(&all_sources()));
}

/// Modules that a file declares which is not the map of its folder, or by a path. A test binary's main may, to share what
/// both need, and so may a bench.
pub fn declared_elsewhere(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        let tokens = tokens(&source.text);
        for three in tokens.windows(3) {
            if three[0].is("mod") && three[1].is_word() && three[2].is(";") && !source.is_map() {
                findings.push(format!("{}:{}: only mod.rs declares modules", source.name, three[0].line));
            }
            let may = source.stem() == "main" && !source.name.starts_with("src/");
            if three[0].is("#") && three[1].is("[") && three[2].is("path") && !may {
                findings.push(format!("{}:{}: a module stands where its name says", source.name, three[0].line));
            }
        }
    }
    findings
}

/// Folders of `src/`, and of the tests with a broker, with too many entries.
pub fn crowded(sources: &[Source]) -> Vec<String> {
    let mut entries: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_map() || source.folder().contains('/')) {
        let mut name = source.name.as_str();
        if source.is_map() {
            name = source.folder();
        }
        while let Some((folder, entry)) = name.rsplit_once('/') {
            entries.entry(folder.to_owned()).or_default().insert(entry.to_owned());
            name = folder;
        }
    }
    let counts = |folder: &str| ["src", "tests/broker"].iter().any(|root| folder.starts_with(root));
    let most = |folder: &str| if folder == "src" { PARTS_MAX } else { ENTRIES_MAX };
    let full = entries.into_iter().filter(|(folder, entries)| counts(folder) && entries.len() > most(folder));
    full.map(|(folder, entries)| {
        format!("{folder}: {} entries; make rooms of at most {}", entries.len(), most(&folder))
    })
    .collect()
}
