//! Names: which are allowed, and which known one was meant by an unknown one.

use super::problems::{Report, Span};
use super::read::At;

/// The longest name of anything.
const NAME_BYTES_MAX: usize = 128;

/// Words that an expression reads as something else: CEL's reserved ones, and tagstream's own.
const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
    "first_seen",
    "last_seen",
    "tag",
    "type",
    "time",
    "properties",
];

/// Whether an expression can mention this name.
pub fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Reports a name that no expression could mention.
pub fn check_name(what: &str, name: &At<String>, report: &mut Report) {
    let text = &name.value;
    if RESERVED.contains(&text.as_str()) {
        let message = format!("{what} can't be called `{text}`: the word has a meaning in expressions");
        report.error("reserved-name", name.span, message).help(format!("for example `{text}_`"));
    } else if !is_identifier(text) {
        let suggestion: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let help = format!(
            "use letters a to z, digits and `_`, not beginning with a digit{}",
            if is_identifier(&suggestion) { format!(": `{suggestion}`") } else { String::new() }
        );
        report.error("bad-name", name.span, format!("`{text}` can't be a name that expressions mention")).help(help);
    }
    check_length(what, name, report);
}

/// Reports a label (a band's or stage's name) that is empty or too long.
pub fn check_label(what: &str, name: &At<String>, report: &mut Report) {
    if name.value.trim().is_empty() {
        report.error("bad-name", name.span, format!("{what} needs a name that is not empty"));
    }
    check_length(what, name, report);
}

fn check_length(what: &str, name: &At<String>, report: &mut Report) {
    if name.value.len() > NAME_BYTES_MAX {
        let message = format!("{what}'s name has {} bytes; at most {NAME_BYTES_MAX} are allowed", name.value.len());
        report.error("bad-name", name.span, message);
    }
}

/// Reports the second of two equal labels.
pub fn check_unique<'a>(what: &str, names: impl Iterator<Item = &'a At<String>>, report: &mut Report) {
    let mut seen: std::collections::HashMap<&str, Span> = std::collections::HashMap::new();
    for name in names {
        if let Some(first) = seen.get(name.value.as_str()) {
            report
                .error("duplicate-name", name.span, format!("two {what} are called `{}`", name.value))
                .help("give each its own name")
                .related(*first, "the first one");
        } else {
            seen.insert(&name.value, name.span);
        }
    }
}

/// "did you mean `x`?", where one of the candidates is near enough.
pub fn did_you_mean<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    nearest(word, candidates).map(|name| format!("did you mean `{name}`?"))
}

/// The candidate that most resembles the word: at most a third of it may differ.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let allowed = word.chars().count() / 3;
    candidates
        .filter(|candidate| *candidate != word && candidate.len().abs_diff(word.len()) <= 4 * allowed)
        .map(|candidate| (difference(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min_by_key(|(distance, candidate)| (*distance, !candidate.starts_with(word)))
        .map(|(_, candidate)| candidate)
}

/// By how many letters two words differ; a plural in `ies` counts as one.
fn difference(word: &str, candidate: &str) -> usize {
    let is_plural = word.strip_suffix('y').is_some_and(|stem| candidate.strip_suffix("ies") == Some(stem));
    if is_plural { 1 } else { strsim::damerau_levenshtein(word, candidate) }
}

/// "`a`, `b` and `c`"; long lists are cut.
pub fn listed(names: &[&str]) -> String {
    /// More names than this nobody reads.
    const SHOWN_MAX: usize = 24;
    let quoted: Vec<String> = names.iter().take(SHOWN_MAX).map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        _ if names.len() > SHOWN_MAX => {
            format!("{} and {} more", quoted.join(", "), names.len() - SHOWN_MAX)
        }
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
