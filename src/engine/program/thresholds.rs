//! The bounds past which an event must move a counter to change a tag.
//!
//! Most conditions compare a counter with a number: `visits_30d >= 3`. An event that moves the counter from 4 to 5 turns
//! no such comparison. Each also holds at least as long as before, since a series that has grown is at every later
//! instant at least what it would have been without the event (see `monotonicity`). So where a tag reads a series in
//! such comparisons only, it has to be evaluated when an event moves the series past one of its bounds; until then its
//! due time is early enough. A bound of `until` matters while the tag is on.

use super::dirty_tags::TagsByState;
use super::monotonicity::GrowingSeries;
use super::plan::CounterPlan;
use crate::catalog::{Bands, Comparison, Condition, CounterId, Expr, TagDefinition, TimeName};
use crate::engine::aggregate::{Growth, Now, Pane, Readout};
use crate::model::{Decimal, Number, Timestamp, Value};

/// Clock terms are compared as they are with numbers up to this many units; beyond, their turns are searched for, far from
/// where milliseconds overflow.
pub(crate) const CLOCK_BOUND_MAX: f64 = 1e9;

/// Where a comparison turns while its number grows.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Edge<N> {
    /// At the bound, as `>=` and `<` do.
    Reached(N),
    /// Beyond it, as `>` and `<=` do.
    Passed(N),
}

impl<N: PartialOrd> Edge<N> {
    /// Whether a comparison differs between two numbers; `low` is not greater than `high`.
    fn is_between(&self, low: &N, high: &N) -> bool {
        match self {
            Edge::Reached(bound) => low < bound && bound <= high,
            Edge::Passed(bound) => low <= bound && bound < high,
        }
    }

    fn map<M>(self, convert: impl Fn(N) -> Option<M>) -> Option<Edge<M>> {
        Some(match self {
            Edge::Reached(bound) => Edge::Reached(convert(bound)?),
            Edge::Passed(bound) => Edge::Passed(convert(bound)?),
        })
    }

    /// `None`: `==` and `!=` turn at both sides of the bound, and may turn earlier after an event.
    fn of(op: Comparison, bound: N) -> Option<Self> {
        match op {
            Comparison::GreaterOrEqual | Comparison::Less => Some(Edge::Reached(bound)),
            Comparison::Greater | Comparison::LessOrEqual => Some(Edge::Passed(bound)),
            Comparison::Equal | Comparison::NotEqual => None,
        }
    }
}

/// A number that a tag compares, and where.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    Counter(CounterId, Edge<Decimal>),
    /// The time since the latest event, in units of this many milliseconds.
    Elapsed(f64, Edge<f64>),
}

/// The tags that depend on a series, by what an event has to do to it to change them.
#[derive(Clone, Debug, Default)]
pub struct Thresholds {
    /// They read it in another way than in comparisons with bounds.
    unbounded: Option<TagsByState>,
    bounds: Vec<(Bound, TagsByState)>,
}

impl Thresholds {
    /// Adds a tag that reads the series. `states`: the states in which growth of the series can change the tag by its
    /// `when`, or by all that it reads.
    pub(super) fn add(&mut self, place: usize, tag: &TagDefinition, series: &GrowingSeries<'_>, states: &TagsByState) {
        if let TagDefinition::Rule { when, until, .. } = tag {
            self.add_bounds(place, bounds_of_condition(when, series), states);
            if let Some(until) = until {
                // It is read while the tag is on.
                let mut on = states.none();
                on.insert_if_on(place);
                self.add_bounds(place, bounds_of_condition(until, series), &on);
            }
        } else {
            self.add_bounds(place, bounds_of(tag, series), states);
        }
    }

    /// `None`: the series is read in another way, too.
    fn add_bounds(&mut self, place: usize, bounds: Option<Vec<Bound>>, states: &TagsByState) {
        let Some(bounds) = bounds else {
            return self.unbounded.get_or_insert_with(|| states.none()).take_from(states, place);
        };
        for bound in bounds {
            let known = self.bounds.iter_mut().find(|(known, _)| *known == bound);
            match known {
                Some((_, tags)) => tags.take_from(states, place),
                None => {
                    let mut tags = states.none();
                    tags.take_from(states, place);
                    self.bounds.push((bound, tags));
                }
            }
        }
        // The value of a counter is found once for all of its bounds.
        self.bounds.sort_by_key(|(bound, _)| match bound {
            Bound::Counter(id, _) => id.0,
            Bound::Elapsed(..) => u16::MAX,
        });
    }

    /// Visits the tags that an event of this pane can change. `falling`: the value of the series in a window that begins
    /// with a pane, after the event was added, as [`Series::falling`] has it. `None`: the series is not one that only
    /// falls until the next event, so all tags that read it can change.
    ///
    /// [`Series::falling`]: crate::engine::aggregate::Series::falling
    pub(in crate::engine) fn visit_crossed(
        &self,
        growth: Growth,
        falling: impl Fn(Pane) -> Option<Decimal>,
        pane: Pane,
        now: Now,
        counters: &[CounterPlan],
        mut visit: impl FnMut(&TagsByState),
    ) -> Option<()> {
        self.unbounded.iter().for_each(&mut visit);
        let mut moved = Moved { counter: None, low: Decimal::ZERO, high: Decimal::ZERO };
        for (bound, tags) in &self.bounds {
            let is_crossed = match (bound, growth) {
                (Bound::Counter(id, edge), Growth::Step(step)) => {
                    if moved.counter != Some(*id) {
                        let plan = counters[usize::from(id.0)];
                        let least = now.least(plan.frame);
                        let high = falling(least)?;
                        let low = if pane >= least { high.minus(step)? } else { high };
                        moved = Moved { counter: Some(*id), low, high };
                    }
                    edge.is_between(&moved.low, &moved.high)
                }
                (Bound::Elapsed(unit_ms, edge), Growth::Later { before, after }) => {
                    let elapsed = |from: Timestamp| now.at.since(from) as f64 / unit_ms;
                    edge.is_between(&elapsed(after), &elapsed(before))
                }
                _ => true,
            };
            if is_crossed {
                visit(tags);
            }
        }
        Some(())
    }
}

