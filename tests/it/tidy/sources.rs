//! The sources to check: those of the project, or a few lines of a test.

use std::fs;
use std::path::{Path, PathBuf};

/// A source and its name, such as `src/kafka/mod.rs`.
#[derive(Clone, Debug)]
pub struct Source {
    pub name: String,
    pub text: String,
}

impl Source {
    /// The name without folders and without `.rs`.
    pub fn stem(&self) -> &str {
        Path::new(&self.name).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default()
    }

    /// Whether it draws the map of its folder, and declares the modules there.
    pub fn is_map(&self) -> bool {
        matches!(self.stem(), "mod" | "lib" | "main")
    }

    /// The folder that it is in, such as `src/kafka`.
    pub fn folder(&self) -> &str {
        self.name.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The path of its module in the library: `["kafka", "worker"]`; `None`: it is not of the library.
    pub fn module(&self) -> Option<Vec<String>> {
        let inside = self.name.strip_prefix("src/")?.strip_suffix(".rs")?;
        if inside == "main" {
            return None;
        }
        let segments = inside.split('/').filter(|word| !matches!(*word, "mod" | "lib"));
        Some(segments.map(str::to_owned).collect())
    }

    /// The part of `src/` that it belongs to.
    pub fn part(&self) -> Option<String> {
        self.module()?.into_iter().next()
    }
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            found.extend(below(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// All Rust sources of the project.
pub fn all_sources() -> Vec<Source> {
    let paths = ["src", "tests", "benches"].iter().flat_map(|folder| below(&root().join(folder)));
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root()).expect("it is below the root").display().to_string();
        Source { name, text: fs::read_to_string(path).expect("a source is text") }
    };
    paths.map(read).collect()
}

/// Sources that a test makes up.
pub fn made_up(sources: &[(&str, &str)]) -> Vec<Source> {
    sources.iter().map(|(name, text)| Source { name: (*name).to_owned(), text: (*text).to_owned() }).collect()
}

/// Fails with all findings at once.
pub fn expect_none(findings: Vec<String>) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}
