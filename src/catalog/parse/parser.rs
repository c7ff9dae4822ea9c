//! From the text of an expression to its syntax tree: a recursive-descent parser of CEL's grammar.
//!
//! The grammar is that of the CEL specification (<https://github.com/google/cel-spec>, `doc/langdef.md`), without
//! macros. Null and bytes are parsed, maps and messages are skipped over; they are reported if nothing else is wrong.

use super::ast::{Ast, AstNode, BinaryOp, FunctionName};
use super::hints::{check_tokens, explain_error};
use super::literals::{LiteralError, number, string};
use super::tokens::{Token, TokenClass, bracket_pairs, tokens};
use crate::catalog::diagnostics::{Report, Span};
use crate::catalog::raw::ExpressionText;

/// CEL's reserved words, which cannot be names.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "namespace",
    "package",
    "return",
    "var",
    "void",
    "while",
];

/// Words that are not names.
const KEYWORDS: [&str; 4] = ["true", "false", "null", "in"];

/// The first mistake in an expression, at the token of this index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SyntaxError {
    /// A token that cannot stand here; after the last token: the expression ends too early.
    Unexpected(usize),
    /// A reserved word in place of a name.
    Reserved(usize),
    /// A number that is too large.
    Number(usize),
    /// A text with an escape that does not exist.
    Escape(usize),
}

type Parsed = Result<Ast, SyntaxError>;

