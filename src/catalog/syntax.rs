//! An expression's syntax tree: what was written, with places, before names and types mean anything.

use super::problems::Span;

/// A piece of an expression; the span counts bytes of the expression's text.
#[derive(Clone, Debug, PartialEq)]
pub struct Syntax {
    pub span: Span,
    pub form: Form,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    Number(f64),
    Text(String),
    Bool(bool),
    Name(String),
    /// `x.name`
    Member(Box<Syntax>, String),
    /// `x[y]`
    Index(Box<Syntax>, Box<Syntax>),
    /// `name(…)`
    Call(Name, Vec<Syntax>),
    /// `x.name(…)`
    Method(Box<Syntax>, Name, Vec<Syntax>),
    Negate(Box<Syntax>),
    Not(Box<Syntax>),
    Binary(Binary, Box<[Syntax; 2]>),
    Conditional(Box<[Syntax; 3]>),
    List(Vec<Syntax>),
    /// Something that has been reported already.
    Broken,
}

/// A function's name and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    pub text: String,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
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

impl Binary {
    pub fn sign(self) -> &'static str {
        match self {
            Binary::And => "&&",
            Binary::Or => "||",
            Binary::Equal => "==",
            Binary::NotEqual => "!=",
            Binary::Less => "<",
            Binary::LessOrEqual => "<=",
            Binary::Greater => ">",
            Binary::GreaterOrEqual => ">=",
            Binary::Add => "+",
            Binary::Subtract => "-",
            Binary::Multiply => "*",
            Binary::Divide => "/",
            Binary::Remainder => "%",
            Binary::In => "in",
        }
    }
}

impl Syntax {
    /// The pieces directly below, in the order of the text.
    pub fn children(&self) -> Vec<&Syntax> {
        match &self.form {
            Form::Member(x, _) | Form::Negate(x) | Form::Not(x) => vec![x],
            Form::Index(x, y) => vec![x, y],
            Form::Call(_, args) | Form::List(args) => args.iter().collect(),
            Form::Method(x, _, args) => std::iter::once(&**x).chain(args).collect(),
            Form::Binary(_, sides) => sides.iter().collect(),
            Form::Conditional(parts) => parts.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// The tags that are mentioned (`tag.x`), in the order of the text, with their places.
    pub fn tags<'s>(&'s self, found: &mut Vec<(&'s str, Span)>) {
        if let Form::Member(of, name) = &self.form
            && of.form == Form::Name("tag".to_owned())
        {
            found.push((name, self.span));
        }
        for child in self.children() {
            child.tags(found);
        }
    }
}
