//! From the text of an expression to its syntax tree, by the parser of the `cel` crate.
//!
//! That parser counts characters in the places of errors and bytes in those of nodes. The place of a node is that of
//! its operator, so the span of a sub-expression is put together from its parts and its brackets.

use cel::common::ast::{CallExpr, Expr as Cel, IdedExpr, LiteralValue, SourceInfo, operators};

use super::ast::{Ast, AstNode, BinaryOp, FunctionName};
use super::hints::{check_tokens, explain_errors};
use super::tokens::{Token, TokenClass, bracket_pairs, tokens};
use crate::catalog::diagnostics::{Report, Span};
use crate::catalog::raw::ExpressionText;

/// Parses an expression; `None` after mistakes, which have then been reported.
pub(crate) fn parse_expression(text: &ExpressionText, report: &mut Report) -> Option<Ast> {
    let tokens = tokens(&text.text);
    if !check_tokens(text, &tokens, report) {
        return None;
    }
    let parser = cel::Env::default().with_optional_support(false).parser();
    match parser.parse_with_source_info(&text.text) {
        Ok((tree, places)) => {
            let bracket_pairs = bracket_pairs(&tokens).unwrap_or_else(|_| vec![None; tokens.len()]);
            let before = report.errors();
            let mut builder = Builder { text, tokens: &tokens, bracket_pairs, places, report };
            let ast = builder.ast(&tree);
            (report.errors() == before || ast.node != AstNode::Invalid).then_some(ast)
        }
        Err(errors) => {
            explain_errors(text, &tokens, &errors, report);
            None
        }
    }
}

/// Makes an [`Ast`] of the parser's tree.
struct Builder<'a> {
    text: &'a ExpressionText,
    tokens: &'a [Token<'a>],
    bracket_pairs: Vec<Option<usize>>,
    places: SourceInfo,
    report: &'a mut Report,
}

