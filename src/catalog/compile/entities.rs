//! Kinds of entity, and the kind that an attribute, a counter or a tag belongs to.

use super::compiler::Compiler;
use crate::catalog::compiled::EntityKind;
use crate::catalog::diagnostics::{Report, Span, did_you_mean, is_identifier, listed};
use crate::catalog::raw::{DurationMs, RawEntity, named_entries};
use crate::catalog::typecheck::Owner;
use crate::catalog::yaml::{Field, NameMap, Spanned};
use crate::model::EntityKindId;

/// The kind of entity that every catalog has, and the default of `entity`.
const USER: &str = "user";

/// The most kinds: every event is searched for the key of each.
const ENTITIES_MAX: usize = 16;

/// The longest name, in bytes: topics are named after it.
const NAME_BYTES_MAX: usize = 64;

/// All kinds in the order of the file; the user is first when it is not declared.
pub(super) fn compile(field: &Field<NameMap<RawEntity>>, report: &mut Report) -> Vec<EntityKind> {
    let declared = named_entries(field);
    if let Some(all) = field.get().filter(|_| declared.len() > ENTITIES_MAX) {
        let message = format!("a catalog has at most {ENTITIES_MAX} kinds of entity; this has {}", declared.len());
        report.error("too-many", all.span, message);
    }
    let mut kinds: Vec<EntityKind> =
        declared.iter().map(|(name, raw)| entity_kind(name, raw.as_ref(), report)).collect();
    if kinds.iter().all(|kind| &*kind.name != USER) {
        kinds.insert(0, EntityKind { name: USER.into(), key: None, forget_after_ms: None });
    }
    kinds
}

/// A kind with a mistake keeps its place, so that ids stay right while other problems are looked for.
fn entity_kind(name: &Spanned<String>, raw: Option<&RawEntity>, report: &mut Report) -> EntityKind {
    check_kind_name(name, report);
    let mut kind = EntityKind { name: name.value.as_str().into(), key: None, forget_after_ms: None };
    let Some(raw) = raw else { return kind };
    kind.key = raw.key.value().cloned();
    match raw.key.key() {
        Some(key) if name.value == USER => {
            report
                .error("unneeded-key", key, "the key of `user` is the one of `input`")
                .help("remove the line, or write it as `input: { key: … }`");
        }
        None if name.value != USER => missing_key(name, report),
        _ => {}
    }
    kind.forget_after_ms = positive_duration(&raw.forget_after, "forget_after", report);
    kind
}

fn missing_key(name: &Spanned<String>, report: &mut Report) {
    let help = did_you_mean(&name.value, [USER].into_iter()).unwrap_or_else(|| {
        format!("`key` says where an event has it: a JSON Pointer such as `/properties/{}_id`", name.value)
    });
    report.error("missing-key", name.span, format!("the entity `{}` needs `key`", name.value)).help(help);
}

fn check_kind_name(name: &Spanned<String>, report: &mut Report) {
    let text = &name.value;
    if !is_identifier(text) {
        report
            .error("bad-name", name.span, format!("`{text}` can't be the name of an entity"))
            .help("use letters a to z, digits and `_`, not beginning with a digit");
    } else if text.len() > NAME_BYTES_MAX {
        let message = format!("an entity's name has at most {NAME_BYTES_MAX} bytes, this has {}", text.len());
        report.error("bad-name", name.span, message).help("topics are named after it");
    }
}

/// The milliseconds of a duration that must be longer than 0.
pub(super) fn positive_duration(field: &Field<DurationMs>, key: &str, report: &mut Report) -> Option<i64> {
    let duration = field.get()?;
    if duration.value.0 == 0 {
        report
            .error("out-of-range", duration.span, format!("`{key}` must be longer than 0"))
            .help("for example `30d`; without the line it is for ever");
        return None;
    }
    Some(duration.value.0)
}

impl Compiler<'_> {
    /// The kind of entity that an attribute, a counter or a tag belongs to; an unknown one is reported.
    pub(super) fn owner(&mut self, field: &Field<String>) -> Owner {
        let Some(name) = field.get() else {
            return if field.is_written() { None } else { self.entity(USER) };
        };
        let found = self.entity(&name.value);
        if found.is_none() {
            self.unknown_entity(&name.value, name.span);
        }
        found
    }

    fn entity(&self, name: &str) -> Owner {
        let index = self.entities.iter().position(|kind| &*kind.name == name)?;
        Some(EntityKindId(index as u16))
    }

    fn unknown_entity(&mut self, name: &str, place: Span) {
        let known: Vec<&str> = self.entities.iter().map(|kind| &*kind.name).collect();
        let help = did_you_mean(name, known.iter().copied()).unwrap_or_else(|| match known.as_slice() {
            [_] => format!("declare it: `entities: {{ {name}: {{ key: /properties/{name}_id }} }}`"),
            _ => format!("known are {}", listed(&known)),
        });
        self.report.error("unknown-name", place, format!("unknown entity `{name}`")).help(help);
    }
}
