//! A selection divided by the values of one or two expressions: every member is in one cell, so the cells add up.

use std::collections::HashMap;

use roaring::RoaringBitmap;

use super::past::NOT_OF_TAGS;
use super::question::Column;
use super::selection::Selection;
use crate::catalog::{Problem, TagDefinition, TagId, Type};
use crate::codec::value_document;
use crate::engine::CompiledCatalog;
use crate::model::{EntityKindId, Number, Value};
use crate::serve::replica::PartitionView;

/// The most cells of a dimension; the smallest ones beyond are one cell together.
const CELLS_MAX: usize = 100;
/// The most different values that are told apart while they are counted.
const VALUES_MAX: usize = 20_000;
/// The most bounds of a dimension.
const BOUNDS_MAX: usize = 50;

/// What a selection is divided by: an expression, whose numbers may be divided into bands.
#[derive(Clone, Debug)]
pub struct Dimension {
    column: Column,
    /// Increasing; a number equal to a bound is in the band above it.
    bounds: Vec<f64>,
}

/// Why a selection cannot be divided like this.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DimensionError {
    #[error("an expression has errors")]
    Expression(Vec<Problem>),
    #[error("`{text}` has bounds, and is not a number: bounds stand behind a number, as in spend:100,1000")]
    NotANumber { text: String },
    #[error("the bounds of `{text}` have to be at most {BOUNDS_MAX} numbers that increase, as in spend:100,1000")]
    Bounds { text: String },
    #[error("`{text}` has no past: {NOT_OF_TAGS}")]
    NoPast { text: String },
    #[error("`{text}` has more than {VALUES_MAX} different values: give it bounds, as in {text}:100,1000")]
    TooMany { text: String },
}

/// One combination of values, one for each dimension.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakdownCell {
    pub values: Vec<CellValue>,
    pub size: u64,
}

/// What the members of a cell have in common.
#[derive(Clone, Debug, PartialEq)]
pub enum CellValue {
    /// They have no value.
    Absent,
    Value(Value),
    /// A number from the first bound on, below the second.
    Band {
        from: Option<f64>,
        below: Option<f64>,
    },
    /// They have other values than the other cells.
    Other,
}

/// All cells that are not empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Breakdown {
    pub cells: Vec<BreakdownCell>,
}

/// The members of one value.
struct Cell {
    value: CellValue,
    /// By part of the selection.
    members: Vec<RoaringBitmap>,
}

impl Cell {
    fn new(value: CellValue, parts: usize) -> Self {
        Cell { value, members: vec![RoaringBitmap::new(); parts] }
    }

    fn size(&self) -> u64 {
        self.members.iter().map(RoaringBitmap::len).sum()
    }
}

impl Dimension {
    /// `tag.lifecycle`, `gender`, or with bounds `spend_180d:100,1000`.
    ///
    /// # Errors
    /// What is wrong with the expression or its bounds.
    pub fn parse(compiled: &CompiledCatalog, kind: EntityKindId, text: &str) -> Result<Self, DimensionError> {
        let (expression, bounds) = match text.rsplit_once(':') {
            Some((expression, bounds)) if !expression.contains('?') => (expression, Some(bounds)),
            _ => (text, None),
        };
        let column = Column::parse(compiled, kind, expression).map_err(DimensionError::Expression)?;
        let Some(bounds) = bounds else { return Ok(Dimension { column, bounds: Vec::new() }) };
        let wrong = || DimensionError::Bounds { text: column.text.clone() };
        let bounds: Option<Vec<f64>> = bounds.split(',').map(|bound| bound.trim().parse().ok()).collect();
        let bounds = bounds.filter(|bounds| bounds.len() <= BOUNDS_MAX && bounds.is_sorted_by(|a, b| a < b));
        let bounds = bounds.filter(|bounds| bounds.iter().all(|bound| bound.is_finite())).ok_or_else(wrong)?;
        if !column.value_type.may_be(Type::Number) {
            return Err(DimensionError::NotANumber { text: column.text });
        }
        Ok(Dimension { column, bounds })
    }

    pub fn text(&self) -> &str {
        &self.column.text
    }

    /// The tag, where it is divided by a tag and nothing else.
    pub fn tag(&self) -> Option<TagId> {
        self.column.tag()
    }

    fn cells(&self, selection: &Selection) -> Result<Vec<Cell>, DimensionError> {
        let cells = match self.labelled(selection) {
            Some(cells) => cells,
            None if selection.is_past => return Err(DimensionError::NoPast { text: self.column.text.clone() }),
            None => self.scanned(selection)?,
        };
        Ok(cells.into_iter().filter(|cell| cell.size() > 0).collect())
    }

