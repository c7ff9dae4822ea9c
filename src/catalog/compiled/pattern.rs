//! Regular expressions of `matches`: those that RE2 and the crate `regex` both read, and read alike.
//!
//! CEL's patterns are RE2's. The crate reads nearly the same language, so a pattern is parsed by the crate, searched for
//! what RE2 does not read or reads as something else, and rewritten where the same words mean less in RE2: there `\d`,
//! `\w`, `\s` and `\b` are ASCII.

use std::fmt;

use regex::{Regex, RegexBuilder};
use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{
    AssertionKind, Ast, ClassPerlKind, ClassSetBinaryOp, ClassSetItem, ClassUnicode, ClassUnicodeKind, Flag, Flags,
    FlagsItemKind, GroupKind, HexLiteralKind, LiteralKind, RepetitionKind, RepetitionRange, Span, Visitor, visit,
};

/// The most repetitions that RE2 reads, those of groups within groups multiplied.
const REPETITIONS_MAX: u32 = 1_000;

/// The memory of a compiled pattern, in bytes; it also bounds the time that one byte of a text takes.
const COMPILED_MAX: usize = 256 * 1_024;

/// A pattern that has been checked and compiled.
#[derive(Clone)]
pub struct Pattern {
    source: Box<str>,
    regex: Regex,
}

/// Why a text is no pattern, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    pub message: String,
    pub help: Option<&'static str>,
    /// Bytes of the pattern's text.
    pub start: usize,
    pub end: usize,
}

impl Pattern {
    /// # Errors
    /// Where one of RE2 and the crate does not read the pattern, or they read different things, or it is too large.
    pub fn new(source: &str) -> Result<Self, PatternError> {
        let ast = Parser::new().parse(source).map_err(|error| {
            let help = foreign(source, error.span());
            PatternError::at(error.span(), format!("this is not a pattern: {}", error.kind()), help)
        })?;
        let dialect = visit(&ast, Dialect { source, replaced: Vec::new(), repeats: Vec::new() })?;
        let built = RegexBuilder::new(&dialect.rewritten()).size_limit(COMPILED_MAX).build();
        let whole = |message: String| PatternError { message, help: None, start: 0, end: source.len() };
        let regex = built.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => whole("this pattern is too large".to_owned()),
            other => whole(other.to_string().lines().last().unwrap_or_default().trim().to_owned()),
        })?;
        Ok(Pattern { source: source.into(), regex })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it matches anywhere in a text.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.source)
    }
}

impl PatternError {
    fn at(span: &Span, message: String, help: Option<&'static str>) -> Self {
        PatternError { message, help, start: span.start.offset, end: span.end.offset }
    }

    fn only_one(span: &Span, what: &str, help: Option<&'static str>) -> Self {
        PatternError::at(span, format!("{what} is not read alike by RE2 and this program"), help)
    }
}

/// What to write instead of what only RE2, or neither of the two, reads.
fn foreign(source: &str, at: &Span) -> Option<&'static str> {
    let before = source.get(..at.end.offset)?;
    let written = source.get(at.start.offset..at.end.offset)?;
    if written.contains("(?=") || written.contains("(?!") || written.contains("(?<") {
        return Some("patterns do not look ahead or back: combine two `matches` with `&&` and `!`");
    }
    if before.ends_with(r"\Q") || before.ends_with(r"\C") || before.ends_with(r"\Z") {
        return Some("escape each character by itself, and write `$` for the end");
    }
    if written.starts_with('{') || before.ends_with('{') {
        return Some("a brace that counts nothing is escaped: `\\{`");
    }
    if written.starts_with('[') {
        return Some("a bracket within brackets is escaped: `\\[`");
    }
    written.starts_with('\\').then_some("a backslash that means nothing is left out, or doubled")
}

/// Finds what RE2 does not read alike, and what has to be rewritten.
struct Dialect<'s> {
    source: &'s str,
    /// In the order of the text.
    replaced: Vec<(Span, &'static str)>,
    /// The greatest counts of the repetitions around a place, multiplied.
    repeats: Vec<u32>,
}