impl Builder<'_> {
    fn ast(&mut self, node: &IdedExpr) -> Ast {
        let token = self.token_of(node.id);
        let own = token.map_or(Span::new(0, self.text.text.len()), |at| self.tokens[at].span());
        match &node.expr {
            Cel::Literal(literal) => self.literal(literal, own, token),
            Cel::Ident(name) if name.starts_with('.') => {
                self.unsupported(own, "a name can't begin with a dot", "write it without the dot")
            }
            Cel::Ident(name) => Ast { span: own, node: AstNode::Name(name.clone()) },
            Cel::Select(select) => {
                let of = self.ast(&select.operand);
                let end = token.and_then(|at| self.tokens.get(at + 1)).map_or(own.end, Token::end);
                let span = of.span.to(Span::new(own.start, end));
                Ast { span, node: AstNode::Member(Box::new(of), select.field.clone()) }
            }
            Cel::List(list) => {
                let items = list.elements.iter().map(|item| self.ast(item)).collect();
                Ast { span: self.bracketed(token, own), node: AstNode::List(items) }
            }
            Cel::Call(call) => self.call(call, token, own),
            Cel::Map(_) => {
                let span = self.bracketed(token, own);
                self.unsupported(span, "expressions have no maps", "compare with text, numbers or `[…]` lists")
            }
            Cel::Struct(_) | Cel::Comprehension(_) | Cel::Unspecified => {
                let span = self.bracketed(token, own);
                self.unsupported(span, "expressions have no messages", "compare with text, numbers or `[…]` lists")
            }
        }
    }

    /// The index of the token at the place of a node.
    fn token_of(&self, id: u64) -> Option<usize> {
        let (start, _) = self.places.offset_for(id)?;
        self.tokens.iter().position(|token| token.start <= start as usize && (start as usize) < token.end())
    }

    /// The span from a bracket to the bracket that closes it.
    fn bracketed(&self, token: Option<usize>, own: Span) -> Span {
        let other = token.and_then(|at| self.bracket_pairs[at]);
        other.map_or(own, |at| own.to(self.tokens[at].span()))
    }

    fn unsupported(&mut self, span: Span, message: &str, help: &str) -> Ast {
        self.report.error("not-in-language", self.text.locate(span), message).help(help);
        Ast { span, node: AstNode::Invalid }
    }

    fn literal(&mut self, literal: &LiteralValue, own: Span, token: Option<usize>) -> Ast {
        let form = match literal {
            LiteralValue::Boolean(b) => AstNode::Bool(*b.inner()),
            LiteralValue::Int(n) => AstNode::Number(*n.inner() as f64),
            LiteralValue::Double(n) => AstNode::Number(*n.inner()),
            LiteralValue::String(text) => AstNode::Text(text.inner().to_owned()),
            LiteralValue::Null => {
                return self.unsupported(
                    own,
                    "expressions have no null",
                    "write `has(x)` for \"x has a value\", or `!has(x)` for \"x has none\"",
                );
            }
            LiteralValue::UInt(n) => {
                let help = format!("write `{}`", n.inner());
                return self.unsupported(own, "all numbers are of one kind: `u` has no place here", &help);
            }
            LiteralValue::Bytes(_) => {
                return self.unsupported(own, "expressions have no bytes", "write text without the `b`");
            }
        };
        // The place of a negative number is that of its digits.
        let sign = token.and_then(|at| at.checked_sub(1)).map(|at| self.tokens[at]);
        let is_negative = matches!(form, AstNode::Number(n) if n.is_sign_negative());
        let span = match sign {
            Some(sign) if is_negative && sign.text == "-" => sign.span().to(own),
            _ => own,
        };
        Ast { span, node: form }
    }

    fn call(&mut self, call: &CallExpr, token: Option<usize>, own: Span) -> Ast {
        let target = call.target.as_ref().map(|target| self.ast(target));
        let args: Vec<Ast> = call.args.iter().map(|arg| self.ast(arg)).collect();
        let span = args.iter().fold(own, |span, arg| span.to(arg.span));
        if let Some(binary) = binary(&call.func_name) {
            return match <[Ast; 2]>::try_from(args) {
                Ok(sides) => Ast { span, node: AstNode::Binary(binary, Box::new(sides)) },
                Err(_) => Ast { span, node: AstNode::Invalid },
            };
        }
        match (call.func_name.as_str(), args.as_slice()) {
            (operators::LOGICAL_NOT, [x]) => Ast { span, node: AstNode::Not(Box::new(x.clone())) },
            (operators::NEGATE, [x]) => Ast { span, node: AstNode::Negate(Box::new(x.clone())) },
            (operators::CONDITIONAL, [c, a, b]) => {
                Ast { span, node: AstNode::Conditional(Box::new([c.clone(), a.clone(), b.clone()])) }
            }
            (operators::INDEX, [x, y]) => {
                let span = span.to(self.bracketed(token, own));
                Ast { span, node: AstNode::Index(Box::new(x.clone()), Box::new(y.clone())) }
            }
            _ => self.named_call(call, token, own, target, args),
        }
    }

    /// `name(…)` or `x.name(…)`, whose place is the opening bracket.
    fn named_call(&self, call: &CallExpr, token: Option<usize>, own: Span, target: Option<Ast>, args: Vec<Ast>) -> Ast {
        let before = token.and_then(|at| at.checked_sub(1)).map(|at| self.tokens[at]);
        let name_span = before.filter(|t| t.class == TokenClass::Word).map_or(own, |t| t.span());
        let span = name_span.to(self.bracketed(token, own));
        let name = FunctionName { text: call.func_name.clone(), span: name_span };
        match target {
            Some(target) => Ast { span: span.to(target.span), node: AstNode::Method(Box::new(target), name, args) },
            None => Ast { span, node: AstNode::Call(name, args) },
        }
    }
}

fn binary(function: &str) -> Option<BinaryOp> {
    Some(match function {
        operators::LOGICAL_AND => BinaryOp::And,
        operators::LOGICAL_OR => BinaryOp::Or,
        operators::EQUALS => BinaryOp::Equal,
        operators::NOT_EQUALS => BinaryOp::NotEqual,
        operators::LESS => BinaryOp::Less,
        operators::LESS_EQUALS => BinaryOp::LessOrEqual,
        operators::GREATER => BinaryOp::Greater,
        operators::GREATER_EQUALS => BinaryOp::GreaterOrEqual,
        operators::ADD => BinaryOp::Add,
        operators::SUBSTRACT => BinaryOp::Subtract,
        operators::MULTIPLY => BinaryOp::Multiply,
        operators::DIVIDE => BinaryOp::Divide,
        operators::MODULO => BinaryOp::Remainder,
        operators::IN => BinaryOp::In,
        _ => return None,
    })
}
