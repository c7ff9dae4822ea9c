//! The words of an expression.

/// One word.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// As it is written.
    Number(String),
    Text(String),
    Name(String),
    Mark(&'static str),
    End,
}

/// Longer marks before their beginnings.
const MARKS: [&str; 22] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", "(", ")", "[", "]", ",", ".",
];

/// The words of the text in order, `End` last.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let (token, length) = match c {
            '0'..='9' => number(rest),
            '"' | '\'' => quoted(rest, c),
            'r' | 'R' if rest[1..].starts_with(['"', '\'']) => raw(rest),
            c if c.is_alphabetic() || c == '_' => {
                let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                (Token::Name(rest[..length].to_owned()), length)
            }
            _ => {
                let mark = MARKS.iter().find(|mark| rest.starts_with(**mark));
                let mark = mark.unwrap_or_else(|| panic!("no word of an expression: {rest:?}"));
                (Token::Mark(mark), mark.len())
            }
        };
        found.push(token);
        rest = rest[length..].trim_start();
    }
    found.push(Token::End);
    found
}

fn number(rest: &str) -> (Token, usize) {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut length = digits(0);
    if bytes.get(length) == Some(&b'.') && digits(length + 1) > 0 {
        length += 1 + digits(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        if digits(length + 1 + sign) > 0 {
            length += 1 + sign + digits(length + 1 + sign);
        }
    }
    (Token::Number(rest[..length].to_owned()), length)
}

fn raw(rest: &str) -> (Token, usize) {
    let quote = rest[1..].chars().next().expect("a quote");
    let length = rest[2..].find(quote).unwrap_or_else(|| panic!("no end of the text in {rest:?}"));
    (Token::Text(rest[2..2 + length].to_owned()), length + 3)
}

fn quoted(rest: &str, quote: char) -> (Token, usize) {
    let mut text = String::new();
    let mut letters = rest.char_indices().skip(1);
    while let Some((at, c)) = letters.next() {
        match c {
            c if c == quote => return (Token::Text(text), at + 1),
            '\\' => text.push(escape(&mut letters)),
            c => text.push(c),
        }
    }
    panic!("no end of the text in {rest:?}")
}

fn escape(letters: &mut dyn Iterator<Item = (usize, char)>) -> char {
    let mut next = || letters.next().expect("a letter after a backslash").1;
    let first = next();
    let mut coded = |digits: usize, base: u32, from: u32| {
        let code = (0..digits).fold(from, |code, _| code * base + next().to_digit(base).expect("a digit"));
        char::from_u32(code).expect("a code point")
    };
    match first {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'x' | 'X' => coded(2, 16, 0),
        'u' => coded(4, 16, 0),
        'U' => coded(8, 16, 0),
        c @ '0'..='3' => coded(2, 8, c.to_digit(8).expect("a digit")),
        c @ ('\\' | '"' | '\'' | '?' | '`') => c,
        other => panic!("unknown escape {other:?}"),
    }
}