    /// From bitmaps alone, for a rule, or a tag with bands or stages.
    fn labelled(&self, selection: &Selection) -> Option<Vec<Cell>> {
        let (tag, (first, _)) = (self.column.tag()?, selection.parts.first()?);
        let definition = &first.program().tag(tag).definition;
        type Members<'a> = &'a dyn Fn(&PartitionView) -> RoaringBitmap;
        let cell = |value: CellValue, of: Members<'_>| Cell {
            value,
            members: selection.parts.iter().map(|(view, these)| these & of(view)).collect(),
        };
        let with = |view: &PartitionView| view.with_tag(tag).clone();
        let off = |view: &PartitionView| view.all() - view.with_tag(tag);
        if matches!(definition, TagDefinition::Rule { .. }) {
            let (on, off) =
                (cell(CellValue::Value(Value::Bool(true)), &with), cell(CellValue::Value(Value::Bool(false)), &off));
            return Some(vec![on, off]);
        }
        let labels = definition.labels();
        if labels.is_empty() {
            return None;
        }
        let of_label = |(place, label): (u16, &&str)| {
            let members = |view: &PartitionView| view.with_label(tag, place).cloned().unwrap_or_default();
            cell(CellValue::Value(Value::String((*label).into())), &members)
        };
        let mut cells: Vec<Cell> = (0..).zip(&labels).map(of_label).collect();
        // A value that the tag had under an earlier catalog.
        let other = |view: &PartitionView| {
            let labels = (0..labels.len()).filter_map(|place| view.with_label(tag, place as u16));
            labels.fold(with(view), |others, label| others - label)
        };
        cells.push(cell(CellValue::Other, &other));
        cells.push(cell(CellValue::Absent, &off));
        Some(cells)
    }

    /// From the value of each member.
    fn scanned(&self, selection: &Selection) -> Result<Vec<Cell>, DimensionError> {
        let parts = selection.parts.len();
        let (mut cells, mut places): (Vec<Cell>, HashMap<String, usize>) = (Vec::new(), HashMap::new());
        for (part, (view, these)) in selection.parts.iter().enumerate() {
            let mut reader = view.reader();
            for number in these {
                let Some((state, _)) = view.state(number) else { continue };
                reader.open(state);
                let value = self.cell_of(self.column.value(&view.standing, &mut reader));
                let name = match &value {
                    CellValue::Value(value) => value_document(Some(value)).to_string(),
                    other => format!("{other:?}"),
                };
                let place = *places.entry(name).or_insert_with(|| {
                    cells.push(Cell::new(value, parts));
                    cells.len() - 1
                });
                cells[place].members[part].insert(number);
            }
            if cells.len() > VALUES_MAX {
                return Err(DimensionError::TooMany { text: self.column.text.clone() });
            }
        }
        Ok(self.folded(cells, parts))
    }

    fn cell_of(&self, value: Option<Value>) -> CellValue {
        match value {
            None => CellValue::Absent,
            Some(Value::Number(number)) if !self.bounds.is_empty() => {
                let above = self.bounds.partition_point(|bound| Number::Double(*bound) <= number);
                let from = above.checked_sub(1).map(|below| self.bounds[below]);
                CellValue::Band { from, below: self.bounds.get(above).copied() }
            }
            Some(value) => CellValue::Value(value),
        }
    }

    /// Bands in their order, values by size; the smallest values beyond the limit together.
    fn folded(&self, mut cells: Vec<Cell>, parts: usize) -> Vec<Cell> {
        let order = |cell: &Cell| match cell.value {
            CellValue::Band { from, .. } => {
                from.map_or(0, |from| 1 + self.bounds.partition_point(|bound| *bound < from))
            }
            _ => usize::MAX,
        };
        cells.sort_by(|a, b| (order(a), b.size()).cmp(&(order(b), a.size())));
        if cells.len() > CELLS_MAX {
            let rest = cells.split_off(CELLS_MAX - 1);
            let mut other = Cell::new(CellValue::Other, parts);
            for cell in rest {
                other.members.iter_mut().zip(cell.members).for_each(|(all, these)| *all |= these);
            }
            cells.push(other);
        }
        cells
    }
}

impl Breakdown {
    /// Divides a selection by one or two dimensions.
    ///
    /// # Errors
    /// A dimension with too many values.
    pub fn of(selection: &Selection, dimensions: &[Dimension]) -> Result<Self, DimensionError> {
        let mut divided =
            vec![(Vec::new(), selection.parts.iter().map(|(_, these)| these.clone()).collect::<Vec<_>>())];
        for dimension in dimensions {
            let cells = dimension.cells(selection)?;
            let mut finer = Vec::with_capacity(divided.len() * cells.len());
            for (values, members) in &divided {
                for cell in &cells {
                    let values: Vec<CellValue> = values.iter().cloned().chain([cell.value.clone()]).collect();
                    let both = members.iter().zip(&cell.members).map(|(a, b)| a & b);
                    finer.push((values, both.collect::<Vec<RoaringBitmap>>()));
                }
            }
            divided = finer;
        }
        let cells = divided.into_iter().map(|(values, members)| {
            let size = members.iter().map(RoaringBitmap::len).sum();
            BreakdownCell { values, size }
        });
        Ok(Breakdown { cells: cells.filter(|cell| cell.size > 0).collect() })
    }
}
