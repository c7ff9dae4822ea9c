//! The greatest sizes of what is written for one entity, so that a catalog that needs larger records than its topics take is
//! seen before an entity is that large.
//!
//! They are bounds and not estimates: most entities stay far below them. The encodings are those of `engine::encoding` (a
//! number of seven bits a byte) and of `codec` (JSON, in which a control character takes six bytes).

use super::plan::{Program, SeriesPlan, TagPlan};
use crate::catalog::{AttributeType, CalendarUnit, ReportedValue, Source, TagDefinition};
use crate::engine::aggregate::{Frame, Grid, Reach, SeriesType};

/// An instant of the years 1 to 9999, or the number of a pane.
const TIME: u64 = 7;
const COUNT: u64 = 10;
const DECIMAL: u64 = 19;
const HASH: u64 = 8;
/// The number and length of a cell.
const CELL_HEAD: u64 = 3 + 5;
/// Sequence number, first and last event, last command.
const STATE_HEAD: u64 = 5 + COUNT + 4 * (1 + TIME);
/// The steps of a sequence, or another time that a series remembers.
const MEMORY: u64 = 2 + 8 * TIME;
/// A number, a time or a truth value, in JSON.
const PLAIN_JSON: u64 = 40;
/// The members of a tag change without its key, tag, values and reasons.
const CHANGE_FRAME: u64 = 400;
/// The members of one tag of the current tags, and of the record.
const CURRENT_TAG_FRAME: u64 = 80;
/// Bytes of JSON for a byte of text: `\u0000`.
const JSON_GROWTH: u64 = 6;
/// A text may grow while it is computed: three bytes for two, as `lower` makes them of some letters.
const COMPUTED_GROWTH: u64 = 2;
/// The days of a counter without an end.
const DAYS_MAX: u64 = 100 * 366;

/// Bytes of the largest records of one entity, beside its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordBounds {
    /// Its state in the changelog.
    pub state: u64,
    pub tag_change: u64,
    pub current_tags: u64,
}

impl Program {
    /// The greatest sizes of the records of an entity.
    pub fn record_bounds(&self) -> RecordBounds {
        let own_tags = self.tags.iter().map(|plan| &self.tag(plan.id).definition);
        let attributes = self.catalog.attributes.iter().filter(|attribute| attribute.entity == self.kind);
        let series = self.series.iter().filter(|plan| plan.entity == self.kind);
        let ids = self.catalog.input.dedup_ms.map_or(0, |_| self.catalog.input.dedup_limit as u64 * (TIME + HASH));
        let cells = attributes
            .map(|attribute| TIME + self.value(matches!(attribute.value_type, None | Some(AttributeType::String))))
            .chain(series.map(|plan| MEMORY + self.series_content(plan)))
            .chain(own_tags.map(|definition| 1 + 2 * TIME + HASH + self.tag_value(definition)))
            .chain([ids]);
        RecordBounds {
            state: STATE_HEAD + cells.map(|content| CELL_HEAD + content).sum::<u64>(),
            tag_change: self.tags.iter().map(|plan| self.change(plan)).max().unwrap_or(0),
            current_tags: CURRENT_TAG_FRAME + self.tags.iter().map(|plan| self.current_tag(plan)).sum::<u64>(),
        }
    }

    fn text(&self) -> u64 {
        self.catalog.input.max_text as u64
    }

    /// A value in a cell.
    fn value(&self, may_be_text: bool) -> u64 {
        1 + if may_be_text { 5 + self.text() } else { DECIMAL }
    }

    /// A tag's value in its cell.
    fn tag_value(&self, definition: &TagDefinition) -> u64 {
        match definition {
            TagDefinition::Value { bands: None, .. } | TagDefinition::Manual { .. } => {
                6 + COMPUTED_GROWTH * self.text()
            }
            _ => COUNT,
        }
    }

    fn series_content(&self, plan: &SeriesPlan) -> u64 {
        let panes = panes(plan.frame);
        match plan.series_type {
            SeriesType::Counts => panes * (TIME + COUNT),
            SeriesType::Sums(_) => panes * (TIME + COUNT + DECIMAL),
            SeriesType::Least(_) | SeriesType::Greatest(_) => panes * (TIME + DECIMAL),
            SeriesType::Days => panes * TIME,
            SeriesType::Distinct { limit, .. } => (u64::from(limit) + 1) * (TIME + HASH),
            SeriesType::Latest(of) => TIME + self.value(of != Source::Time),
            SeriesType::Earliest(of) => panes * (2 * TIME + self.value(of != Source::Time)),
            SeriesType::Top { limit, .. } => {
                u64::from(limit) * (5 + self.text() + TIME + COUNT + panes * (TIME + COUNT))
            }
        }
    }

    fn change(&self, plan: &TagPlan) -> u64 {
        let tag = self.tag(plan.id);
        let reasons = |leaves: &Vec<ReportedValue>| -> u64 {
            let leaf = |leaf: &ReportedValue| JSON_GROWTH * leaf.label.len() as u64 + self.json_value();
            leaves.iter().map(leaf).sum()
        };
        let because = plan.because.iter().map(reasons).max().unwrap_or(0);
        let names = JSON_GROWTH * (self.entity().len() + tag.name.len()) as u64;
        CHANGE_FRAME + names + 2 * self.shown(&tag.definition) + because
    }

    fn current_tag(&self, plan: &TagPlan) -> u64 {
        let tag = self.tag(plan.id);
        CURRENT_TAG_FRAME + JSON_GROWTH * tag.name.len() as u64 + self.shown(&tag.definition)
    }

    /// Any value in JSON.
    fn json_value(&self) -> u64 {
        PLAIN_JSON + JSON_GROWTH * COMPUTED_GROWTH * self.text()
    }

    /// A tag's value in JSON.
    fn shown(&self, definition: &TagDefinition) -> u64 {
        let labels = definition.labels();
        match definition {
            TagDefinition::Value { bands: None, .. } | TagDefinition::Manual { .. } => self.json_value(),
            _ => PLAIN_JSON + labels.iter().map(|label| JSON_GROWTH * label.len() as u64).max().unwrap_or(0),
        }
    }
}

/// The most panes that a series keeps.
fn panes(frame: Frame) -> u64 {
    match (frame.kept(), frame.grid) {
        (Frame { reach: Reach::Forever, .. }, Grid::Whole) => 1,
        (Frame { reach: Reach::Forever, .. }, Grid::Local(CalendarUnit::Day)) => DAYS_MAX,
        (kept, _) => kept.reach.width().min(DAYS_MAX) + 1,
    }
}
