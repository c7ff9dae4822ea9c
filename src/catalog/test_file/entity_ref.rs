//! The entity that a line of a test case is about: a user, or an entity of another kind, by its key.

use super::compile::CaseCompiler;
use super::short_form::KeyText;
use crate::catalog::compiled::TagId;
use crate::catalog::diagnostics::{Span, did_you_mean, listed};
use crate::catalog::yaml::{Field, NameMap, Spanned};
use crate::model::EntityKindId;

/// The keys that name an entity: `user` alone, or `key`, with `entity` when the tags do not decide it.
pub(super) struct EntityRef<'r> {
    pub key: &'r Field<KeyText>,
    pub user: &'r Field<KeyText>,
    pub entity: &'r Field<String>,
}

impl CaseCompiler<'_> {
    /// The entity that is meant; by default its kind is that of `tag`.
    pub(super) fn entity_ref(
        &mut self,
        written: &EntityRef<'_>,
        tag: Option<TagId>,
        span: Span,
        what: &str,
    ) -> Option<(EntityKindId, String)> {
        let EntityRef { key, user, entity } = written;
        if let Some(user_key) = user.key() {
            if let Some(other) = key.key().or(entity.key()) {
                self.required
                    .report
                    .error("two-keys", other, "`user` already names the entity")
                    .help("write `user` alone, or `key` with `entity`")
                    .related(user_key, "given here");
                return None;
            }
            return Some((self.catalog.user(), user.get()?.value.0.clone()));
        }
        let key = self.required.value(key, "key", span, what)?.0.clone();
        let kind = match entity.get() {
            Some(name) => self.entity(name)?,
            None if entity.is_written() => return None,
            None => tag.map_or(self.catalog.user(), |tag| self.catalog.tag(tag).entity),
        };
        Some((kind, key))
    }

    /// Whether the tag is put on entities of this kind; reports it if not.
    pub(super) fn is_put_on(&mut self, tag: TagId, entity: EntityKindId, place: Span) -> bool {
        let tag = self.catalog.tag(tag);
        if tag.entity == entity {
            return true;
        }
        let (own, other) = (&self.catalog.entity(tag.entity).name, &self.catalog.entity(entity).name);
        let message = format!("the tag `{}` is put on `{own}`, and this is about `{other}`", tag.name);
        self.required.report.error("other-entity", place, message).help("write a line for each entity");
        false
    }

    /// The keys of an event by kind of entity, without the user's.
    pub(super) fn keys(&mut self, field: &Field<NameMap<KeyText>>) -> Vec<(EntityKindId, String)> {
        let mut keys = Vec::new();
        for (name, key) in field.get().map_or(&[][..], |named| &named.value.0) {
            let Some(kind) = self.entity(name) else { continue };
            if kind == self.catalog.user() {
                let message = "the key of `user` stands beside `keys`";
                self.required.report.error("two-keys", name.span, message).help("write `user: …`");
            }
            keys.extend(key.as_ref().map(|key| (kind, key.0.clone())));
        }
        keys
    }

    fn entity(&mut self, name: &Spanned<String>) -> Option<EntityKindId> {
        let known: Vec<&str> = self.catalog.entities.iter().map(|kind| &*kind.name).collect();
        let found = known.iter().position(|known| *known == name.value);
        if found.is_none() {
            let help = did_you_mean(&name.value, known.iter().copied());
            self.required
                .report
                .error("unknown-name", name.span, format!("unknown entity `{}`", name.value))
                .help(help.unwrap_or_else(|| format!("the catalog's entities are {}", listed(&known))));
        }
        found.map(|index| EntityKindId(index as u16))
    }
}
