//! The pure parts: no clock, no lock, no log, no I/O, nothing asynchronous.

use super::paths::paths;
use super::sources::Source;
use super::tokens::tokens;

const PURE: [&str; 4] = ["model", "catalog", "engine", "codec"];

/// Paths that lead to what a pure part does without, and what it does instead.
const FORBIDDEN: [(&str, &str); 20] = [
    ("std::time::SystemTime", "time is an argument"),
    ("std::time::Instant", "time is an argument"),
    ("std::time::UNIX_EPOCH", "time is an argument"),
    ("std::sync", "one owner touches a state, so there is nothing to lock (Arc and Weak are allowed)"),
    ("std::thread", "the caller has the threads"),
    ("std::fs", "the caller reads and writes"),
    ("std::net", "the caller reads and writes"),
    ("std::process", "the caller reads and writes"),
    ("std::env", "settings are arguments"),
    ("std::io::stdin", "the caller reads and writes"),
    ("std::io::stdout", "the caller reads and writes"),
    ("std::io::stderr", "the caller reads and writes"),
    ("jiff::Timestamp::now", "time is an argument"),
    ("jiff::Zoned::now", "time is an argument"),
    ("tracing", "return what is to be told"),
    ("log", "return what is to be told"),
    ("tokio", "nothing waits here"),
    ("fastrand", "chance is an argument"),
    ("once_cell", "one owner touches a state: what is filled once in it is std::cell::OnceCell"),
    ("parking_lot", "one owner touches a state, so there is nothing to lock"),
];
const ALLOWED: [&str; 3] = ["std::sync::Arc", "std::sync::Weak", "std::sync"];

/// Names that say it wherever they come from.
const CLOCKS: [&str; 4] = ["SystemTime", "Instant", "Timestamp", "Zoned"];
const LOCKS: [&str; 5] = ["Mutex", "RwLock", "Condvar", "OnceLock", "LazyLock"];
const MACROS: [&str; 6] = ["println", "eprintln", "print", "eprint", "dbg", "thread_local"];

/// What pure parts do that they must not.
pub fn impure(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        if !source.part().is_some_and(|part| PURE.contains(&&*part)) {
            continue;
        }
        for path in paths(&source.text) {
            let written = path.segments.join("::").replacen("core::", "std::", 1);
            let leads = |prefix: &str| written == prefix || written.starts_with(&format!("{prefix}::"));
            let allowed =
                ALLOWED.iter().any(|allowed| written == *allowed || *allowed != "std::sync" && leads(allowed));
            if let Some((_, instead)) = FORBIDDEN.iter().find(|(prefix, _)| leads(prefix) && !allowed) {
                findings.push(format!("{}:{}: {written}: {instead}", source.name, path.line));
            }
            if let [.., of, last] = &path.segments[..]
                && last == "now"
                && CLOCKS.contains(&&**of)
            {
                findings.push(format!("{}:{}: {of}::now: time is an argument", source.name, path.line));
            }
        }
        let tokens = tokens(&source.text);
        for (at, token) in tokens.iter().enumerate() {
            let is_macro = tokens.get(at + 1).is_some_and(|next| next.is("!")) && MACROS.contains(&&*token.text);
            let is_lock = LOCKS.contains(&&*token.text) || token.text.starts_with("Atomic");
            if is_macro || is_lock || matches!(&*token.text, "async" | "await") {
                findings.push(format!("{}:{}: {}: a pure part does without", source.name, token.line, token.text));
            }
        }
    }
    findings
}
