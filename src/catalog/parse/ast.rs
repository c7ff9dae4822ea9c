//! The syntax tree of an expression, before names are resolved and types are checked.

use crate::catalog::diagnostics::Span;
use crate::model::Number;

/// A node of the tree; the span counts bytes of the expression's text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ast {
    pub span: Span,
    pub node: AstNode,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AstNode {
    Number(Number),
    Text(String),
    Bool(bool),
    Name(String),
    /// `x.name`
    Member(Box<Ast>, String),
    /// `x[y]`
    Index(Box<Ast>, Box<Ast>),
    /// `name(…)`
    Call(FunctionName, Vec<Ast>),
    /// `x.name(…)`
    Method(Box<Ast>, FunctionName, Vec<Ast>),
    Negate(Box<Ast>),
    Not(Box<Ast>),
    Binary(BinaryOp, Box<[Ast; 2]>),
    Conditional(Box<[Ast; 3]>),
    List(Vec<Ast>),
    /// A piece with a mistake that has been reported.
    Invalid,
}

/// The name of a function, and its span.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FunctionName {
    pub text: String,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOp {
    And,
    Or,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    In,
}

impl BinaryOp {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            BinaryOp::And => "&&",
            BinaryOp::Or => "||",
            BinaryOp::Equal => "==",
            BinaryOp::NotEqual => "!=",
            BinaryOp::Less => "<",
            BinaryOp::LessOrEqual => "<=",
            BinaryOp::Greater => ">",
            BinaryOp::GreaterOrEqual => ">=",
            BinaryOp::Add => "+",
            BinaryOp::Subtract => "-",
            BinaryOp::Multiply => "*",
            BinaryOp::Divide => "/",
            BinaryOp::Remainder => "%",
            BinaryOp::In => "in",
        }
    }
}

impl Ast {
    /// The children, in the order of the text.
    pub(crate) fn children(&self) -> Vec<&Ast> {
        match &self.node {
            AstNode::Member(x, _) | AstNode::Negate(x) | AstNode::Not(x) => vec![x],
            AstNode::Index(x, y) => vec![x, y],
            AstNode::Call(_, args) | AstNode::List(args) => args.iter().collect(),
            AstNode::Method(x, _, args) => std::iter::once(&**x).chain(args).collect(),
            AstNode::Binary(_, sides) => sides.iter().collect(),
            AstNode::Conditional(parts) => parts.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Appends the names and spans of the tags that the tree mentions (`tag.x`), in the order of the text.
    pub(crate) fn tags<'s>(&'s self, found: &mut Vec<(&'s str, Span)>) {
        if let AstNode::Member(of, name) = &self.node
            && of.node == AstNode::Name("tag".to_owned())
        {
            found.push((name, self.span));
        }
        for child in self.children() {
            child.tags(found);
        }
    }
}
