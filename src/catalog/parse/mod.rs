//! Expressions: from text to a syntax tree.
//!
//! Knows the grammar, and no name, type or function.
//!
//! - [`tokens`]: the lexer, and the limits on an expression's size;
//! - [`ast`]: the syntax tree;
//! - [`literals`]: the values of numbers and strings;
//! - [`hints`]: frequent mistakes that tokens show, and syntax errors in words;
//! - [`parser`]: the parser.

mod tokens;
mod ast;
mod literals;
mod hints;
mod parser;

pub(crate) use ast::{Ast, AstNode, BinaryOp, FunctionName};
pub(crate) use parser::parse_expression;
