//! What the numbered cells of an entity mean under a catalog, so that another catalog can read them.
//!
//! The bytes: for each cell, in the order of their numbers (attributes, series, tags, the remembered ids, the retired
//! tags, the states of all tags), a byte for the type of cell and then texts, each after its length (LEB128):
//!
//! | byte | texts | then |
//! | --- | --- | --- |
//! | 0 attribute | name, meaning | |
//! | 1 series | names of its counters, meaning | its reach: 0 and how many panes back (LEB128), 1 and a byte for the current day, week from Monday, month, year (0 to 3), week from Sunday or Saturday (4, 5), 3 and such a byte and how many of them back (LEB128), or 2 for ever |
//! | 2 tag | name, form of its states: `rule`, `value`, `bands`, `stages`, `score`, `score bands` or `manual` | how many names of bands or stages (LEB128), the names |
//! | 3 remembered ids | | |
//! | 4 vacant: of another entity kind | | |
//! | 5 retired tags | | |
//! | 6 series of sums in billionths | as 1 | as 1 |
//! | 7 series of sums without their last zeros | as 1 | as 1 |
//! | 8 series of strings with counts, in few bytes | as 1 | as 1 |
//! | 9 the states of all tags | | |
//!
//! The types 7 to 9 are those of version 2 of the changelog. Before, a series of sums was of type 6, and of type 1 when it
//! still had its sums in millionths; one of strings was of type 1; and each tag had its state in its own cell.
//!
//! The id of a schema is the xxh3 hash (64 bits) of these bytes.

use std::fmt;

use xxhash_rust::xxh3::xxh3_64;

use super::cell_meaning::{MeaningWriter, tag_states};
use super::plan::{CounterPlan, SeriesPlan};
use crate::catalog::{CalendarUnit, Catalog, WeekStart};
use crate::engine::aggregate::{Reach, SeriesForm};
use crate::engine::encoding::{put_text, put_unsigned, split_unsigned};
use crate::model::EntityKindId;

/// What one cell holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SchemaCell {
    Attribute {
        name: Box<str>,
        meaning: Box<str>,
    },
    Series {
        counters: Box<str>,
        meaning: Box<str>,
        reach: Reach,
        form: SeriesForm,
    },
    /// Its number is that of the tag among the states; before version 2 the cell had the state.
    Tag {
        name: Box<str>,
        states: TagStates,
    },
    /// The remembered event ids, for de-duplication.
    SeenIds,
    /// Tags that only an earlier catalog had, until they are removed.
    RetiredTags,
    /// The states of all tags.
    TagStates,
    /// Never used: it belongs to another entity kind.
    Vacant,
}

/// What the states of a tag mean to a catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TagStates {
    pub form: TagForm,
    /// Of its bands or stages.
    pub names: Vec<Box<str>>,
}

/// The form of a tag, which says what its states are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TagForm {
    Rule,
    Value,
    Bands,
    Stages,
    Score,
    ScoreBands,
    Manual,
    /// Written by another version of tagstream.
    Unknown,
}

impl TagForm {
    const KNOWN: [(TagForm, &str); 7] = [
        (TagForm::Rule, "rule"),
        (TagForm::Value, "value"),
        (TagForm::Bands, "bands"),
        (TagForm::Stages, "stages"),
        (TagForm::Score, "score"),
        (TagForm::ScoreBands, "score bands"),
        (TagForm::Manual, "manual"),
    ];

    fn name(self) -> &'static str {
        TagForm::KNOWN.iter().find(|(form, _)| *form == self).map_or("", |(_, name)| name)
    }

    fn named(name: &str) -> Self {
        TagForm::KNOWN.iter().find(|(_, known)| *known == name).map_or(TagForm::Unknown, |(form, _)| *form)
    }
}

impl TagStates {
    /// The index of the band or stage of this name.
    pub(crate) fn index(&self, name: &str) -> Option<u16> {
        self.names.iter().position(|known| **known == *name).map(|index| index as u16)
    }
}

/// The name of an attribute, of counters or of a tag that has a cell. Its order and text are those of reports.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CellName {
    Attribute(Box<str>),
    /// The counters that share a series.
    Counters(Box<str>),
    Tag(Box<str>),
}

