//! An expression's syntax tree: what was written, with places, before names and types mean anything.

use crate::catalog::diagnostics::Span;

/// A piece of an expression; the span counts bytes of the expression's text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ast {
    pub span: Span,
    pub node: AstNode,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AstNode {
    Number(f64),
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
    /// Something that has been reported already.
    Invalid,
}

/// A function's name and where it stands.
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
    /// The pieces directly below, in the order of the text.
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

    /// The tags that are mentioned (`tag.x`), in the order of the text, with their places.
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
