//! Names of types: one within a part, and "kind" for entities only.

use std::collections::BTreeMap;

use super::sources::Source;
use super::tokens::{Token, tokens};

/// A type's definition: a struct, an enum, a trait or an alias; what an `impl` or a trait calls `type` is none.
#[derive(Debug, PartialEq, Eq)]
struct Definition {
    name: String,
    line: usize,
}

/// What an open brace belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    ImplOrTrait,
    Other,
}

fn definitions(text: &str) -> Vec<Definition> {
    let tokens = tokens(text);
    let mut definitions = Vec::new();
    let (mut open, mut coming) = (Vec::new(), Block::Other);
    for (at, token) in tokens.iter().enumerate() {
        let name = tokens.get(at + 1).filter(|name| name.is_word());
        // Elsewhere `impl` is the type of a value.
        let begins_item = at == 0 || ["}", "{", ";", "]", "unsafe"].contains(&&*tokens[at - 1].text);
        match token.text.as_str() {
            "{" => open.push(std::mem::replace(&mut coming, Block::Other)),
            "}" => drop(open.pop()),
            "impl" if begins_item => coming = Block::ImplOrTrait,
            "type" if open.last() == Some(&Block::ImplOrTrait) => {}
            "struct" | "enum" | "trait" | "type" => {
                let Some(name) = name else { continue };
                definitions.push(Definition { name: name.text.clone(), line: name.line });
                if token.is("trait") {
                    coming = Block::ImplOrTrait;
                }
            }
            _ => {}
        }
    }
    definitions
}

/// Modules that stand in for others where a feature is off: what they define has the names of what it stands for.
fn substitutes(sources: &[Source]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for source in sources {
        let Some(module) = source.module() else { continue };
        let tokens = tokens(&source.text);
        for at in (0..tokens.len()).filter(|at| tokens[*at].is("cfg")) {
            let rest = &tokens[at..];
            let is_not = rest.get(2).is_some_and(|token| token.is("not"));
            let end = rest.iter().position(|token| token.is("]")).unwrap_or(rest.len());
            if let (true, [_, what, name, ..]) = (is_not, &rest[end..])
                && what.is("mod")
            {
                found.push([module.as_slice(), std::slice::from_ref(&name.text)].concat());
            }
        }
    }
    found
}

/// Names that two types of one part share.
pub fn doubled(sources: &[Source]) -> Vec<String> {
    let mut places: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let substitutes = substitutes(sources);
    for source in sources {
        let Some(part) = source.part() else { continue };
        if source.module().is_some_and(|module| substitutes.iter().any(|other| module.starts_with(other))) {
            continue;
        }
        for Definition { name, line } in definitions(&source.text) {
            places.entry((part.clone(), name)).or_default().push(format!("{}:{line}", source.name));
        }
    }
    let doubled = places.into_iter().filter(|(_, places)| places.len() > 1);
    doubled
        .map(|((part, name), places)| {
            format!("{part}: {name} is defined {} times: {}", places.len(), places.join(", "))
        })
        .collect()
}

/// Names and types of fields and parameters in which "kind" is not a kind of entity.
pub fn other_kinds(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.part().is_some()) {
        for Definition { name, line } in definitions(&source.text) {
            if is_other_kind(&name) {
                findings.push(format!(
                    "{}:{line}: {name}: a kind is an entity's; say event type, class or form",
                    source.name
                ));
            }
        }
        for (field, of, line) in typed_names(&tokens(&source.text)) {
            findings
                .push(format!("{}:{line}: {field}: {of}: a kind is an entity's; name it for what it is", source.name));
        }
    }
    findings
}

fn is_other_kind(name: &str) -> bool {
    name.contains("Kind") && !name.contains("EntityKind")
}

/// Fields and parameters called a kind whose type is another than an entity's kind. Their type tells by its name: a text
/// or a number may stand for a kind of entity.
fn typed_names(tokens: &[Token]) -> Vec<(String, String, usize)> {
    const CONTAINERS: [&str; 12] =
        ["Option", "None", "Vec", "Box", "Arc", "Rc", "Cow", "String", "BTreeMap", "BTreeSet", "HashMap", "HashSet"];
    /// Of other packages.
    const FOREIGN: [&str; 3] = ["ErrorKind", "SignalKind", "AnnotationKind"];
    let is_kind = |name: &str| matches!(name, "kind" | "kinds") || name.ends_with("_kind") || name.ends_with("_kinds");
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let has_type = tokens.get(at + 1).is_some_and(|next| next.is(":"));
        if !has_type || !is_kind(&token.text) {
            continue;
        }
        let mut depth = 0;
        let mut ends = |token: &&Token| {
            depth +=
                i32::from(matches!(&*token.text, "<" | "(" | "[")) - i32::from(matches!(&*token.text, ">" | ")" | "]"));
            depth < 0 || matches!(&*token.text, ";" | "=" | "{" | "}") || depth == 0 && token.is(",")
        };
        let rest = &tokens[at + 2..];
        let written = &rest[..rest.iter().position(|token| ends(&token)).unwrap_or(rest.len())];
        // A value of a struct that is made: a path to a variant, or a call.
        let is_value = written.iter().any(|token| matches!(&*token.text, "(" | "." | "\"" | "!" | "?"))
            || written.windows(3).any(|three| three[0].is_type_name() && three[1].is("::"));
        let names = written.iter().filter(|token| token.is_type_name()).map(|token| token.text.as_str());
        let own: Vec<&str> = names.filter(|name| name.len() > 1 && !CONTAINERS.contains(name)).collect();
        let is_entities = own.iter().any(|name| name.contains("EntityKind") || FOREIGN.contains(name));
        if !is_value && !own.is_empty() && !is_entities {
            found.push((token.text.clone(), own.join(" "), token.line));
        }
    }
    found
}

#[test]
fn definitions_are_told_from_associated_types() {
    let text = "struct A; enum B { C } impl X for A { type Y = B; fn f() -> impl Z { struct D; } }\n\
        trait T { type U; }\npub type V = A; fn g(x: impl T) { type W = A; }";
    let names: Vec<String> = definitions(text).into_iter().map(|definition| definition.name).collect();
    assert_eq!(names, ["A", "B", "D", "T", "V", "W"]);
}