/// Parses an expression; `None` after mistakes, which have been reported.
pub(crate) fn parse_expression(text: &ExpressionText, report: &mut Report) -> Option<Ast> {
    let tokens = tokens(&text.text);
    if !check_tokens(text, &tokens, report) {
        return None;
    }
    let pairs = bracket_pairs(&tokens).unwrap_or_else(|_| vec![None; tokens.len()]);
    let mut parser = Parser { tokens: &tokens, pairs, at: 0, unsupported: Vec::new() };
    match parser.whole() {
        Ok(ast) => {
            for (span, message, help) in &parser.unsupported {
                report.error("not-in-language", text.locate(*span), *message).help(help);
            }
            (parser.unsupported.is_empty() || ast.node != AstNode::Invalid).then_some(ast)
        }
        Err(error) => {
            explain_error(text, &tokens, error, report);
            None
        }
    }
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    /// For each bracket the index of the one that it belongs to.
    pairs: Vec<Option<usize>>,
    /// The index of the next token.
    at: usize,
    /// What CEL has and tagstream does not: the span, the message, and what to write instead.
    unsupported: Vec<(Span, &'static str, String)>,
}

impl Parser<'_> {
    fn whole(&mut self) -> Parsed {
        let ast = self.expression()?;
        if self.at == self.tokens.len() { Ok(ast) } else { Err(SyntaxError::Unexpected(self.at)) }
    }

    /// `a ? b : c`, or an expression of higher precedence.
    fn expression(&mut self) -> Parsed {
        let condition = self.chain(BinaryOp::Or)?;
        if !self.takes("?") {
            return Ok(condition);
        }
        let yes = self.chain(BinaryOp::Or)?;
        self.expect(":")?;
        let no = self.expression()?;
        let span = condition.span.to(no.span);
        Ok(Ast { span, node: AstNode::Conditional(Box::new([condition, yes, no])) })
    }

    /// Operands joined by `||`, or by `&&`.
    fn chain(&mut self, op: BinaryOp) -> Parsed {
        let mut operands = vec![self.operand(op)?];
        while self.takes(op.symbol()) {
            operands.push(self.operand(op)?);
        }
        Ok(balanced(op, operands))
    }

    fn operand(&mut self, chain: BinaryOp) -> Parsed {
        if chain == BinaryOp::Or { self.chain(BinaryOp::And) } else { self.binary(0) }
    }

    /// Comparisons (level 0), sums (1) and products (2), each from left to right.
    fn binary(&mut self, level: u8) -> Parsed {
        let operand = |parser: &mut Self| if level == 2 { parser.unary() } else { parser.binary(level + 1) };
        let mut left = operand(self)?;
        while let Some(op) = self.tokens.get(self.at).and_then(|token| operator(token, level)) {
            self.at += 1;
            let right = operand(self)?;
            let span = left.span.to(right.span);
            left = Ast { span, node: AstNode::Binary(op, Box::new([left, right])) };
        }
        Ok(left)
    }

    /// A member after `!` or `-`; an even number of them leaves it as it is.
    fn unary(&mut self) -> Parsed {
        let is_signed = |token: &Token<'_>| token.class == TokenClass::Number && !token.text.ends_with(['u', 'U']);
        let is_literal = self.sees("-") && self.tokens.get(self.at + 1).is_some_and(is_signed);
        let symbol = if self.sees("!") { "!" } else { "-" };
        if is_literal || !self.sees(symbol) {
            return self.member();
        }
        let first = self.at;
        while self.takes(symbol) {}
        let count = self.at - first;
        let operand = self.member()?;
        if count.is_multiple_of(2) {
            return Ok(operand);
        }
        let span = self.tokens[first].span().to(operand.span);
        let operand = Box::new(operand);
        Ok(Ast { span, node: if symbol == "!" { AstNode::Not(operand) } else { AstNode::Negate(operand) } })
    }

    /// A primary followed by `.name`, `.name(…)` and `[…]`.
    fn member(&mut self) -> Parsed {
        let mut ast = self.primary()?;
        loop {
            if self.takes(".") {
                let (name, span) = self.field()?;
                if self.sees("(") {
                    let (args, call) = self.arguments()?;
                    let whole = ast.span.to(span).to(call);
                    let name = FunctionName { text: name, span };
                    ast = Ast { span: whole, node: AstNode::Method(Box::new(ast), name, args) };
                } else {
                    ast = Ast { span: ast.span.to(span), node: AstNode::Member(Box::new(ast), name) };
                }
            } else if self.sees("[") {
                let brackets = self.brackets(self.at);
                self.at += 1;
                let index = self.expression()?;
                self.expect("]")?;
                let span = ast.span.to(brackets);
                ast = Ast { span, node: AstNode::Index(Box::new(ast), Box::new(index)) };
            } else if self.sees("{") && is_name(&ast) {
                ast = self.skipped("expressions have no messages");
            } else {
                return Ok(ast);
            }
        }
    }

    fn primary(&mut self) -> Parsed {
        let at = self.at;
        let Some(token) = self.tokens.get(at) else { return Err(SyntaxError::Unexpected(at)) };
        match (token.class, token.text) {
            (TokenClass::Open, "(") => {
                self.at += 1;
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(inner)
            }
            (TokenClass::Open, "[") => self.list(),
            (TokenClass::Open, _) => Ok(self.skipped("expressions have no maps")),
            (TokenClass::Symbol, "-") => {
                self.at += 1;
                self.number(true)
            }
            (TokenClass::Symbol, ".") => {
                self.at += 1;
                let (_, span) = self.field()?;
                if self.sees("(") {
                    self.arguments()?;
                }
                Ok(self.unsupported(span, "a name can't begin with a dot", "write it without the dot".to_owned()))
            }
            (TokenClass::Number, _) => self.number(false),
            (TokenClass::Text, text) => {
                self.at += 1;
                match string(text) {
                    Ok(node) => Ok(Ast { span: token.span(), node }),
                    Err(LiteralError::Bytes) => {
                        let help = "write text without the `b`".to_owned();
                        Ok(self.unsupported(token.span(), "expressions have no bytes", help))
                    }
                    Err(_) => Err(SyntaxError::Escape(at)),
                }
            }
            (TokenClass::Word, word) => self.word(word, token.span()),
            _ => Err(SyntaxError::Unexpected(at)),
        }
    }

    /// A keyword, a name, or a call.
    fn word(&mut self, word: &str, span: Span) -> Parsed {
        if word == "in" {
            return Err(SyntaxError::Unexpected(self.at));
        }
        if RESERVED.contains(&word) {
            return Err(SyntaxError::Reserved(self.at));
        }
        self.at += 1;
        match word {
            "true" | "false" => Ok(Ast { span, node: AstNode::Bool(word == "true") }),
            "null" => {
                let help = "write `has(x)` for \"x has a value\", or `!has(x)` for \"x has none\"";
                Ok(self.unsupported(span, "expressions have no null", help.to_owned()))
            }
            _ if self.sees("(") => {
                let (args, call) = self.arguments()?;
                Ok(Ast { span: span.to(call), node: AstNode::Call(FunctionName { text: word.to_owned(), span }, args) })
            }
            _ => Ok(Ast { span, node: AstNode::Name(word.to_owned()) }),
        }
    }

    fn number(&mut self, is_negative: bool) -> Parsed {
        let (at, token) = (self.at, self.tokens[self.at]);
        self.at += 1;
        let span = if is_negative { self.tokens[at - 1].span().to(token.span()) } else { token.span() };
        match number(token.text, is_negative) {
            Ok(node) => Ok(Ast { span, node }),
            Err(LiteralError::Unsigned) => {
                let help = format!("write `{}`", token.text.trim_end_matches(['u', 'U']));
                Ok(self.unsupported(span, "all numbers are of one kind: `u` has no place here", help))
            }
            Err(LiteralError::OutOfRange) => Err(SyntaxError::Number(at)),
            Err(_) => Err(SyntaxError::Unexpected(at)),
        }
    }

    fn list(&mut self) -> Parsed {
        let span = self.brackets(self.at);
        self.at += 1;
        let mut items = Vec::new();
        while !self.sees("]") {
            items.push(self.expression()?);
            if !self.takes(",") {
                break;
            }
        }
        self.expect("]")?;
        Ok(Ast { span, node: AstNode::List(items) })
    }

    /// The arguments of a call, and the span of their brackets.
    fn arguments(&mut self) -> Result<(Vec<Ast>, Span), SyntaxError> {
        let span = self.brackets(self.at);
        self.at += 1;
        let mut args = Vec::new();
        if !self.sees(")") {
            args.push(self.expression()?);
            while self.takes(",") {
                args.push(self.expression()?);
            }
        }
        self.expect(")")?;
        Ok((args, span))
    }

    /// The name after a dot, and its span.
    fn field(&mut self) -> Result<(String, Span), SyntaxError> {
        let is_name = |token: &&Token<'_>| token.class == TokenClass::Word && !KEYWORDS.contains(&token.text);
        let token = self.tokens.get(self.at).filter(is_name).ok_or(SyntaxError::Unexpected(self.at))?;
        self.at += 1;
        Ok((token.text.to_owned(), token.span()))
    }

    /// Skips `{…}`.
    fn skipped(&mut self, message: &'static str) -> Ast {
        let span = self.brackets(self.at);
        self.at = self.pairs[self.at].unwrap_or(self.at) + 1;
        self.unsupported(span, message, "compare with text, numbers or `[…]` lists".to_owned())
    }

    fn unsupported(&mut self, span: Span, message: &'static str, help: String) -> Ast {
        self.unsupported.push((span, message, help));
        Ast { span, node: AstNode::Invalid }
    }

    /// The span from a bracket to the one that closes it.
    fn brackets(&self, at: usize) -> Span {
        let close = self.pairs[at].unwrap_or(at);
        self.tokens[at].span().to(self.tokens[close].span())
    }

    /// Whether the next token is this operator or bracket.
    fn sees(&self, symbol: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.text == symbol)
    }

    fn takes(&mut self, symbol: &str) -> bool {
        let is_next = self.sees(symbol);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, symbol: &str) -> Result<(), SyntaxError> {
        if self.takes(symbol) { Ok(()) } else { Err(SyntaxError::Unexpected(self.at)) }
    }
}

