//! The words and signs of a Rust source, without comments and without the text of literals.

/// A word, a number, `::`, or one other sign; a literal is `"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    /// The first line is 1.
    pub line: usize,
}

impl Token {
    pub fn is(&self, text: &str) -> bool {
        self.text == text
    }

    /// Whether it is a name or a keyword; `r#type` is neither `type` nor without its mark.
    pub fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }

    /// Whether it is a name as types have it.
    pub fn is_type_name(&self) -> bool {
        self.text.starts_with(char::is_uppercase)
    }
}

/// What is left of a source, and where it is.
struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

/// All tokens of a source, in order.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut reader = Reader { rest: text, line: 1 };
    let mut tokens = Vec::new();
    while !reader.rest.is_empty() {
        let line = reader.line;
        if let Some(text) = reader.next() {
            tokens.push(Token { text, line });
        }
    }
    tokens
}

impl Reader<'_> {
    fn skip(&mut self, bytes: usize) {
        let (gone, rest) = self.rest.split_at(bytes);
        self.line += gone.matches('\n').count();
        self.rest = rest;
    }

    /// Takes one token, or what is none.
    fn next(&mut self) -> Option<String> {
        let rest = self.rest;
        let first = rest.chars().next()?;
        if rest.starts_with("//") {
            self.skip(rest.find('\n').unwrap_or(rest.len()));
            return None;
        }
        if rest.starts_with("/*") {
            self.skip(block_comment(rest));
            return None;
        }
        if let Some(length) = literal(rest) {
            self.skip(length);
            return Some("\"".to_owned());
        }
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = if let Some(name) = rest.strip_prefix("r#") {
            2 + name.find(|c| !is_word(c)).unwrap_or(name.len())
        } else if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else if first == '\'' {
            // A lifetime: a character would have been a literal.
            1 + rest[1..].find(|c| !is_word(c)).unwrap_or(rest.len() - 1)
        } else {
            first.len_utf8()
        };
        self.skip(length);
        (!first.is_whitespace()).then(|| rest[..length].to_owned())
    }
}

/// The length of a comment that may hold others.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let here = &text.as_bytes()[at..];
        if here.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if here.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// The length of the text or character that begins here, if one does.
fn literal(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r"].into_iter().find(|prefix| {
        text.strip_prefix(prefix)
            .is_some_and(|rest| rest.trim_start_matches('#').starts_with('"') || rest.starts_with('\''))
    });
    let prefix = prefix.unwrap_or_default();
    let after = &text[prefix.len()..];
    if prefix.ends_with('r') {
        let marks = after.len() - after.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(marks));
        let begin = prefix.len() + marks + 1;
        return text.get(begin..)?.find(&end).map(|at| begin + at + end.len());
    }
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    if quote == '\'' && !is_character(after) {
        return None;
    }
    let mut escaped = false;
    let end = after[1..].char_indices().find(|(_, c)| {
        let ends = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map(|(at, _)| prefix.len() + 1 + at + 1)
}

/// `'a'`, and not the lifetime `'a`.
fn is_character(text: &str) -> bool {
    let mut inside = text[1..].chars();
    match (inside.next(), inside.next()) {
        (Some('\\'), _) => true,
        (Some(_), Some(second)) => second == '\'',
        _ => false,
    }
}

#[test]
fn comments_and_literals_are_no_words() {
    let text = "/// crate::a\nfn f<'a>(x: &'a str) -> char { /* b::c /* d */ */ let r#type = r#\"e\"f\"#; b'\\''; \"g\\\"h\"; 'i' }\n";
    let found: Vec<String> = tokens(text).into_iter().map(|token| token.text).collect();
    let expected = "fn f < 'a > ( x : & 'a str ) - > char { let r#type = \" ; \" ; \" ; \" }";
    assert_eq!(found.join(" "), expected);
    assert_eq!(tokens("a\n\n\"x\ny\"\nb").last().map(|token| token.line), Some(5));
}
