//! Commands: what an event whose type begins with `$` asks for, and why one that asks for nothing known is rejected.

use super::capture::Found;
use super::names::Names;
use super::plan::NodeId;
use super::reject::Reject;
use super::scanner::{Kind, Raw};
use super::text::text;
use super::values::scalar;
use crate::catalog::{Catalog, CommandPaths, Tag, TagDefinition, parse_duration};
use crate::model::{Command, EntityKindId, Event, PathId, Property, TagId};

/// What a catalog knows of commands.
#[derive(Clone, Debug)]
pub(super) struct Commands {
    /// Where a `$tag` says what it wants; there where a tag is manual.
    paths: Option<CommandPaths>,
    /// The manual tags.
    tags: Names,
    /// By tag: what it is put on.
    entities: Vec<EntityKindId>,
}

impl Commands {
    pub(super) fn new(catalog: &Catalog) -> Self {
        let manual = |(tag, id): (&Tag, u32)| {
            matches!(tag.definition, TagDefinition::Manual { .. }).then(|| (tag.name.clone(), id))
        };
        Commands {
            paths: catalog.command_paths,
            tags: Names::new(catalog.tags.iter().zip(0..).filter_map(manual)),
            entities: catalog.tags.iter().map(|tag| tag.entity).collect(),
        }
    }

    /// Reads the command that an event is, by its type, and makes the event one to those whom it concerns.
    pub(super) fn read(&self, fields: &Fields<'_>, event: &mut Event, scratch: &mut String) -> Result<(), Fault> {
        event.command = Some(match event.kind_name() {
            "$erase" => Command::Erase,
            "$tag" => self.tag(fields, event, scratch)?,
            _ => return Err(Fault::Unknown),
        });
        Ok(())
    }

    fn tag(&self, fields: &Fields<'_>, event: &mut Event, scratch: &mut String) -> Result<Command, Fault> {
        let paths = self.paths.ok_or(Fault::NoManualTags)?;
        let name = fields.text(paths.tag, scratch).ok_or(Fault::NoTag)?;
        let tag = self.tags.get(name.as_bytes()).map(|id| TagId(id as u16)).ok_or(Fault::UnknownTag)?;
        // A key is looked at before all else of a record, where it is known whose.
        let entity = self.entities[usize::from(tag.0)];
        event.key_of(entity).ok_or(Fault::NoKey)?;
        event.keep_only(entity);
        let is_set = match fields.raw(paths.set).kind() {
            Kind::True => true,
            Kind::False => false,
            _ => return Err(Fault::NoSet),
        };
        let value = match scalar(fields.record, fields.raw(paths.value), event, scratch) {
            value @ (Property::Bool(_) | Property::Number(..) | Property::String(_)) => value,
            _ if fields.raw(paths.value).is_absent() => Property::Bool(true),
            _ => return Err(Fault::BadValue),
        };
        let valid_for_ms = if is_set { fields.duration(paths.valid_for, scratch)? } else { None };
        Ok(if is_set { Command::Set { tag, value, valid_for_ms } } else { Command::Unset { tag } })
    }
}

/// What stands at the properties of a record.
pub(super) struct Fields<'a> {
    pub(super) record: &'a str,
    /// By path.
    pub(super) nodes: &'a [NodeId],
    /// By node.
    pub(super) found: &'a [Found],
}

impl Fields<'_> {
    fn raw(&self, path: PathId) -> Raw {
        self.found[self.nodes[path.index()]].property()
    }

    fn text<'s>(&'s self, path: PathId, scratch: &'s mut String) -> Option<&'s str> {
        let raw = self.raw(path);
        matches!(raw.kind(), Kind::Plain | Kind::Escaped).then(|| text(self.record, raw, scratch))
    }

    /// In milliseconds, where one is given.
    fn duration(&self, path: PathId, scratch: &mut String) -> Result<Option<i64>, Fault> {
        if self.raw(path).is_absent() {
            return Ok(None);
        }
        let text = self.text(path, scratch).ok_or(Fault::BadValidFor)?;
        let ms = parse_duration(text).map_err(|_| Fault::BadValidFor)?;
        if ms > 0 { Ok(Some(ms)) } else { Err(Fault::BadValidFor) }
    }
}

/// What is wrong with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Unknown,
    NoManualTags,
    NoTag,
    UnknownTag,
    NoSet,
    BadValue,
    BadValidFor,
    NoKey,
}

impl Fault {
    pub(super) fn reject(self) -> Reject {
        if self == Fault::NoKey { Reject::MissingKey } else { Reject::BadType }
    }

    /// For people.
    pub(super) fn detail(self) -> &'static str {
        match self {
            Fault::Unknown => "unknown command: known are `$tag` and `$erase`",
            Fault::NoManualTags => "`$tag`, but no tag of the catalog is manual",
            Fault::NoTag => "`$tag` needs `tag`: the name of a manual tag",
            Fault::UnknownTag => "`tag` names no manual tag of the catalog",
            Fault::NoSet => "`$tag` needs `set`: true or false",
            Fault::BadValue => "`value` is neither true, false, a number nor text",
            Fault::BadValidFor => "`valid_for` is no duration such as \"30d\"",
            Fault::NoKey => "the event has no key of the entity that the tag is put on",
        }
    }
}
