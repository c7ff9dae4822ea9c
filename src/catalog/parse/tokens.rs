//! The lexer of expressions. Its tokens give the places of syntax nodes and errors, show frequent mistakes, and limit
//! the size of what is parsed.

use crate::catalog::diagnostics::Span;

/// The longest expression, in bytes.
pub(super) const EXPRESSION_BYTES_MAX: usize = 8_192;

/// The most operators in one expression: what works on the tree recurses once per operator in a row.
pub(super) const OPERATORS_MAX: usize = 400;

/// The deepest nesting of brackets and `?:`.
pub(super) const NESTING_MAX: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenClass {
    Word,
    Number,
    Text,
    Open,
    Close,
    /// An operator, a comma, a dot.
    Symbol,
    /// A character that expressions do not have.
    Unknown,
    /// A text without its closing quote.
    UnclosedText,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub class: TokenClass,
    pub text: &'a str,
    pub start: usize,
}

impl Token<'_> {
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub(super) fn span(&self) -> Span {
        Span::new(self.start, self.end())
    }
}

const SYMBOLS: [&str; 24] = [
    "&&", "||", "==", "!=", "<=", ">=", "<>", "=>", "=<", "<", ">", "=", "!", "+", "-", "*", "/", "%", "?", ":", ",",
    ".", "&", "|",
];

/// The tokens of an expression, without white space and comments.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let (class, len) = token(rest, c);
        found.push(Token { class, text: &rest[..len], start: at });
        at += len;
    }
    found
}

fn token(rest: &str, c: char) -> (TokenClass, usize) {
    let word_len = |text: &str| text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    match c {
        '"' | '\'' => literal(rest, c, true),
        'a'..='z' | 'A'..='Z' | '_' => {
            let len = word_len(rest);
            // A prefix of a string or bytes literal: r"…", b"…".
            match rest[len..].chars().next() {
                Some(quote @ ('"' | '\'')) if is_literal_prefix(&rest[..len]) => {
                    let is_raw = rest[..len].contains(['r', 'R']);
                    let (class, text_len) = literal(&rest[len..], quote, !is_raw);
                    (class, len + text_len)
                }
                _ => (TokenClass::Word, len),
            }
        }
        '0'..='9' => (TokenClass::Number, number(rest)),
        '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => (TokenClass::Number, number(rest)),
        '(' | '[' | '{' => (TokenClass::Open, 1),
        ')' | ']' | '}' => (TokenClass::Close, 1),
        _ => match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            Some(symbol) => (TokenClass::Symbol, symbol.len()),
            None => (TokenClass::Unknown, c.len_utf8()),
        },
    }
}

fn is_literal_prefix(word: &str) -> bool {
    matches!(word.to_ascii_lowercase().as_str(), "r" | "b" | "rb" | "br")
}

/// The class and length of a quoted text, or of as much of it as there is.
fn literal(rest: &str, quote: char, escapes: bool) -> (TokenClass, usize) {
    let triple: String = std::iter::repeat_n(quote, 3).collect();
    let (fence, is_long) = if rest.starts_with(&triple) { (triple.as_str(), true) } else { (&triple[..1], false) };
    let mut at = fence.len();
    while let Some(c) = rest[at..].chars().next() {
        if rest[at..].starts_with(fence) {
            return (TokenClass::Text, at + fence.len());
        }
        if c == '\n' && !is_long {
            break;
        }
        at += c.len_utf8();
        if c == '\\' && escapes {
            at += rest[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    (TokenClass::UnclosedText, at)
}

/// The length of a number with what follows its digits: `1.5e-3`, `0x1f`, `3u`, and units that people write (`30d`).
fn number(rest: &str) -> usize {
    let mut at = 0;
    let mut before = ' ';
    for c in rest.chars() {
        let is_exponent_sign = matches!(c, '+' | '-') && matches!(before, 'e' | 'E') && !rest.starts_with("0x");
        let is_point = c == '.' && rest[at + 1..].starts_with(|c: char| c.is_ascii_digit());
        if !c.is_ascii_alphanumeric() && c != '_' && !is_point && !is_exponent_sign {
            break;
        }
        at += c.len_utf8();
        before = c;
    }
    at
}

/// For each bracket the index of the bracket that it belongs to.
///
/// # Errors
/// The index of the first bracket without another.
pub(super) fn bracket_pairs(tokens: &[Token<'_>]) -> Result<Vec<Option<usize>>, usize> {
    let mut bracket_pairs = vec![None; tokens.len()];
    let mut open: Vec<usize> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.class {
            TokenClass::Open => open.push(at),
            TokenClass::Close => {
                let fits =
                    |open: &usize| matches!((tokens[*open].text, token.text), ("(", ")") | ("[", "]") | ("{", "}"));
                let Some(start) = open.pop().filter(fits) else {
                    return Err(at);
                };
                bracket_pairs[at] = Some(start);
                bracket_pairs[start] = Some(at);
            }
            _ => {}
        }
    }
    open.pop().map_or(Ok(bracket_pairs), Err)
}

/// Checks that an expression may be parsed.
///
/// # Errors
/// The limit that the expression exceeds, in words.
pub(super) fn check_limits(text: &str, tokens: &[Token<'_>]) -> Result<(), String> {
    if text.len() > EXPRESSION_BYTES_MAX {
        return Err(format!("this expression has {} bytes; at most {EXPRESSION_BYTES_MAX} are allowed", text.len()));
    }
    let is_operator = |token: &&Token<'_>| {
        (token.class == TokenClass::Symbol && token.text != ",")
            || (token.class == TokenClass::Word && token.text == "in")
    };
    let operators = tokens.iter().filter(is_operator).count();
    if operators > OPERATORS_MAX {
        return Err(format!("this expression has {operators} operators; at most {OPERATORS_MAX} are allowed"));
    }
    let mut depth = 0_usize;
    let mut deepest = 0;
    let questions = tokens.iter().filter(|token| token.text == "?").count();
    for token in tokens {
        match token.class {
            TokenClass::Open => depth += 1,
            TokenClass::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    if deepest + questions > NESTING_MAX {
        return Err(format!(
            "this expression is nested {} deep; at most {NESTING_MAX} are allowed",
            deepest + questions
        ));
    }
    Ok(())
}
