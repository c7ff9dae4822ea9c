//! Mistakes in expressions: those that tokens show, and the parser's errors in plain words.

use cel::ParseErrors;

use super::tokens::{Token, TokenClass, bracket_pairs, check_limits};
use crate::catalog::diagnostics::{Report, Span};
use crate::catalog::raw::ExpressionText;

/// Reports mistakes that the tokens show; true when there are none, and the expression can be parsed.
pub(super) fn check_tokens(text: &ExpressionText, tokens: &[Token<'_>], report: &mut Report) -> bool {
    if tokens.is_empty() {
        report.error("bad-expression", text.span, "this expression is empty").help("for example `purchases_30d >= 3`");
        return false;
    }
    if let Err(message) = check_limits(&text.text, tokens) {
        report
            .error("bad-expression", text.span, message)
            .help("give parts of it a name: a tag can use another as `tag.x`");
        return false;
    }
    let before = report.errors();
    for (at, token) in tokens.iter().enumerate() {
        if let Some((message, help)) = common_mistake(tokens, at, token) {
            report.error("bad-expression", text.locate(token.span()), message).help(help);
        }
    }
    if report.errors() == before
        && let Err(at) = bracket_pairs(tokens)
    {
        let token = &tokens[at];
        let message = match token.class {
            TokenClass::Open => format!("this `{}` is not closed", token.text),
            _ => format!("this `{}` closes nothing", token.text),
        };
        let help = if text.is_before_comma {
            "in `{ … }` YAML ends a value at its first comma: put the whole expression in quotes"
        } else {
            "brackets come in pairs"
        };
        report.error("bad-expression", text.locate(token.span()), message).help(help);
    }
    report.errors() == before
}

/// A mistake that comes from SQL, spreadsheets or other languages: the message, and what to write.
fn common_mistake(tokens: &[Token<'_>], at: usize, token: &Token<'_>) -> Option<(String, String)> {
    let before = at.checked_sub(1).map(|at| tokens[at]);
    let is_operand = before.is_some_and(|t| matches!(t.class, TokenClass::Symbol | TokenClass::Open));
    let follows_value = before.is_some() && !is_operand;
    let instead = |write: &str| Some((format!("`{}` is not an operator", token.text), format!("write `{write}`")));
    match (token.class, token.text) {
        (TokenClass::Symbol, "=") => instead("=="),
        (TokenClass::Symbol, "<>") => instead("!="),
        (TokenClass::Symbol, "=>") => instead(">="),
        (TokenClass::Symbol, "=<") => instead("<="),
        (TokenClass::Symbol, "&") => instead("&&"),
        (TokenClass::Symbol, "|") => instead("||"),
        (TokenClass::Word, "not" | "NOT") if tokens.get(at + 1).is_some_and(|t| t.class == TokenClass::Word) => {
            instead("!")
        }
        (TokenClass::Word, word) if before.is_some_and(|t| t.class == TokenClass::Number) && is_unit(word) => {
            let help = match word.to_ascii_lowercase().trim_end_matches('s') {
                "week" => "count in days: `days_since(x) > 14`".to_owned(),
                unit => format!("the unit is in the function, as in `{unit}s_since(x) > 14`: write {}", before?.text),
            };
            Some((format!("`{word}` can't stand after a number"), help))
        }
        (TokenClass::Symbol, ",") => thousands(tokens, at),
        (TokenClass::Word, word) if follows_value => match word.to_ascii_lowercase().as_str() {
            "and" => instead("&&"),
            "or" => instead("||"),
            "is" => instead("=="),
            "between" => instead("x >= 1 && x <= 5"),
            "like" => instead("x.contains(\"…\")"),
            _ => None,
        },
        (TokenClass::Number, number) => unit(number),
        (TokenClass::UnclosedText, _) => Some((
            "the closing quote of this text is missing".to_owned(),
            "texts look like \"gold\" or 'gold'".to_owned(),
        )),
        (TokenClass::Unknown, "“" | "”" | "„" | "‘" | "’" | "«" | "»") => Some((
            format!("`{}` is a typographic quote", token.text),
            "write straight quotes: \"gold\" or 'gold'".to_owned(),
        )),
        (TokenClass::Unknown, "≥") => instead(">="),
        (TokenClass::Unknown, "≤") => instead("<="),
        (TokenClass::Unknown, "≠") => instead("!="),
        (TokenClass::Unknown, other) => Some((
            format!("`{other}` has no meaning in an expression"),
            "names have letters a to z, digits and `_`; text stands in quotes".to_owned(),
        )),
        _ => None,
    }
}

fn is_unit(word: &str) -> bool {
    const UNITS: [&str; 5] = ["second", "minute", "hour", "day", "week"];
    UNITS.contains(&word.to_ascii_lowercase().trim_end_matches('s'))
}

/// A number such as `1,000`; in brackets the comma may separate two numbers.
fn thousands(tokens: &[Token<'_>], comma: usize) -> Option<(String, String)> {
    let (before, after) = (tokens[comma.checked_sub(1)?], tokens.get(comma + 1)?);
    let of_class = |class| tokens[..comma].iter().filter(|token| token.class == class).count();
    let is_inside = of_class(TokenClass::Open) > of_class(TokenClass::Close);
    let is_number = before.class == TokenClass::Number && after.class == TokenClass::Number;
    (is_number && after.text.len() == 3 && !is_inside).then(|| {
        let number = format!("{}{}", before.text, after.text);
        ("a comma can't stand here".to_owned(), format!("numbers have no thousands separator: write {number}"))
    })
}

/// A number with a unit such as `30d`, which only `window`, `for` and `keep_for` take.
fn unit(number: &str) -> Option<(String, String)> {
    if number.starts_with("0x") {
        return None;
    }
    let digits = number.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &number[digits.len()..];
    let call = match unit {
        "d" => "days_since(x) > ",
        "h" => "hours_since(x) > ",
        "m" | "min" => "minutes_since(x) > ",
        "s" => "seconds_since(x) > ",
        "" | "u" | "e" | "E" | "U" => return None,
        "w" => return Some((format!("`{number}` is not a number"), "count in days: `days_since(x) > 14`".to_owned())),
        _ => return Some((format!("`{number}` is not a number"), "a name can't begin with a digit".to_owned())),
    };
    Some((
        format!("`{number}` is not a number: durations stand in `window`, `for` and `keep_for` only"),
        format!("write the number and say its unit by the function: `{call}{digits}`"),
    ))
}

/// Reports the parser's errors, one per place.
pub(super) fn explain_errors(text: &ExpressionText, tokens: &[Token<'_>], errors: &ParseErrors, report: &mut Report) {
    /// Later errors mostly follow from the first ones.
    const SHOWN_MAX: usize = 3;
    let mut told: Vec<Span> = Vec::new();
    for error in &errors.errors {
        let at = offset(&text.text, error.pos);
        let token = tokens.iter().find(|token| at < token.end());
        let local = token.map_or(Span::new(at, at), |token| token.span());
        if told.iter().any(|span| span.end >= local.start) || told.len() == SHOWN_MAX {
            continue;
        }
        told.push(local);
        let (message, help) = plain_words(&error.msg, token.map(|token| token.text));
        report.error("bad-expression", text.locate(local), message).maybe_help(help);
    }
}

/// The byte at a line (from 1) and column (from 1, in characters).
fn offset(text: &str, (line, column): (isize, isize)) -> usize {
    let mut start = 0;
    for (number, piece) in (1..).zip(text.split_inclusive('\n')) {
        if number == line.max(1) {
            let chars = usize::try_from(column - 1).unwrap_or(0);
            return start + piece.char_indices().nth(chars).map_or(piece.len(), |(at, _)| at);
        }
        start += piece.len();
    }
    text.len()
}

fn plain_words(raw: &str, token: Option<&str>) -> (String, Option<String>) {
    let raw = raw.trim_start_matches("Syntax error: ");
    if let Some(word) = raw.strip_prefix("reserved identifier: ") {
        return (format!("`{word}` is a reserved word and can't be a name"), None);
    }
    if raw.starts_with("invalid int") || raw.starts_with("invalid double") {
        let help = "numbers look like 12, 0.5 or 1e15".to_owned();
        return ("this number is too large, or not a number".to_owned(), Some(help));
    }
    if raw.starts_with("invalid string") {
        let help = r#"a backslash begins an escape: write \\ for the character itself"#.to_owned();
        return ("this text holds an escape that means nothing".to_owned(), Some(help));
    }
    match token {
        None => (
            "the expression ends too early".to_owned(),
            Some("a value is missing at its end: a name, a number, or text in quotes".to_owned()),
        ),
        Some(token) => {
            let is_value = token.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | '\'' | '('));
            let help = if is_value {
                "between two values stands an operator: `&&`, `||`, `>=`, `==`, `+` …"
            } else {
                "a value is missing in front of it, or an operator"
            };
            (format!("`{token}` can't stand here"), Some(help.to_owned()))
        }
    }
}
