//! Both languages have the same words, and mention the same.

use std::collections::BTreeSet;

use tagstream::serve::page::{Language, all_words};

/// What a text has in braces.
fn mentioned(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).map(|piece| piece.split('}').next().unwrap_or_default()).collect()
}

fn is_han(character: char) -> bool {
    matches!(character, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}')
}

#[test]
fn every_row_has_both_languages_and_they_mention_the_same() {
    let (mut names, mut rows) = (BTreeSet::new(), 0);
    for row in all_words() {
        rows += 1;
        let of = format!("{}.{}", row.table, row.name);
        assert!(names.insert(of.clone()), "{of} stands twice");
        for text in [Some(row.english), row.singular].into_iter().flatten() {
            assert!(!text.trim().is_empty() && text.trim() == text, "{of}: {text:?}");
            assert!(!text.chars().any(is_han), "{of}: {text}");
            assert_eq!(mentioned(text), mentioned(row.english), "{of}");
        }
        assert_eq!(mentioned(row.chinese), mentioned(row.english), "{of}: {}", row.chinese);
        assert!(row.chinese.chars().any(is_han), "{of}: {}", row.chinese);
        // Chinese text has Chinese punctuation.
        let halves = [", ", "; ", "? ", "! "];
        assert!(!halves.iter().any(|half| row.chinese.contains(half)), "{of}: {}", row.chinese);
    }
    assert!(rows > 50, "{rows} rows");
}

#[test]
fn a_reader_gets_the_language_that_the_browser_asks_for() {
    for (header, language) in [
        ("", Language::English),
        ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
        ("en-GB, zh;q=0.5", Language::English),
        ("de, fr;q=0.9, zh;q=0.1", Language::Chinese),
        ("de", Language::English),
        ("en;q=0.2, zh-Hant;q=0.7", Language::Chinese),
        ("zh;q=0, en;q=0.1", Language::English),
        ("ZH", Language::Chinese),
        ("zh;q=nonsense", Language::English),
    ] {
        assert_eq!(Language::of_accepted(header), language, "{header}");
    }
}
