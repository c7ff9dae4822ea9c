//! Which names attributes, counters, tags, bands and stages may have.

use crate::catalog::diagnostics::{Report, Span, is_identifier};
use crate::catalog::yaml::Spanned;

/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// Words with a meaning in expressions: CEL's reserved words, and tagstream's own.
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

/// Reports a name that expressions cannot mention.
pub(super) fn check_name(what: &str, name: &Spanned<String>, report: &mut Report) {
    let text = &name.value;
    if RESERVED.contains(&text.as_str()) {
        let message = format!("{what} can't be called `{text}`: the word has a meaning in expressions");
        report.error("reserved-name", name.span, message).help(format!("for example `{text}_`"));
    } else if !is_identifier(text) {
        let suggestion: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let is_telling = is_identifier(&suggestion) && suggestion.contains(|c: char| c.is_ascii_alphabetic());
        let help = format!(
            "use letters a to z, digits and `_`, not beginning with a digit{}",
            if is_telling { format!(": `{suggestion}`") } else { String::new() }
        );
        report.error("bad-name", name.span, format!("`{text}` can't be a name that expressions mention")).help(help);
    }
    check_length(what, name, report);
}

/// Reports a label (a band's or stage's name) that is empty or too long.
pub(super) fn check_label(what: &str, name: &Spanned<String>, report: &mut Report) {
    if name.value.trim().is_empty() {
        report.error("bad-name", name.span, format!("{what} needs a name that is not empty"));
    }
    check_length(what, name, report);
}

fn check_length(what: &str, name: &Spanned<String>, report: &mut Report) {
    if name.value.len() > NAME_BYTES_MAX {
        let message = format!("{what}'s name has {} bytes; at most {NAME_BYTES_MAX} are allowed", name.value.len());
        report.error("bad-name", name.span, message);
    }
}

/// Reports the second of two equal labels.
pub(super) fn check_unique<'a>(what: &str, names: impl Iterator<Item = &'a Spanned<String>>, report: &mut Report) {
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
