//! `tagstream manual` has every command, and `--version` says which release it is.

use std::fs;
use std::path::Path;
use std::process::Command;

fn tagstream(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tagstream")).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The commands, as `--help` lists them.
fn commands() -> Vec<String> {
    let help = tagstream(&["--help"]);
    let list = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("a list of commands");
    let names = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned);
    names.filter(|name| name != "help").collect()
}

#[test]
fn each_command_has_completions_and_a_page() {
    let commands = commands();
    assert!(commands.len() > 8, "{commands:?}");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let completions = tagstream(&["manual", "completions", shell]);
        for command in &commands {
            assert!(completions.contains(command.as_str()), "{shell}: {command}");
        }
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("manual-{}", std::process::id()));
    tagstream(&["manual", "pages", &folder.join("new").display().to_string()]);
    for command in &commands {
        let page = fs::read_to_string(folder.join(format!("new/tagstream-{command}.1"))).expect("a page");
        assert!(page.contains(".SH SYNOPSIS"), "{command}");
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_version_is_the_packages_and_has_the_commit_where_the_build_was_told() {
    let commit = option_env!("TAGSTREAM_COMMIT").filter(|commit| !commit.is_empty());
    let commit = commit.map_or(String::new(), |commit| format!(" ({commit})"));
    assert_eq!(tagstream(&["--version"]), format!("tagstream {}{commit}\n", env!("CARGO_PKG_VERSION")));
}
