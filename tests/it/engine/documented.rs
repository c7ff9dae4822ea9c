//! The examples of `deploy/docs/catalog.md`: each runs over events, with every change that must come.
//!
//! A file of `documented` is a script whose catalog begins with the line `# catalog.md: HEADING`: its catalog is what the
//! page shows under that heading, with what else the script has.

use std::collections::BTreeSet;
use std::path::Path;

use super::agreement::{NOW_MS, compare, run_engine};
use super::script::Script;
use super::scripts::{check, scripts};

const PAGE: &str = include_str!("../../../deploy/docs/catalog.md");

/// Headings whose examples are tested elsewhere: the first one in `catalog::good`, records that a script does not write in
/// `codec`, the one with a model in `scoring`; and the line for editors is not a catalog.
const ELSEWHERE: [&str; 5] = ["The catalog", "CloudEvents", "Debezium", "Scores", "Errors and warnings"];

/// The headings of the page, each with the YAML that stands under it.
fn examples() -> Vec<(&'static str, String)> {
    let (mut found, mut is_yaml) = (Vec::<(&str, String)>::new(), false);
    for line in PAGE.lines() {
        match line {
            "```yaml" => is_yaml = true,
            "```" => is_yaml = false,
            _ if is_yaml => {
                let (_, text) = found.last_mut().expect("a heading is the first line");
                *text += &format!("{line}\n");
            }
            _ => {
                let heading = line.trim_start_matches('#');
                if heading.len() < line.len() {
                    found.push((heading.trim(), String::new()));
                }
            }
        }
    }
    found.retain(|(_, text)| !text.is_empty());
    found
}

/// A catalog with further lines, each in the section in which they stand.
fn with(catalog: &str, more: &str) -> String {
    let mut text = catalog.to_owned();
    let mut section = String::new();
    for line in more.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with(' ') {
            let at = text.find(&section).expect("a section") + section.len();
            text.insert_str(at, &format!("{line}\n"));
        } else {
            section = format!("{line}\n");
            if !text.starts_with(&section) && !text.contains(&format!("\n{section}")) {
                text += &section;
            }
        }
    }
    text
}

/// The heading that a script is about.
fn heading(text: &str) -> &str {
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("# catalog.md: ").unwrap_or_else(|| panic!("{first:?} names no heading of catalog.md"))
}

#[test]
fn every_example_of_the_page_gives_the_changes_that_its_script_lists() {
    let examples = examples();
    let mut told = BTreeSet::from(ELSEWHERE);
    for path in scripts("documented", 10) {
        let text = std::fs::read_to_string(&path).expect("the script can be read");
        let name = path.display();
        let (about, example) = examples
            .iter()
            .find(|(about, _)| *about == heading(&text))
            .unwrap_or_else(|| panic!("{name}: nothing stands under {:?}", heading(&text)));
        told.insert(about);
        let documented = |script: &Script| {
            let mut case = script.case.clone();
            case.catalog = with(&format!("version: 1\n{example}"), &script.case.catalog);
            case
        };
        let run = |path: &Path| {
            check(path, |script| {
                run_engine(&documented(script), NOW_MS).unwrap_or_else(|problem| panic!("{name}: {problem}"))
            })
        };
        let script = run(&path);
        compare(&documented(&script), NOW_MS).unwrap_or_else(|difference| panic!("{name}: {difference}"));
    }
    let untold: Vec<&str> = examples.iter().map(|(about, _)| *about).filter(|about| !told.contains(about)).collect();
    assert!(untold.is_empty(), "no script of `documented` runs the example under {untold:?}");
}
