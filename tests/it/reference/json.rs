//! A strict JSON reader (RFC 8259) that keeps numbers as their text and lets the last of equal names count.

/// Deeper nesting is refused, as common readers do.
const NESTED_LEVELS_MAX: usize = 127;

/// One JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    /// The number's text, untouched.
    Number(String),
    Text(String),
    Array(Vec<Json>),
    /// Members by name; no name stands twice.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The member of that name, unless it is missing or null or this is not an object.
    pub fn member(&self, name: &str) -> Option<&Json> {
        self.member_or_null(name).filter(|value| **value != Json::Null)
    }

    /// The member of that name, a null included.
    pub fn member_or_null(&self, name: &str) -> Option<&Json> {
        let Json::Object(members) = self else { return None };
        members.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// What an RFC 6901 pointer leads to; a null counts as missing.
    pub fn pointer(&self, pointer: &str) -> Option<&Json> {
        let mut here = self;
        for step in pointer.split('/').skip(1) {
            let name = step.replace("~1", "/").replace("~0", "~");
            here = match here {
                Json::Object(_) => here.member(&name)?,
                Json::Array(items) => {
                    let plain = name == "0" || !(name.starts_with('0') || name.starts_with('+'));
                    items.get(name.parse::<usize>().ok().filter(|_| plain)?)?
                }
                _ => return None,
            };
        }
        Some(here).filter(|value| **value != Json::Null)
    }
}

/// The value that the bytes spell, or `None` if they are not strict JSON.
pub fn parse(bytes: &[u8]) -> Option<Json> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut reader = Reader { rest: text };
    let value = reader.value(0)?;
    reader.skip_blanks();
    reader.rest.is_empty().then_some(value)
}

/// The value that the text spells with nothing around it.
pub fn parse_exact(text: &str) -> Option<Json> {
    let mut reader = Reader { rest: text };
    let begins = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let value = if begins { reader.number()? } else { return None };
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn value(&mut self, levels: usize) -> Option<Json> {
        self.skip_blanks();
        match self.rest.chars().next()? {
            'n' => self.take("null").map(|()| Json::Null),
            't' => self.take("true").map(|()| Json::Bool(true)),
            'f' => self.take("false").map(|()| Json::Bool(false)),
            '"' => self.text().map(Json::Text),
            '[' => self.array(levels + 1),
            '{' => self.object(levels + 1),
            _ => self.number(),
        }
    }

    fn array(&mut self, levels: usize) -> Option<Json> {
        if levels > NESTED_LEVELS_MAX {
            return None;
        }
        self.take("[")?;
        let mut items = Vec::new();
        self.skip_blanks();
        if self.take("]").is_some() {
            return Some(Json::Array(items));
        }
        loop {
            items.push(self.value(levels)?);
            self.skip_blanks();
            if self.take("]").is_some() {
                return Some(Json::Array(items));
            }
            self.take(",")?;
        }
    }

    fn object(&mut self, levels: usize) -> Option<Json> {
        if levels > NESTED_LEVELS_MAX {
            return None;
        }
        self.take("{")?;
        let mut members: Vec<(String, Json)> = Vec::new();
        self.skip_blanks();
        if self.take("}").is_some() {
            return Some(Json::Object(members));
        }
        loop {
            self.skip_blanks();
            let name = self.text()?;
            self.skip_blanks();
            self.take(":")?;
            let value = self.value(levels)?;
            members.retain(|(own, _)| *own != name);
            members.push((name, value));
            self.skip_blanks();
            if self.take("}").is_some() {
                return Some(Json::Object(members));
            }
            self.take(",")?;
        }
    }

    fn digits(&mut self) -> Option<()> {
        let rest = self.rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let some = rest.len() < self.rest.len();
        self.rest = rest;
        some.then_some(())
    }

    fn number(&mut self) -> Option<Json> {
        let whole = self.rest;
        let _ = self.take("-");
        if self.take("0").is_none() {
            self.digits()?;
        }
        if self.take(".").is_some() {
            self.digits()?;
        }
        if self.take("e").or_else(|| self.take("E")).is_some() {
            let _ = self.take("+").or_else(|| self.take("-"));
            self.digits()?;
        }
        Some(Json::Number(whole[..whole.len() - self.rest.len()].to_owned()))
    }

    fn text(&mut self) -> Option<String> {
        self.take("\"")?;
        let mut text = String::new();
        loop {
            match self.next()? {
                '"' => return Some(text),
                '\\' => text.push(self.escape()?),
                c if c < ' ' => return None,
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            c @ ('"' | '\\' | '/') => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => match self.hex4()? {
                high @ 0xD800..=0xDBFF => {
                    self.take("\\u")?;
                    let low = self.hex4()?;
                    if !(0xDC00..=0xDFFF).contains(&low) {
                        return None;
                    }
                    char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?
                }
                unit => char::from_u32(unit)?, // a lone low surrogate is no char
            },
            _ => return None,
        })
    }

    fn hex4(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit * 16 + self.next()?.to_digit(16)?;
        }
        Some(unit)
    }
}
