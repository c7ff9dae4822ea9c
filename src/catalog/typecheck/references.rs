//! Names in expressions: attributes, counters, tags, and in a `where` the parts of the event.

use super::check::{Checker, ItemUse, Scope};
use super::scope::{Meaning, Owner, is_shared};
use super::types::{Type, TypedExpr};
use crate::catalog::compiled::{Expr, TimeName};
use crate::catalog::diagnostics::{Span, did_you_mean, listed, nearest};
use crate::catalog::parse::{Ast, AstNode};
use crate::catalog::raw::EventPath;
use crate::model::EntityKindId;

impl Checker<'_> {
    /// Checks a name, a member, or an index in brackets.
    pub(crate) fn reference(&mut self, ast: &Ast) -> Option<TypedExpr> {
        if let AstNode::Member(of, _) | AstNode::Index(of, _) = &ast.node
            && of.node == AstNode::Invalid
        {
            return None;
        }
        match (&ast.node, root_name(ast)) {
            (AstNode::Name(name), _) => self.name(name, ast.span),
            (_, Some("properties")) => self.property(ast),
            (_, Some("item")) if self.scope == Scope::Event => self.item(ast),
            (AstNode::Member(of, name), Some("tag")) if matches!(of.node, AstNode::Name(_)) => self.tag(name, ast.span),
            (AstNode::Index(..), _) => {
                self.error("not-in-language", ast.span, "values have no members in brackets")
                    .help("brackets stand only after `properties`: `properties[\"a b\"]`");
                None
            }
            (AstNode::Member(of, name), Some(_)) => {
                let of_written = self.written(of.span).to_owned();
                let meant = did_you_mean(root_name(ast).unwrap_or(""), ["properties", "tag", "item"].into_iter());
                let help = match (meant, self.scope) {
                    (Some(meant), _) => meant,
                    (None, Scope::Event) => format!("the event's properties are `properties.{name}`"),
                    (None, Scope::Entity(_)) if self.names.value(name).is_some() => format!("write `{name}`"),
                    (None, Scope::Entity(_)) => {
                        "attributes and counters are mentioned by their name alone, tags as `tag.x`".to_owned()
                    }
                };
                self.error("unknown-name", ast.span, format!("`{of_written}` has no member `{name}`")).help(help);
                None
            }
            _ => {
                self.error("not-in-language", ast.span, "only names have members")
                    .help("for example `tag.active` or `properties.amount`");
                None
            }
        }
    }

    fn name(&mut self, name: &str, span: Span) -> Option<TypedExpr> {
        match self.scope {
            Scope::Event => self.event_name(name, span),
            Scope::Entity(own) => self.entity_name(name, own, span),
        }
    }

    fn event_name(&mut self, name: &str, span: Span) -> Option<TypedExpr> {
        match name {
            "type" => return Some(TypedExpr::clock_free(Expr::EventType, Type::String, span)),
            "time" => return Some(TypedExpr::clock_free(Expr::Time(TimeName::Event), Type::Time, span)),
            "item" => return self.item_at(&[], span),
            "properties" => {
                self.error("unknown-name", span, "`properties` stands for all of them")
                    .help("name one: `properties.amount`");
                return None;
            }
            _ => {}
        }
        let is_of_entity = self.names.value(name).is_some() || matches!(name, "first_seen" | "last_seen" | "tag");
        if is_of_entity {
            let message = format!("a `where` looks at one event and does not see `{name}`");
            self.error("unknown-name", span, message).help("known here are `type`, `time` and `properties.…`");
        } else {
            let help = did_you_mean(name, ["type", "time", "properties"].into_iter())
                .unwrap_or_else(|| format!("known here are `type`, `time` and `properties.…`: `properties.{name}`?"));
            self.error("unknown-name", span, format!("unknown name `{name}`")).help(help);
        }
        None
    }

    fn entity_name(&mut self, name: &str, own: Owner, span: Span) -> Option<TypedExpr> {
        if !is_shared(self.names.owner(name), own) {
            return self.of_another(name, self.names.owner(name)?, own?, span);
        }
        let time = |of| Some(TypedExpr::clock_free(Expr::Time(of), Type::Time, span));
        match (name, self.names.value(name)) {
            (_, Some(Meaning::Attribute(id, Type::Time))) => time(TimeName::Attribute(id)),
            (_, Some(Meaning::Attribute(id, Type::Date))) => {
                Some(TypedExpr::clock_free(Expr::Time(TimeName::Attribute(id)), Type::Date, span))
            }
            (_, Some(Meaning::Counter(id, Type::Time, _))) => time(TimeName::Counter(id)),
            (_, Some(Meaning::Attribute(id, ty))) => Some(TypedExpr::clock_free(Expr::Attribute(id), ty, span)),
            (_, Some(Meaning::Counter(id, ty, form))) => {
                Some(TypedExpr { form, ..TypedExpr::clock_free(Expr::Counter(id), ty, span) })
            }
            ("first_seen", None) => time(TimeName::FirstSeen),
            ("last_seen", None) => time(TimeName::LastSeen),
            (_, None) => {
                self.unknown_name(name, own, span);
                None
            }
        }
    }

    /// Reports a name that belongs to another kind of entity.
    fn of_another(&mut self, what: &str, owner: EntityKindId, own: EntityKindId, span: Span) -> Option<TypedExpr> {
        let (owner, own) = (&self.entities[owner.index()].name, &self.entities[own.index()].name);
        let message = format!("`{what}` is of the entity `{owner}`; this tag is put on `{own}`");
        self.error("other-entity", span, message)
            .help("a tag sees what is of its own entity: give both the same `entity`");
        None
    }

    fn unknown_name(&mut self, name: &str, own: Owner, span: Span) {
        if self.report.is_full() {
            self.error("unknown-name", span, format!("unknown name `{name}`"));
            return;
        }
        let names = self.names;
        let help = if name == "tag" {
            "name one of the tags: `tag.x`".to_owned()
        } else if names.tag(name).is_some() {
            format!("a tag is mentioned as `tag.{name}`")
        } else if matches!(name, "type" | "time" | "properties") {
            "an event's parts are known in a `where` only; make a counter or an attribute of it".to_owned()
        } else if name.eq_ignore_ascii_case("now") || name == "clock" {
            "the clock enters through `days_since(x)` and `days_until(x)`".to_owned()
        } else if let Some(suggestion) = did_you_mean(name, names.value_names(own)) {
            suggestion
        } else if let Some(tag) = nearest(name, names.tag_names(own)) {
            format!("did you mean `tag.{tag}`?")
        } else {
            let known: Vec<&str> = names.value_names(own).collect();
            format!("known are {}", listed(&known))
        };
        self.error("unknown-name", span, format!("unknown name `{name}`")).help(help);
    }

    fn tag(&mut self, name: &str, span: Span) -> Option<TypedExpr> {
        let Scope::Entity(own) = self.scope else {
            self.error("unknown-name", span, "a `where` looks at one event and does not see tags")
                .help("use the tag beside the counter, in the `when` of another tag");
            return None;
        };
        let names = self.names;
        if let Some((id, ty, form)) = names.tag(name) {
            if !is_shared(names.tag_owner(id), own) {
                return self.of_another(&format!("tag.{name}"), names.tag_owner(id)?, own?, span);
            }
            return Some(TypedExpr { form, ..TypedExpr::clock_free(Expr::Tag(id), ty, span) });
        }
        let help = if self.report.is_full() {
            String::new()
        } else if names.value(name).is_some() {
            format!("`{name}` is not a tag: write `{name}`")
        } else {
            did_you_mean(name, names.tag_names(own)).unwrap_or_else(|| {
                let known: Vec<&str> = names.tag_names(own).collect();
                format!("known are {}", listed(&known))
            })
        };
        self.error("unknown-name", span, format!("unknown tag `{name}`"))
            .maybe_help(Some(help).filter(|help| !help.is_empty()));
        None
    }

    fn property(&mut self, ast: &Ast) -> Option<TypedExpr> {
        let segments = self.property_segments(ast)?;
        if self.scope != Scope::Event {
            let path = EventPath::Property(segments);
            self.error("unknown-name", ast.span, "an event's properties are known in a `where` only")
                .help(format!("make an attribute or a counter of it: `last: {path}`"));
            return None;
        }
        let path = self.interner.path(&segments);
        Some(TypedExpr::clock_free(Expr::Property(path), Type::Any, ast.span))
    }

    fn item(&mut self, ast: &Ast) -> Option<TypedExpr> {
        let segments = self.property_segments(ast)?;
        self.item_at(&segments, ast.span)
    }

    fn item_at(&mut self, segments: &[String], span: Span) -> Option<TypedExpr> {
        if self.items == ItemUse::None {
            self.error("unknown-name", span, "there is no `item` here")
                .help("`item` is an element of the array that a counter's `each` names: `each: properties.items`");
            return None;
        }
        let path = self.interner.item_path(segments);
        Some(TypedExpr::clock_free(Expr::Item(path), Type::Any, span))
    }

    /// The segments of `properties.a["b"]`.
    pub(crate) fn property_segments(&mut self, ast: &Ast) -> Option<Vec<String>> {
        match &ast.node {
            AstNode::Name(_) => Some(Vec::new()),
            AstNode::Member(of, name) => {
                let mut segments = self.property_segments(of)?;
                segments.push(name.clone());
                Some(segments)
            }
            AstNode::Index(of, index) => {
                let mut segments = self.property_segments(of)?;
                let AstNode::Text(name) = &index.node else {
                    self.error("not-in-language", index.span, "brackets hold a property's name in quotes")
                        .help("for one element of an array use `\"x\" in properties.list`");
                    return None;
                };
                segments.push(name.clone());
                Some(segments)
            }
            _ => None,
        }
    }
}

/// The first name in a chain of members and brackets.
pub(super) fn root_name(ast: &Ast) -> Option<&str> {
    match &ast.node {
        AstNode::Name(name) => Some(name),
        AstNode::Member(of, _) | AstNode::Index(of, _) => root_name(of),
        _ => None,
    }
}
