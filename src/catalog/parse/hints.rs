//! Mistakes in expressions: frequent ones that tokens show, and syntax errors in plain words.

use super::parser::SyntaxError;
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

/// Reports a syntax error.
pub(crate) fn explain_error(text: &ExpressionText, tokens: &[Token<'_>], error: SyntaxError, report: &mut Report) {
    let (SyntaxError::Unexpected(at) | SyntaxError::Reserved(at) | SyntaxError::Number(at) | SyntaxError::Escape(at)) =
        error;
    let token = tokens.get(at);
    let end = text.text.len();
    let place = token.map_or(Span::new(end, end), Token::span);
    let (message, help) = match (error, token) {
        (_, None) => (
            "the expression ends too early".to_owned(),
            Some("a value is missing at its end: a name, a number, or text in quotes"),
        ),
        (SyntaxError::Reserved(_), Some(word)) => {
            (format!("`{}` is a reserved word and can't be a name", word.text), None)
        }
        (SyntaxError::Number(_), Some(_)) => {
            ("this number is too large, or not a number".to_owned(), Some("numbers look like 12, 0.5 or 1e15"))
        }
        (SyntaxError::Escape(_), Some(_)) => (
            "this text holds an escape that means nothing".to_owned(),
            Some(r#"a backslash begins an escape: write \\ for the character itself"#),
        ),
        (SyntaxError::Unexpected(_), Some(token)) => {
            let is_value = token.text.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | '\'' | '('));
            let help = if is_value {
                "between two values stands an operator: `&&`, `||`, `>=`, `==`, `+` …"
            } else {
                "a value is missing in front of it, or an operator"
            };
            (format!("`{}` can't stand here", token.text), Some(help))
        }
    };
    report.error("bad-expression", text.locate(place), message).maybe_help(help.map(str::to_owned));
}
