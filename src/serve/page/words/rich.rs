//! Texts of unknown origin within sentences: shown with what they hide, isolated, and set apart as code.

use std::fmt::{self, Write};

use maud::{Markup, html};

/// Stand around a piece of code within a sentence. What is shown of a text has neither of them.
const OPEN: char = '\u{2}';
const CLOSE: char = '\u{3}';

/// An expression, a name or a value of the catalog or of an entity, within a sentence.
#[derive(Clone, Copy, Debug)]
pub(in crate::serve::page) struct Code<'a>(pub(in crate::serve::page) &'a str);

impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{OPEN}{}{CLOSE}", visible(self.0))
    }
}

/// A sentence with its pieces of code.
pub(in crate::serve::page) fn rich(sentence: &str) -> Markup {
    html! {
        @for (place, piece) in sentence.split([OPEN, CLOSE]).enumerate() {
            @if place % 2 == 0 { (piece) } @else { code { bdi { (piece) } } }
        }
    }
}

/// A text with its control characters, and those without a shape or with a direction, shown by their numbers.
pub(in crate::serve::page) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_unseen(character) {
            // A String takes everything.
            let _ = write!(shown, "⟨U+{:04X}⟩", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    )
}