/// Whether this can be the name of a message: names joined by dots.
fn is_name(ast: &Ast) -> bool {
    match &ast.node {
        AstNode::Name(_) => true,
        AstNode::Member(of, _) => is_name(of),
        _ => false,
    }
}

fn operator(token: &Token<'_>, level: u8) -> Option<BinaryOp> {
    Some(match (level, token.text) {
        (0, "==") => BinaryOp::Equal,
        (0, "!=") => BinaryOp::NotEqual,
        (0, "<") => BinaryOp::Less,
        (0, "<=") => BinaryOp::LessOrEqual,
        (0, ">") => BinaryOp::Greater,
        (0, ">=") => BinaryOp::GreaterOrEqual,
        (0, "in") => BinaryOp::In,
        (1, "+") => BinaryOp::Add,
        (1, "-") => BinaryOp::Subtract,
        (2, "*") => BinaryOp::Multiply,
        (2, "/") => BinaryOp::Divide,
        (2, "%") => BinaryOp::Remainder,
        _ => return None,
    })
}

/// A balanced tree of operands, as CEL's reference parser builds it, so that a long chain is nested only as deep as its
/// logarithm.
///
/// The shape is part of a catalog's fingerprint, so it never changes.
fn balanced(op: BinaryOp, operands: Vec<Ast>) -> Ast {
    let count = operands.len() - 1;
    let mut operands = operands.into_iter();
    subtree(op, count, &mut operands)
}

/// The tree of the next operands, with this many operators between them.
fn subtree(op: BinaryOp, operators: usize, operands: &mut std::vec::IntoIter<Ast>) -> Ast {
    let missing = || Ast { span: Span::default(), node: AstNode::Invalid };
    if operators == 0 {
        return operands.next().unwrap_or_else(missing);
    }
    let left = subtree(op, operators / 2, operands);
    let right = subtree(op, operators - 1 - operators / 2, operands);
    Ast { span: left.span.to(right.span), node: AstNode::Binary(op, Box::new([left, right])) }
}
