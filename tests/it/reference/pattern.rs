//! A matcher of patterns by trying: what RE2 and the crate regex agree on, as far as the tests write it.

/// One step of a pattern.
enum Node {
    Char(char),
    Any,
    /// Ranges, and whether they are excluded.
    Class(Vec<(char, char)>, bool),
    Begin,
    End,
    Border,
    Group(Vec<Vec<Node>>),
    /// A node, and how often at least and at most.
    Repeat(Box<Node>, usize, usize),
}

/// Whether the pattern matches anywhere in the text.
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let mut reader = Reader { pattern: &pattern, at: 0 };
    let node = Node::Group(reader.branches());
    assert_eq!(reader.at, pattern.len(), "the end of a pattern");
    let text: Vec<char> = text.chars().collect();
    (0..=text.len()).any(|from| node.ends(&text, from).into_iter().next().is_some())
}

impl Node {
    /// All places at which a match that begins at `from` may end.
    fn ends(&self, text: &[char], from: usize) -> Vec<usize> {
        let here = text.get(from).copied();
        let one = |is: bool| if is { vec![from + 1] } else { Vec::new() };
        let none = |is: bool| if is { vec![from] } else { Vec::new() };
        match self {
            Self::Char(own) => one(here == Some(*own)),
            Self::Any => one(here.is_some_and(|c| c != '\n')),
            Self::Class(ranges, excluded) => {
                one(here.is_some_and(|c| ranges.iter().any(|(a, b)| (*a..=*b).contains(&c)) != *excluded))
            }
            Self::Begin => none(from == 0),
            Self::End => none(from == text.len()),
            Self::Border => {
                let is_word = |at: Option<usize>| {
                    at.and_then(|at| text.get(at)).is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_')
                };
                none(is_word(from.checked_sub(1)) != is_word(Some(from)))
            }
            Self::Group(branches) => {
                let through = |branch: &Vec<Node>| {
                    branch.iter().fold(vec![from], |places, node| {
                        let mut next: Vec<usize> = places.iter().flat_map(|place| node.ends(text, *place)).collect();
                        next.sort_unstable();
                        next.dedup();
                        next
                    })
                };
                branches.iter().flat_map(through).collect()
            }
            Self::Repeat(node, least, most) => {
                let (mut reached, mut places) = (Vec::new(), vec![from]);
                for times in 0..=*most {
                    if times >= *least {
                        reached.extend(&places);
                    }
                    let mut next: Vec<usize> = places.iter().flat_map(|place| node.ends(text, *place)).collect();
                    next.sort_unstable();
                    next.dedup();
                    if next.is_empty() || times > text.len() + *least {
                        break;
                    }
                    places = next;
                }
                reached
            }
        }
    }
}

struct Reader<'a> {
    pattern: &'a [char],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.pattern.get(self.at).copied()
    }

    fn next(&mut self) -> char {
        self.at += 1;
        self.pattern[self.at - 1]
    }

    fn branches(&mut self) -> Vec<Vec<Node>> {
        let mut branches = vec![Vec::new()];
        while let Some(c) = self.peek() {
            match c {
                ')' => break,
                '|' => {
                    self.at += 1;
                    branches.push(Vec::new());
                }
                _ => {
                    let node = self.repeated();
                    branches.last_mut().expect("one").push(node);
                }
            }
        }
        branches
    }

    fn repeated(&mut self) -> Node {
        let node = self.single();
        let (least, most) = match self.peek() {
            Some('*') => (0, usize::MAX - 1),
            Some('+') => (1, usize::MAX - 1),
            Some('?') => (0, 1),
            Some('{') => {
                let length = self.pattern[self.at..].iter().position(|c| *c == '}').expect("a }");
                let inside: String = self.pattern[self.at + 1..self.at + length].iter().collect();
                self.at += length + 1;
                let (least, most) = inside.split_once(',').unwrap_or((&inside, &inside));
                let most = if most.is_empty() { usize::MAX - 1 } else { most.parse().expect("a number") };
                return Node::Repeat(node.into(), least.parse().expect("a number"), most);
            }
            _ => return node,
        };
        self.at += 1;
        Node::Repeat(node.into(), least, most)
    }

    fn single(&mut self) -> Node {
        match self.next() {
            '.' => Node::Any,
            '^' => Node::Begin,
            '$' => Node::End,
            '(' => {
                if self.peek() == Some('?') {
                    self.at += 2; // `?:`
                }
                let branches = self.branches();
                assert_eq!(self.next(), ')');
                Node::Group(branches)
            }
            '[' => {
                let excluded = self.peek() == Some('^');
                self.at += usize::from(excluded);
                let mut ranges = Vec::new();
                while self.peek() != Some(']') {
                    match self.next() {
                        '\\' => ranges.extend(class(self.next()).expect("a class").0),
                        first if self.peek() == Some('-') => {
                            self.at += 1;
                            ranges.push((first, self.next()));
                        }
                        c => ranges.push((c, c)),
                    }
                }
                self.at += 1;
                Node::Class(ranges, excluded)
            }
            '\\' => match self.next() {
                'b' => Node::Border,
                c => class(c).map_or(Node::Char(c), |(ranges, excluded)| Node::Class(ranges, excluded)),
            },
            c => Node::Char(c),
        }
    }
}

/// The ASCII class of that letter.
fn class(letter: char) -> Option<(Vec<(char, char)>, bool)> {
    let ranges = match letter.to_ascii_lowercase() {
        'd' => vec![('0', '9')],
        'w' => vec![('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        's' => vec![('\t', '\n'), ('\u{c}', '\r'), (' ', ' ')],
        _ => return None,
    };
    Some((ranges, letter.is_ascii_uppercase()))
}
