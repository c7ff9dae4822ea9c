//! Text of others, made harmless for a terminal: keys and values come from senders.
//!
//! Control characters move the cursor, change the title of a window or answer in the user's name; overrides of the
//! direction of text show a name as another. They are printed as JSON writes them: `\u001b`.

use std::borrow::Cow;
use std::fmt::Write;

use crate::catalog::Colours;

/// A key, a value or another text of one line.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    escape(text, is_unsafe)
}

/// Text of several lines, of which only the ends of lines stay; with colours, the sequences that set a colour too.
pub(crate) fn escaped_lines(text: &str, colours: Colours) -> Cow<'_, str> {
    let is_unsafe = |c| c != '\n' && is_unsafe(c);
    if colours == Colours::Off {
        return escape(text, is_unsafe);
    }
    let mut lines = String::with_capacity(text.len());
    let mut pieces = text.split("\u{1b}[");
    lines.push_str(&escape(pieces.next().unwrap_or_default(), is_unsafe));
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_ascii_digit() && c != ';');
        let colour = end.filter(|end| piece[*end..].starts_with('m')).map_or(0, |end| end + 1);
        lines.push_str(if colour > 0 { "\u{1b}[" } else { "\\u001b[" });
        lines.push_str(&piece[..colour]);
        lines.push_str(&escape(&piece[colour..], is_unsafe));
    }
    lines.into()
}

fn escape(text: &str, is_unsafe: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_unsafe) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) {
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped.into()
}

fn is_unsafe(c: char) -> bool {
    let is_direction =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || is_direction || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_terminal_acts_on_is_escaped() {
        assert_eq!(escaped("u-1 ü 名 👩‍🚀 \\ \""), "u-1 ü 名 👩‍🚀 \\ \"");
        assert_eq!(
            escaped("a\u{1b}]0;x\u{7}\r\n\u{9b}\u{202e}\u{7f}"),
            "a\\u001b]0;x\\u0007\\u000d\\u000a\\u009b\\u202e\\u007f"
        );
        assert_eq!(escaped_lines("a\n\u{1b}[31mb\tc\n", Colours::Off), "a\n\\u001b[31mb\\u0009c\n");
        let coloured = "\u{1b}[1m\u{1b}[31merror\u{1b}[0m: \u{1b}[2J\u{1b}]0;x\u{7}\u{1b}[1;3";
        let expected = "\u{1b}[1m\u{1b}[31merror\u{1b}[0m: \\u001b[2J\\u001b]0;x\\u0007\\u001b[1;3";
        assert_eq!(escaped_lines(coloured, Colours::On), expected);
    }
}
