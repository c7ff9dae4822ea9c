//! The paths that a source names: those of its `use` trees, and those that stand in the code.

use super::tokens::{Token, tokens};

/// A path as it is written, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Such as `crate`, `kafka`, `Worker`; a glob ends in `*`.
    pub segments: Vec<String>,
    /// Of a `use`: the name that it gives here.
    pub name: Option<String>,
    /// The modules within the file that it stands in.
    pub inside: Vec<String>,
    pub line: usize,
}

/// All paths of a source. In code only those of two segments or more are paths.
pub fn paths(text: &str) -> Vec<Path> {
    let tokens = tokens(text);
    let mut paths = Vec::new();
    // For each open brace: the module that it opens, if it does.
    let mut open: Vec<Option<String>> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        let follows = |offset: usize, text: &str| tokens.get(at + offset).is_some_and(|token| token.is(text));
        let inside = || open.iter().flatten().cloned().collect::<Vec<String>>();
        if token.is("use") && !follows(1, "<") {
            let mut tree = Tree { tokens: &tokens, at: at + 1, found: Vec::new() };
            tree.read(Vec::new());
            at = tree.at;
            paths.extend(tree.found.into_iter().map(|path| Path { inside: inside(), ..path }));
            continue;
        }
        if token.is("mod") && follows(2, "{") {
            open.push(Some(tokens[at + 1].text.clone()));
            at += 3;
            continue;
        }
        match token.text.as_str() {
            "{" => open.push(None),
            "}" => drop(open.pop()),
            _ if token.is_word() && follows(1, "::") && !(at > 0 && tokens[at - 1].is("::")) => {
                let mut segments = vec![token.text.clone()];
                let line = token.line;
                while tokens.get(at + 1).is_some_and(|token| token.is("::"))
                    && tokens.get(at + 2).is_some_and(Token::is_word)
                {
                    segments.push(tokens[at + 2].text.clone());
                    at += 2;
                }
                if segments.len() > 1 {
                    paths.push(Path { segments, name: None, inside: inside(), line });
                }
            }
            _ => {}
        }
        at += 1;
    }
    paths
}

/// A `use` tree that is being read.
struct Tree<'a> {
    tokens: &'a [Token],
    at: usize,
    found: Vec<Path>,
}

impl Tree<'_> {
    fn takes(&mut self, text: &str) -> bool {
        let is_next = self.tokens.get(self.at).is_some_and(|token| token.is(text));
        self.at += usize::from(is_next);
        is_next
    }

    /// Reads a tree below `prefix`: a path, a path with a group, or a glob.
    fn read(&mut self, mut segments: Vec<String>) {
        self.takes("::");
        let Some(first) = self.tokens.get(self.at) else { return };
        let line = first.line;
        loop {
            if self.takes("{") {
                while !self.takes("}") && self.at < self.tokens.len() {
                    self.read(segments.clone());
                    self.takes(",");
                }
                return;
            }
            let Some(token) = self.tokens.get(self.at) else { return };
            self.at += 1;
            segments.push(token.text.clone());
            if !self.takes("::") {
                break;
            }
        }
        // `a::{self}` is `a`.
        if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
            segments.pop();
        }
        let mut name = segments.last().cloned();
        if self.takes("as") {
            name = self.tokens.get(self.at).map(|token| token.text.clone());
            self.at += 1;
        }
        self.found.push(Path { segments, name, inside: Vec::new(), line });
    }
}

#[test]
fn trees_of_use_are_read_to_their_leaves() {
    let text = "pub use crate::a::{b::{C, D as E}, self, f::*};\nmod tests { use super::x; fn g() -> impl Fn() + use<> { crate::h::i::<u8>() } }";
    let found: Vec<String> = paths(text)
        .into_iter()
        .map(|path| {
            format!(
                "{} {} {} {}",
                path.line,
                path.inside.join("::"),
                path.segments.join("::"),
                path.name.unwrap_or_default()
            )
        })
        .collect();
    let expected = [
        "1  crate::a::b::C C",
        "1  crate::a::b::D E",
        "1  crate::a a",
        "1  crate::a::f::* *",
        "2 tests super::x x",
        "2 tests crate::h::i ",
    ];
    assert_eq!(found, expected);
}
