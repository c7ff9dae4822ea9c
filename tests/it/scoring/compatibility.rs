//! `tagstream check` of catalogs whose models do not fit: every mistake at its place, with a remedy.
//!
//! `UPDATE_EXPECT=1 cargo test --test it scoring::compatibility` writes the reports anew; read the difference before you commit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::runtime::library;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/scoring")
}

fn tagstream(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tagstream"));
    command.args(args).current_dir(folder()).env_remove("ORT_DYLIB_PATH");
    command
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn every_misfit_is_told_where_it_is_and_with_its_mend() {
    let Some(library) = library() else { return };
    let output = tagstream(&["check", "misfits.yaml"]).arg("--onnx-runtime").arg(library).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let path = folder().join("misfits.txt");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, stdout(&output)).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    assert_eq!(stdout(&output), expected, "\n{}", stdout(&output));
}

#[test]
fn a_catalog_whose_models_fit_is_fine() {
    let Some(library) = library() else { return };
    for place in [library.clone(), library.join("capi")].iter().filter(|place| place.exists()) {
        let output = tagstream(&["check", "fits.yaml"]).arg("--onnx-runtime").arg(place).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    }
    let output = tagstream(&["check", "fits.yaml"]).env("ORT_DYLIB_PATH", library).output().unwrap();
    assert!(stdout(&output).ends_with("fits.yaml: fine: 3 tags, 1 counter, 0 attributes\n"), "{}", stdout(&output));
}

#[test]
fn without_a_runtime_it_says_how_to_get_one() {
    for (args, told) in [
        (&["check", "fits.yaml", "--onnx-runtime", "no/such/place"][..], "there is no file or folder at no/such/place"),
        (&["check", "fits.yaml", "--onnx-runtime", "models"], "there is no libonnxruntime at models"),
        (&["check", "fits.yaml", "--onnx-runtime", "models/make.py"], "the ONNX Runtime can't be used"),
    ] {
        let output = tagstream(args).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let report = stdout(&output);
        assert!(report.contains(told) && report.contains("pip install onnxruntime"), "{args:?}\n{report}");
    }
}

#[test]
fn a_catalog_without_models_needs_no_runtime() {
    let output =
        tagstream(&["check", "../catalog/good/spec.yaml", "--onnx-runtime", "no/such/place"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
}