/// The value of a counter before and after an event.
struct Moved {
    counter: Option<CounterId>,
    low: Decimal,
    high: Decimal,
}

/// The bounds with which a tag compares what it reads of a series; `None` where it reads it in another way, too.
fn bounds_of(tag: &TagDefinition, series: &GrowingSeries<'_>) -> Option<Vec<Bound>> {
    let mut bounds = Vec::new();
    match tag {
        TagDefinition::Score(_) | TagDefinition::Manual { .. } => return None,
        TagDefinition::Value { value, bands: Some(bands) } if is_number_of(&value.expr, series) => {
            for edge in edges(bands) {
                bounds.push(bound(&value.expr, edge, series)?);
            }
        }
        _ => {
            for condition in tag.conditions() {
                collect(&condition.expr, series, &mut bounds)?;
            }
        }
    }
    Some(bounds)
}

fn bounds_of_condition(condition: &Condition, series: &GrowingSeries<'_>) -> Option<Vec<Bound>> {
    let mut bounds = Vec::new();
    collect(&condition.expr, series, &mut bounds)?;
    Some(bounds)
}

fn collect(expr: &Expr, series: &GrowingSeries<'_>, bounds: &mut Vec<Bound>) -> Option<()> {
    if let Expr::Compare { op, sides, .. } = expr {
        for (op, number, literal) in [(*op, &sides[0], &sides[1]), (op.mirrored(), &sides[1], &sides[0])] {
            if let Expr::Literal(Value::Number(literal)) = literal
                && is_number_of(number, series)
            {
                let edge = match number {
                    Expr::Counter(_) => Edge::of(op.of_unsigned(*literal), *literal)?,
                    _ => Edge::of(op, *literal)?,
                };
                bounds.push(bound(number, edge, series)?);
                return Some(());
            }
        }
    }
    let mut is_bounded = match expr {
        Expr::Counter(id) => !series.is_read_by(*id),
        Expr::Time(of) | Expr::Since { of, .. } | Expr::Until { of, .. } | Expr::Calendar(_, of) => {
            !is_time_of(*of, series)
        }
        Expr::Between { from, to, .. } => !is_time_of(*from, series) && !is_time_of(*to, series),
        Expr::Has(x) => return keeps_value(x, series).then_some(()),
        _ => true,
    };
    expr.for_each_operand(|operand| is_bounded = is_bounded && collect(operand, series, bounds).is_some());
    is_bounded.then_some(())
}

/// Whether something that has a value keeps having one when the series grows.
fn keeps_value(expr: &Expr, series: &GrowingSeries<'_>) -> bool {
    match expr {
        Expr::Counter(id) | Expr::Time(TimeName::Counter(id)) if series.is_read_by(*id) => {
            let plan = series.counters[usize::from(id.0)];
            match plan.readout {
                Readout::Count | Readout::Sum | Readout::Distinct | Readout::Days => true,
                Readout::FirstOrLast => series.is_latest_time() && plan.frame.ago == 0,
                Readout::Average | Readout::Least | Readout::Greatest | Readout::Top => false,
            }
        }
        _ => true,
    }
}

fn is_time_of(of: TimeName, series: &GrowingSeries<'_>) -> bool {
    matches!(of, TimeName::Counter(id) if series.is_read_by(id))
}

/// Whether an expression is a number that bounds are known for: a counter that only falls until the next event, or the
/// time since the latest event.
fn is_number_of(expr: &Expr, series: &GrowingSeries<'_>) -> bool {
    match expr {
        Expr::Counter(id) if series.is_read_by(*id) => {
            let plan = series.counters[usize::from(id.0)];
            // Into a window of the past, events still come.
            let is_present = plan.frame.ago == 0;
            is_present && plan.readout.only_falls_if_positive()
        }
        Expr::Since { of, .. } => is_time_of(*of, series) && series.is_latest_time(),
        _ => false,
    }
}

/// `None` where the bound is no decimal, or too far.
fn bound(number: &Expr, edge: Edge<Number>, series: &GrowingSeries<'_>) -> Option<Bound> {
    match number {
        Expr::Counter(id) if series.is_read_by(*id) => Some(Bound::Counter(*id, edge.map(decimal)?)),
        Expr::Since { unit, .. } => {
            let near = |bound: Number| Some(bound.to_f64()).filter(|bound| bound.abs() <= CLOCK_BOUND_MAX);
            Some(Bound::Elapsed(unit.ms() as f64, edge.map(near)?))
        }
        _ => None,
    }
}

fn decimal(number: Number) -> Option<Decimal> {
    match number {
        Number::Decimal(decimal) => Some(decimal),
        Number::Integer(_) | Number::Double(_) => None,
    }
}

/// Every number at which a value passes from one band into another, whatever the present one is.
fn edges(bands: &Bands) -> Vec<Edge<Number>> {
    let last = bands.bounds.len() as u16;
    let plain = bands.bounds.iter().copied().map(Edge::Reached);
    let upward = (0..=last).filter_map(|band| bands.leaves_upward(band)).map(Edge::Reached);
    let downward = (0..=last).filter_map(|band| bands.leaves_downward(band)).map(Edge::Passed);
    plain.chain(upward).chain(downward).collect()
}