impl Dialect<'_> {
    fn rewritten(&self) -> String {
        let (mut text, mut at) = (String::with_capacity(self.source.len()), 0);
        for (span, instead) in &self.replaced {
            text.push_str(&self.source[at..span.start.offset]);
            text.push_str(instead);
            at = span.end.offset;
        }
        text.push_str(&self.source[at..]);
        text
    }

    fn flags(&self, flags: &Flags) -> Result<(), PatternError> {
        let only_ours = |item: &FlagsItemKind| {
            matches!(item, FlagsItemKind::Flag(Flag::Unicode | Flag::CRLF | Flag::IgnoreWhitespace))
        };
        match flags.items.iter().find(|item| only_ours(&item.kind)) {
            Some(item) => Err(PatternError::only_one(&item.span, "this flag", Some("flags are `i`, `m`, `s` and `U`"))),
            None => Ok(()),
        }
    }

    fn literal(&self, span: &Span, form: &LiteralKind) -> Result<(), PatternError> {
        match form {
            LiteralKind::HexFixed(HexLiteralKind::UnicodeShort | HexLiteralKind::UnicodeLong)
            | LiteralKind::HexBrace(HexLiteralKind::UnicodeShort | HexLiteralKind::UnicodeLong) => {
                Err(PatternError::only_one(span, "this escape", Some("write the character, or `\\x{263A}`")))
            }
            _ => Ok(()),
        }
    }

    fn perl(&mut self, span: Span, class: &ClassPerlKind, negated: bool) {
        self.replaced.push((
            span,
            match (class, negated) {
                (ClassPerlKind::Digit, false) => "[0-9]",
                (ClassPerlKind::Digit, true) => "[^0-9]",
                (ClassPerlKind::Word, false) => "[0-9A-Za-z_]",
                (ClassPerlKind::Word, true) => "[^0-9A-Za-z_]",
                (ClassPerlKind::Space, false) => r"[\t\n\f\r ]",
                (ClassPerlKind::Space, true) => r"[^\t\n\f\r ]",
            },
        ));
    }

    /// Unicode classes: the general categories and the scripts, by the names that RE2 has for them.
    fn unicode(&mut self, class: &ClassUnicode) -> Result<(), PatternError> {
        let name = match &class.kind {
            ClassUnicodeKind::OneLetter(letter) => letter.to_string(),
            ClassUnicodeKind::Named(name) => name.clone(),
            ClassUnicodeKind::NamedValue { .. } => String::new(),
        };
        if name == "C" {
            // RE2's does not have the code points that are not assigned.
            let others = if class.is_negated() { r"[^\p{Cc}\p{Cf}\p{Co}]" } else { r"[\p{Cc}\p{Cf}\p{Co}]" };
            self.replaced.push((class.span, others));
            return Ok(());
        }
        if CATEGORIES.contains(&name.as_str()) || SCRIPTS.split_whitespace().any(|script| script == name) {
            return Ok(());
        }
        let help = "write a category such as `\\p{Lu}`, or a script such as `\\p{Greek}`";
        Err(PatternError::only_one(&class.span, "this class", Some(help)))
    }

    fn assertion(&mut self, span: Span, form: &AssertionKind) -> Result<(), PatternError> {
        match form {
            AssertionKind::WordBoundary => self.replaced.push((span, r"(?-u:\b)")),
            AssertionKind::NotWordBoundary => self.replaced.push((span, r"(?-u:\B)")),
            AssertionKind::StartLine | AssertionKind::EndLine | AssertionKind::StartText | AssertionKind::EndText => {}
            _ => return Err(PatternError::only_one(&span, "this boundary", Some("write `\\b`"))),
        }
        Ok(())
    }

    fn repetition(&mut self, form: &RepetitionKind, inner: &Ast, span: &Span) -> Result<(), PatternError> {
        if matches!(inner, Ast::Repetition(_)) {
            let help = Some("put the inner repetition in brackets: `(?:a*)+`");
            return Err(PatternError::only_one(span, "a repetition of a repetition", help));
        }
        let count = match form {
            RepetitionKind::Range(RepetitionRange::Exactly(n) | RepetitionRange::AtLeast(n)) => *n,
            RepetitionKind::Range(RepetitionRange::Bounded(_, n)) => *n,
            _ => 1,
        };
        let all = self.repeats.last().copied().unwrap_or(1).saturating_mul(count.max(1));
        if all > REPETITIONS_MAX {
            let message = format!("this repeats more than {REPETITIONS_MAX} times");
            return Err(PatternError::at(span, message, None));
        }
        self.repeats.push(all);
        Ok(())
    }
}

