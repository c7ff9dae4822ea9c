//! Expressions: from text to a syntax tree.
//!
//! Knows the grammar, and no name, type or function.
//!
//! - [`tokens`]: the lexer, and the limits on an expression's size;
//! - [`ast`]: the syntax tree;
//! - [`hints`]: mistakes that tokens show, and the parser's errors in plain words;
//! - [`parser`]: the parser, which is the `cel` crate's.

mod tokens;
mod ast;
mod hints;
mod parser;

pub(crate) use ast::{Ast, AstNode, BinaryOp, FunctionName};
pub(crate) use parser::parse_expression;
