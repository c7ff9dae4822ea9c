//! The examples: each is whole, passes its own tests without a gap, and its README's commands do what they say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tagstream::catalog::{Tag, load};

use crate::scoring::library;

const TAGSTREAM: &str = env!("CARGO_BIN_EXE_tagstream");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/examples")
}

/// The folders of the catalogs, by name; a folder without a catalog has a program.
fn examples() -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let named = |path: PathBuf| (path.file_name().unwrap().to_str().unwrap().to_owned(), path);
    let mut found: Vec<_> = entries.filter(|path| path.join("catalog.yaml").is_file()).map(named).collect();
    found.sort();
    assert!(found.len() >= 2, "only {} examples", found.len());
    found
}

/// The command of tagstream's tests for an example; nothing where a model lacks its runtime.
fn command(program: &str, folder: &Path) -> Option<Command> {
    let mut command = Command::new(program);
    command.current_dir(folder);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    if files.into_iter().any(|file| file.extension().is_some_and(|extension| extension == "onnx")) {
        command.env("ORT_DYLIB_PATH", library()?);
    }
    Some(command)
}

fn expect_success(what: &str, output: &Output) {
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{what}\n{told}");
}

#[test]
fn every_example_is_whole_and_in_the_list() {
    let list = fs::read_to_string(root().join("README.md")).unwrap();
    for (name, folder) in examples() {
        for file in ["README.md", "catalog.yaml", "tests.yaml"] {
            assert!(folder.join(file).is_file(), "{name} has no {file}");
        }
        assert!(list.contains(&format!("]({name})")), "deploy/examples/README.md does not list {name}");
    }
}

#[test]
fn every_example_is_without_a_warning_and_its_tests_leave_no_gap() {
    for (name, folder) in examples() {
        for args in [["check", "catalog.yaml", "--deny-warnings"], ["test", "tests.yaml", "--require-coverage"]] {
            let Some(mut command) = command(TAGSTREAM, &folder) else { continue };
            expect_success(&format!("{name}: tagstream {}", args.join(" ")), &command.args(args).output().unwrap());
        }
    }
}

#[test]
fn every_tag_of_an_example_says_to_people_what_it_is() {
    // What `tagstream init` writes stays short.
    for (name, folder) in examples().into_iter().filter(|(name, _)| name != "starter") {
        let catalog = load(&fs::read_to_string(folder.join("catalog.yaml")).unwrap()).catalog;
        for tag in catalog.expect("a catalog without errors").tags {
            let missing = missing_words(&tag);
            assert!(missing.is_empty(), "{name}: the tag {} has no {}", tag.name, missing.join(", no "));
        }
    }
}

fn missing_words(tag: &Tag) -> Vec<&'static str> {
    let has_title = |wanted: &str| tag.title.iter().any(|(language, text)| &**language == wanted && !text.is_empty());
    let words = [
        ("English title", has_title("en")),
        ("Chinese title", has_title("zh")),
        // A place in a tree has a branch above it.
        ("group such as `lifecycle/risk`", tag.group.as_ref().is_some_and(|group| group.contains('/'))),
        ("description", tag.description.is_some()),
        ("owner", tag.owner.is_some()),
    ];
    words.into_iter().filter(|(_, is_there)| !is_there).map(|(what, _)| what).collect()
}

/// The commands in the `sh` blocks of a text.
fn commands(text: &str) -> Vec<&str> {
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).filter(|line| line.starts_with("tagstream ")).collect()
}

#[test]
fn the_commands_of_every_readme_work_where_it_says() {
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", Path::new(TAGSTREAM).parent().unwrap().display());
    // A copy: some of them write files, and one reads another's events.
    let copies = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("examples-{}", std::process::id()));
    for (name, folder) in examples() {
        fs::create_dir_all(copies.join(&name)).unwrap();
        for file in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            fs::copy(file.path(), copies.join(&name).join(file.file_name())).unwrap();
        }
    }
    for (name, folder) in examples() {
        let readme = fs::read_to_string(folder.join("README.md")).unwrap();
        let lines = commands(&readme);
        for verb in ["check", "test", "replay"] {
            let is_it = |line: &&str| line.starts_with(&format!("tagstream {verb} "));
            assert!(lines.iter().any(is_it), "{name}'s README does not say how to {verb}");
        }
        for line in lines {
            let Some(mut command) = command("sh", &copies.join(&name)) else { continue };
            expect_success(
                &format!("{name}: {line}"),
                &command.args(["-c", line]).env("PATH", &path).output().unwrap(),
            );
        }
    }
    fs::remove_dir_all(&copies).unwrap();
}
