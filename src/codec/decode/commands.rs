//! Commands: events whose type begins with `$`, and the errors for which they are rejected.

use super::json::{FoundValue, JsonType, RawValue, text};
use super::name_table::NameTable;
use super::plan::NodeId;
use super::values::scalar;
use crate::catalog::{Catalog, CommandPaths, Tag, TagDefinition, parse_duration};
use crate::codec::reject::Reject;
use crate::model::{Command, EntityKindId, Event, PathId, Property, TagId};

/// What decoding a command needs of a catalog.
#[derive(Clone, Debug)]
pub(super) struct Commands {
    /// The property paths of a `$tag`; `Some` if the catalog has a manual tag.
    paths: Option<CommandPaths>,
    /// The manual tags.
    tags: NameTable,
    /// By tag, its kind of entity.
    entities: Vec<EntityKindId>,
}

impl Commands {
    pub(super) fn new(catalog: &Catalog) -> Self {
        let manual = |(tag, id): (&Tag, u32)| {
            matches!(tag.definition, TagDefinition::Manual { .. }).then(|| (tag.name.clone(), id))
        };
        Commands {
            paths: catalog.command_paths,
            tags: NameTable::new(catalog.tags.iter().zip(0..).filter_map(manual)),
            entities: catalog.tags.iter().map(|tag| tag.entity).collect(),
        }
    }

    /// Decodes the command by the event's type, and restricts the event to the entities that it concerns.
    pub(super) fn read(
        &self,
        fields: &CommandFields<'_>,
        event: &mut Event,
        scratch: &mut String,
    ) -> Result<(), CommandError> {
        event.command = Some(match event.type_name() {
            "$erase" => Command::Erase,
            "$tag" => self.tag(fields, event, scratch)?,
            _ => return Err(CommandError::Unknown),
        });
        Ok(())
    }

    fn tag(
        &self,
        fields: &CommandFields<'_>,
        event: &mut Event,
        scratch: &mut String,
    ) -> Result<Command, CommandError> {
        let paths = self.paths.ok_or(CommandError::NoManualTags)?;
        let name = fields.text(paths.tag, scratch).ok_or(CommandError::NoTag)?;
        let tag = self.tags.get(name.as_bytes()).map(|id| TagId(id as u16)).ok_or(CommandError::UnknownTag)?;
        // The key comes first among the errors, once it is known which key is needed.
        let entity = self.entities[usize::from(tag.0)];
        event.key_of(entity).ok_or(CommandError::NoKey)?;
        event.keep_only(entity);
        let is_set = match fields.raw(paths.set).json_type() {
            JsonType::True => true,
            JsonType::False => false,
            _ => return Err(CommandError::NoSet),
        };
        let value = match scalar(fields.record, fields.raw(paths.value), event, scratch) {
            value @ (Property::Bool(_) | Property::Integer(..) | Property::Number(..) | Property::String(_)) => value,
            _ if fields.raw(paths.value).is_absent() => Property::Bool(true),
            _ => return Err(CommandError::BadValue),
        };
        let valid_for_ms = if is_set { fields.duration(paths.valid_for, scratch)? } else { None };
        Ok(if is_set { Command::Set { tag, value, valid_for_ms } } else { Command::Unset { tag } })
    }
}

/// The values at the property paths of a record.
pub(super) struct CommandFields<'a> {
    pub(super) record: &'a str,
    /// By path.
    pub(super) nodes: &'a [NodeId],
    /// By node.
    pub(super) found: &'a [FoundValue],
}

impl CommandFields<'_> {
    fn raw(&self, path: PathId) -> RawValue {
        self.found[self.nodes[path.index()]].property()
    }

    fn text<'s>(&'s self, path: PathId, scratch: &'s mut String) -> Option<&'s str> {
        let raw = self.raw(path);
        matches!(raw.json_type(), JsonType::Plain | JsonType::Escaped).then(|| text(self.record, raw, scratch))
    }

    /// The duration in milliseconds, if there is one.
    fn duration(&self, path: PathId, scratch: &mut String) -> Result<Option<i64>, CommandError> {
        if self.raw(path).is_absent() {
            return Ok(None);
        }
        let text = self.text(path, scratch).ok_or(CommandError::BadValidFor)?;
        let ms = parse_duration(text).map_err(|_| CommandError::BadValidFor)?;
        if ms > 0 { Ok(Some(ms)) } else { Err(CommandError::BadValidFor) }
    }
}

/// What is wrong with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommandError {
    Unknown,
    NoManualTags,
    NoTag,
    UnknownTag,
    NoSet,
    BadValue,
    BadValidFor,
    NoKey,
}

impl CommandError {
    pub(super) fn reject(self) -> Reject {
        if self == CommandError::NoKey { Reject::MissingKey } else { Reject::BadType }
    }

    /// For people.
    pub(super) fn detail(self) -> &'static str {
        match self {
            CommandError::Unknown => "unknown command: known are `$tag` and `$erase`",
            CommandError::NoManualTags => "`$tag`, but no tag of the catalog is manual",
            CommandError::NoTag => "`$tag` needs `tag`: the name of a manual tag",
            CommandError::UnknownTag => "`tag` is not the name of a manual tag of the catalog",
            CommandError::NoSet => "`$tag` needs `set`: true or false",
            CommandError::BadValue => "`value` is neither true, false, a number nor text",
            CommandError::BadValidFor => "`valid_for` is not a duration such as \"30d\"",
            CommandError::NoKey => "the event has no key of the entity that the tag is put on",
        }
    }
}