impl fmt::Display for CellName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CellName::Attribute(name) => write!(f, "attribute {name}"),
            CellName::Counters(names) => write!(f, "counter {names}"),
            CellName::Tag(name) => write!(f, "tag {name}"),
        }
    }
}

impl SchemaCell {
    /// `None` for a cell without a name.
    pub(crate) fn name(&self) -> Option<CellName> {
        match self {
            SchemaCell::Attribute { name, .. } => Some(CellName::Attribute(name.clone())),
            SchemaCell::Series { counters, .. } => Some(CellName::Counters(counters.clone())),
            SchemaCell::Tag { name, .. } => Some(CellName::Tag(name.clone())),
            SchemaCell::SeenIds | SchemaCell::RetiredTags | SchemaCell::TagStates | SchemaCell::Vacant => None,
        }
    }
}

/// Why the bytes of a schema cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the meaning of a schema cannot be read: {0}")]
pub struct SchemaError(&'static str);

/// What each cell of an entity means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    cells: Vec<SchemaCell>,
    meaning: Vec<u8>,
    id: u64,
}

impl Schema {
    /// The cells of one entity kind.
    pub(crate) fn of(catalog: &Catalog, kind: EntityKindId, series: &[SeriesPlan], counters: &[CounterPlan]) -> Self {
        let meaning = MeaningWriter(catalog);
        let attributes = catalog.attributes.iter().map(|attribute| {
            if attribute.entity != kind {
                return SchemaCell::Vacant;
            }
            SchemaCell::Attribute { name: attribute.name.clone(), meaning: meaning.attribute(attribute).into() }
        });
        let series = series.iter().enumerate().map(|(index, plan)| {
            if plan.entity != kind {
                return SchemaCell::Vacant;
            }
            let readers = counters.iter().zip(&catalog.counters);
            let names: Vec<&str> = readers
                .filter(|(counter, _)| usize::from(counter.series.0) == index)
                .map(|(_, counter)| &*counter.name)
                .collect();
            let meaning = meaning.series(plan).into();
            let form = SeriesForm::of(plan.series_type);
            SchemaCell::Series { counters: names.join(", ").into(), meaning, reach: plan.frame.reach, form }
        });
        let tags = catalog.tags.iter().map(|tag| {
            if tag.entity != kind {
                return SchemaCell::Vacant;
            }
            SchemaCell::Tag { name: tag.name.clone(), states: tag_states(&tag.definition) }
        });
        let last = [SchemaCell::SeenIds, SchemaCell::RetiredTags, SchemaCell::TagStates];
        Schema::new(attributes.chain(series).chain(tags).chain(last).collect())
    }

    fn new(cells: Vec<SchemaCell>) -> Self {
        let mut meaning = Vec::new();
        cells.iter().for_each(|cell| put_cell(cell, &mut meaning));
        Schema { id: xxh3_64(&meaning), meaning, cells }
    }

    /// Reads [`Schema::meaning`].
    ///
    /// # Errors
    ///
    /// Bytes that cannot be read, or of a schema with another id.
    pub fn read(id: u64, meaning: &[u8]) -> Result<Self, SchemaError> {
        let mut rest = meaning;
        let mut cells = Vec::new();
        while !rest.is_empty() {
            cells.push(take_cell(&mut rest).ok_or(SchemaError("a cell is not one"))?);
        }
        let schema = Schema { cells, meaning: meaning.to_vec(), id: xxh3_64(meaning) };
        if schema.id == id { Ok(schema) } else { Err(SchemaError("it is another schema's")) }
    }

    /// The hash of its bytes.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The meaning of all cells as bytes, for a later catalog to read.
    pub fn meaning(&self) -> &[u8] {
        &self.meaning
    }

    pub(crate) fn cells(&self) -> &[SchemaCell] {
        &self.cells
    }
}

const ATTRIBUTE: u8 = 0;
const SERIES: u8 = 1;
const TAG: u8 = 2;
const SEEN: u8 = 3;
const VACANT: u8 = 4;
const RETIRED: u8 = 5;
const BILLIONTHS: u8 = 6;
const SHORT_SUMS: u8 = 7;
const SHORT_TOP: u8 = 8;
const TAG_STATES: u8 = 9;

