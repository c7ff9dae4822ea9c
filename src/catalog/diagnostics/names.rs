//! Which texts are identifiers, and which known name a misspelt one resembles.

/// Whether an expression can mention this name.
pub(crate) fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// "did you mean `x`?", when a candidate resembles the word.
pub fn did_you_mean<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    nearest(word, candidates).map(|name| format!("did you mean `{name}`?"))
}

/// The candidate with the smallest Damerau-Levenshtein distance from the word: at most a third of its letters differ.
pub(crate) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let allowed = word.chars().count() / 3;
    candidates
        .filter(|candidate| *candidate != word && candidate.len().abs_diff(word.len()) <= 4 * allowed)
        .map(|candidate| (difference(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min_by_key(|(distance, candidate)| (*distance, !candidate.starts_with(word)))
        .map(|(_, candidate)| candidate)
}

/// The number of letters by which two words differ; a plural in `ies` counts as one letter.
fn difference(word: &str, candidate: &str) -> usize {
    let is_plural = word.strip_suffix('y').is_some_and(|stem| candidate.strip_suffix("ies") == Some(stem));
    if is_plural { 1 } else { strsim::damerau_levenshtein(word, candidate) }
}

/// A list such as "`a`, `b` and `c`"; of a long one the beginning.
pub(crate) fn listed(names: &[&str]) -> String {
    /// A longer list does not help its reader.
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