impl Visitor for Dialect<'_> {
    type Output = Self;
    type Err = PatternError;

    fn finish(self) -> Result<Self, PatternError> {
        Ok(self)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), PatternError> {
        match ast {
            Ast::Flags(set) => self.flags(&set.flags),
            Ast::Literal(literal) => self.literal(&literal.span, &literal.kind),
            Ast::Assertion(assertion) => self.assertion(assertion.span, &assertion.kind),
            Ast::ClassUnicode(class) => self.unicode(class),
            Ast::ClassPerl(class) => {
                self.perl(class.span, &class.kind, class.negated);
                Ok(())
            }
            Ast::ClassBracketed(class) => {
                let inner = &self.source[class.span.start.offset + 1..class.span.end.offset];
                if inner.strip_prefix('^').unwrap_or(inner).starts_with("--") {
                    let help = Some("a hyphen of a class is escaped: `\\-`");
                    return Err(PatternError::only_one(&class.span, "this class", help));
                }
                Ok(())
            }
            Ast::Repetition(repetition) => self.repetition(&repetition.op.kind, &repetition.ast, &repetition.span),
            Ast::Group(group) => match &group.kind {
                GroupKind::NonCapturing(flags) => self.flags(flags),
                GroupKind::CaptureName { name, .. } if !is_word(&name.name) => {
                    let help = Some("names have letters a to z, digits and `_`");
                    Err(PatternError::only_one(&name.span, "this name", help))
                }
                GroupKind::CaptureName { .. } | GroupKind::CaptureIndex(_) => Ok(()),
            },
            Ast::Empty(_) | Ast::Dot(_) | Ast::Alternation(_) | Ast::Concat(_) => Ok(()),
        }
    }

    fn visit_post(&mut self, ast: &Ast) -> Result<(), PatternError> {
        if matches!(ast, Ast::Repetition(_)) {
            self.repeats.pop();
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), PatternError> {
        match item {
            ClassSetItem::Literal(literal) => self.literal(&literal.span, &literal.kind),
            ClassSetItem::Range(range) => {
                self.literal(&range.start.span, &range.start.kind)?;
                self.literal(&range.end.span, &range.end.kind)
            }
            ClassSetItem::Unicode(class) => self.unicode(class),
            ClassSetItem::Perl(class) => {
                self.perl(class.span, &class.kind, class.negated);
                Ok(())
            }
            ClassSetItem::Bracketed(class) => {
                let help = Some("a bracket within brackets is escaped: `\\[`");
                Err(PatternError::only_one(&class.span, "a class within a class", help))
            }
            ClassSetItem::Empty(_) | ClassSetItem::Ascii(_) | ClassSetItem::Union(_) => Ok(()),
        }
    }

    fn visit_class_set_binary_op_pre(&mut self, op: &ClassSetBinaryOp) -> Result<(), PatternError> {
        let help = Some("a `&`, `-` or `~` of a class is escaped: `\\&`");
        Err(PatternError::only_one(&op.span, "this class", help))
    }
}

fn is_word(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

const CATEGORIES: [&str; 34] = [
    "Cc", "Cf", "Co", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl", "No", "P", "Pc", "Pd",
    "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs",
];

const SCRIPTS: &str = "Any Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak \
    Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham \
    Cherokee Chorasmian Common Coptic Cuneiform Cypriot Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra \
    Duployan Egyptian_Hieroglyphs Elbasan Elymaic Ethiopic Georgian Glagolitic Gothic Grantha Greek Gujarati \
    Gunjala_Gondi Gurmukhi Han Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited \
    Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kawi Kayah_Li Kharoshthi \
    Khitan_Small_Script Khmer Khojki Khudawadi Lao Latin Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani \
    Makasar Malayalam Mandaic Manichaean Marchen Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui \
    Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean Nag_Mundari Nandinagari \
    New_Tai_Lue Newa Nko Nushu Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Old_Hungarian Old_Italic Old_North_Arabian \
    Old_Permic Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage Osmanya Pahawh_Hmong \
    Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Sharada Shavian \
    Siddham SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le \
    Tai_Tham Tai_Viet Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Toto Ugaritic Vai \
    Vithkuqi Wancho Warang_Citi Yezidi Yi Zanabazar_Square";
