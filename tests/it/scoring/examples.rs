//! The example with a model that was trained on real purchases: it is fine, and says what its tests say.

use std::path::Path;
use std::process::Command;

use super::runtime::library;

#[test]
fn the_example_of_churn() {
    let Some(library) = library() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/examples/churn");
    for args in [&["check", "catalog.yaml", "--deny-warnings"][..], &["test", "tests.yaml", "--require-coverage"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tagstream"));
        let output = command.args(args).arg("--onnx-runtime").arg(&library).current_dir(&folder).output().unwrap();
        let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{args:?}\n{told}");
    }
}