/// The types of cells of series.
const SERIES_FORMS: [(u8, SeriesForm); 4] = [
    (SERIES, SeriesForm::First),
    (BILLIONTHS, SeriesForm::Billionths),
    (SHORT_SUMS, SeriesForm::ShortSums),
    (SHORT_TOP, SeriesForm::ShortTop),
];

const BACK: u8 = 0;
const PERIOD: u8 = 1;
const FOREVER: u8 = 2;
const PERIODS: u8 = 3;

const UNITS: [CalendarUnit; 6] = [
    CalendarUnit::Day,
    CalendarUnit::Week(WeekStart::Monday),
    CalendarUnit::Month,
    CalendarUnit::Year,
    CalendarUnit::Week(WeekStart::Sunday),
    CalendarUnit::Week(WeekStart::Saturday),
];

fn put_cell(cell: &SchemaCell, out: &mut Vec<u8>) {
    match cell {
        SchemaCell::Attribute { name, meaning } => {
            out.push(ATTRIBUTE);
            put_text(out, name);
            put_text(out, meaning);
        }
        SchemaCell::Series { counters, meaning, reach, form } => {
            out.push(SERIES_FORMS.iter().find(|(_, known)| known == form).map_or(SERIES, |(byte, _)| *byte));
            put_text(out, counters);
            put_text(out, meaning);
            put_reach(*reach, out);
        }
        SchemaCell::Tag { name, states: TagStates { form, names } } => {
            out.push(TAG);
            put_text(out, name);
            put_text(out, form.name());
            put_unsigned(out, names.len() as u64);
            names.iter().for_each(|name| put_text(out, name));
        }
        SchemaCell::SeenIds => out.push(SEEN),
        SchemaCell::Vacant => out.push(VACANT),
        SchemaCell::RetiredTags => out.push(RETIRED),
        SchemaCell::TagStates => out.push(TAG_STATES),
    }
}

pub(crate) fn put_reach(reach: Reach, out: &mut Vec<u8>) {
    match reach {
        Reach::Back(panes) => {
            out.push(BACK);
            put_unsigned(out, u64::from(panes));
        }
        Reach::Period { unit, back } => {
            out.push(if back == 0 { PERIOD } else { PERIODS });
            out.push(UNITS.iter().position(|known| *known == unit).unwrap_or_default() as u8);
            if back > 0 {
                put_unsigned(out, u64::from(back));
            }
        }
        Reach::Forever => out.push(FOREVER),
    }
}

fn take_cell(bytes: &mut &[u8]) -> Option<SchemaCell> {
    match byte(bytes)? {
        ATTRIBUTE => Some(SchemaCell::Attribute { name: take_text(bytes)?, meaning: take_text(bytes)? }),
        TAG => {
            let (name, form, count) = (take_text(bytes)?, take_text(bytes)?, split_unsigned(bytes)?);
            let names = (0..count).map(|_| take_text(bytes)).collect::<Option<_>>()?;
            Some(SchemaCell::Tag { name, states: TagStates { form: TagForm::named(&form), names } })
        }
        SEEN => Some(SchemaCell::SeenIds),
        VACANT => Some(SchemaCell::Vacant),
        RETIRED => Some(SchemaCell::RetiredTags),
        TAG_STATES => Some(SchemaCell::TagStates),
        series => {
            let (_, form) = *SERIES_FORMS.iter().find(|(byte, _)| *byte == series)?;
            let (counters, meaning) = (take_text(bytes)?, take_text(bytes)?);
            Some(SchemaCell::Series { counters, meaning, reach: take_reach(bytes)?, form })
        }
    }
}

pub(crate) fn take_reach(bytes: &mut &[u8]) -> Option<Reach> {
    match byte(bytes)? {
        BACK => Some(Reach::Back(u32::try_from(split_unsigned(bytes)?).ok()?)),
        PERIOD => Some(Reach::Period { unit: *UNITS.get(usize::from(byte(bytes)?))?, back: 0 }),
        PERIODS => {
            let unit = *UNITS.get(usize::from(byte(bytes)?))?;
            Some(Reach::Period { unit, back: u32::try_from(split_unsigned(bytes)?).ok()? })
        }
        FOREVER => Some(Reach::Forever),
        _ => None,
    }
}

fn byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

pub(crate) fn take_text(bytes: &mut &[u8]) -> Option<Box<str>> {
    let len = usize::try_from(split_unsigned(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(std::str::from_utf8(text).ok()?.into())
}
