//! The tools for those who write tags, over a catalog of 500 tags: each beside `replay` in the same run.
//!
//! `cargo bench --bench tools -- [--events N] [--rounds N]`: by default 1,000,000 events of 50,000 users, and the best
//! of three rounds. Prints CPU time, wall clock and the most memory of the release binary, and as shares of `replay`'s.

mod catalog;
mod command;
mod stream;

use std::fs;
use std::path::{Path, PathBuf};

use catalog::Edition;
use command::{Spent, spent};

/// Examples that need nothing but the binary. That of a model needs a library beside it.
const EXAMPLES: [&str; 6] = ["app", "business", "films", "gym", "shop", "starter"];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |name: &str, default: usize| {
        let given = arguments.iter().skip_while(|word| *word != name).nth(1);
        given.and_then(|text| text.replace('_', "").parse().ok()).unwrap_or(default)
    };
    let (events, rounds) = (number("--events", 1_000_000), number("--rounds", 3));
    let folder = Folder::new();
    fs::write(folder.file("catalog.yaml"), catalog::text(Edition::AsItIs)).expect("a catalog");
    fs::write(folder.file("edited.yaml"), catalog::text(Edition::Edited)).expect("a catalog");
    let bytes = stream::write(Path::new(&folder.file("events.ndjson")), events).expect("events");
    let users = stream::users(events);
    println!("{events} events of {} bytes, {users} users, 500 tags, 120 counters", bytes / events as u64);
    let tools = tools(&folder, users);
    let mut best = vec![Spent::MOST; tools.len()];
    for _ in 0..rounds.max(1) {
        for (best, (_, arguments)) in best.iter_mut().zip(&tools) {
            *best = best.min(spent(arguments));
        }
    }
    println!("{:>26}  {:>8}  {:>8}  {:>9}  {:>10}  {:>6}", "", "CPU s", "wall s", "CPU ratio", "wall ratio", "MB");
    let replay = best[0];
    for ((name, _), spent) in tools.iter().zip(best) {
        println!(
            "{name:>26}  {:>8.3}  {:>8.3}  {:>9.2}  {:>10.2}  {:>6.0}",
            spent.cpu_s,
            spent.wall_s,
            spent.cpu_s / replay.cpu_s,
            spent.wall_s / replay.wall_s,
            spent.memory_bytes / 1e6,
        );
    }
}

/// What is run, by name; `replay` first.
fn tools(folder: &Folder, users: usize) -> Vec<(String, Vec<String>)> {
    let (old, new, events) = (folder.file("catalog.yaml"), folder.file("edited.yaml"), folder.file("events.ndjson"));
    let (key, at, tag) = (stream::key(users / 10), stream::instant(0.7).to_string(), catalog::tag_name(3));
    fn with<'a>(input: &'a str, words: &[&'a str]) -> Vec<&'a str> {
        [words, &["--input", input]].concat()
    }
    let of_tag = ["explain", &old, "--key", &key, "--tag", &tag, "--at", &at];
    let mut tools = vec![
        ("replay", with(&events, &["replay", &old])),
        ("replay --summary", with(&events, &["replay", &old, "--summary"])),
        ("check", vec!["check", &old]),
        ("diff", with(&events, &["diff", &old, &new])),
        ("explain --key", with(&events, &["explain", &old, "--key", &key])),
        ("explain --key --tag --at", with(&events, &of_tag)),
        ("forecast --horizon 7d", with(&events, &["forecast", &old, "--horizon", "7d"])),
    ];
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/examples");
    let tests =
        EXAMPLES.map(|name| (format!("test {name}"), examples.join(name).join("tests.yaml").display().to_string()));
    tools.extend(tests.iter().map(|(name, path)| (name.as_str(), vec!["test", path])));
    let owned = |(name, words): (&str, Vec<&str>)| (name.to_owned(), words.into_iter().map(str::to_owned).collect());
    tools.into_iter().map(owned).collect()
}

/// A folder of its own that goes when the bench ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tools-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
