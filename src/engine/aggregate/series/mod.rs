//! What counters keep of an entity's events: one sparse series per counter, or one for several counters that differ
//! only in their window.
//!
//! | file | holds |
//! | --- | --- |
//! | `series_type` | what a series keeps, how it is written, and what counters read from it |
//! | `short_panes` | the bytes of panes whose numbers take a byte each |
//! | `panes` | a sparse list of panes: counts, sums, extremes, active days |
//! | `distinct` | distinct values by recency |
//! | `first_last` | the first and the last value |
//! | `top` | strings with their counts |
//! | `packed_series` | series to which an event is added in their bytes |

mod distinct;
mod first_last;
mod short_panes;
mod panes;
mod packed_series;
mod series_type;
mod top;

use std::ops::ControlFlow;

use crate::engine::aggregate::{Frame, LiveWindow, Pane};
use crate::engine::encoding::ByteReader;
use crate::model::{Decimal, Number, Scalar, Timestamp};
use distinct::Distinct;
use first_last::{Earliest, Latest};
pub(crate) use first_last::{packed_latest, put_latest};
pub(crate) use packed_series::PackedPanes;
pub(crate) use panes::{Amount, PaneTotal};
use panes::{PaneTurn, Panes, WindowPanes, falling};
pub(crate) use series_type::{Readout, SeriesForm, SeriesType};
use top::Top;

/// One series of one entity.
#[derive(Clone, Debug)]
pub(crate) enum Series {
    Counts(Panes<u64>),
    Sums(Panes<PaneTotal>),
    Least(Panes<Decimal>),
    Greatest(Panes<Decimal>),
    Days(Panes<()>),
    Distinct(Distinct),
    Latest(Latest),
    Earliest(Earliest),
    Top(Top),
}

impl Series {
    pub(crate) fn new(series_type: SeriesType, frame: Frame) -> Self {
        match series_type {
            SeriesType::Counts => Series::Counts(Panes::default()),
            SeriesType::Sums(_) => Series::Sums(Panes::default()),
            SeriesType::Least(_) => Series::Least(Panes::default()),
            SeriesType::Greatest(_) => Series::Greatest(Panes::default()),
            SeriesType::Days => Series::Days(Panes::default()),
            SeriesType::Distinct { .. } => Series::Distinct(Distinct::default()),
            SeriesType::Latest(_) => Series::Latest(Latest::default()),
            SeriesType::Earliest(_) => Series::Earliest(Earliest::default()),
            SeriesType::Top { .. } => Series::Top(Top::new(frame.slides())),
        }
    }

    pub(crate) fn clear(&mut self) {
        match self {
            Series::Counts(panes) => panes.clear(),
            Series::Sums(panes) => panes.clear(),
            Series::Least(panes) | Series::Greatest(panes) => panes.clear(),
            Series::Days(panes) => panes.clear(),
            Series::Distinct(distinct) => distinct.clear(),
            Series::Latest(latest) => latest.clear(),
            Series::Earliest(earliest) => earliest.clear(),
            Series::Top(top) => top.clear(),
        }
    }

    /// Drops the panes before `least`; whether there were any.
    pub(crate) fn prune(&mut self, least: Pane) -> bool {
        match self {
            Series::Counts(panes) => panes.prune(least),
            Series::Sums(panes) => panes.prune(least),
            Series::Least(panes) | Series::Greatest(panes) => panes.prune(least),
            Series::Days(panes) => panes.prune(least),
            Series::Distinct(distinct) => distinct.prune(least),
            Series::Latest(latest) => latest.prune(least),
            Series::Earliest(earliest) => earliest.prune(least),
            Series::Top(top) => top.prune(least),
        }
    }

    /// Appends the rest of a cell; `old` is the cell from which the series was decoded, if it was.
    pub(crate) fn encode(&self, old: &[u8], out: &mut Vec<u8>) {
        match self {
            Series::Counts(panes) => panes.encode(old, out),
            Series::Sums(panes) => panes.encode(old, out),
            Series::Least(panes) | Series::Greatest(panes) => panes.encode(old, out),
            Series::Days(panes) => panes.encode(old, out),
            Series::Distinct(distinct) => distinct.encode(out),
            Series::Latest(latest) => latest.encode(out),
            Series::Earliest(earliest) => earliest.encode(out),
            Series::Top(top) => top.encode(out),
        }
    }

    /// Replaces the content by the rest of a cell.
    pub(crate) fn decode(&mut self, reader: &mut ByteReader<'_>, pane_of: impl Fn(Timestamp) -> Pane) {
        match self {
            Series::Counts(panes) => panes.decode(reader),
            Series::Sums(panes) => panes.decode(reader),
            Series::Least(panes) | Series::Greatest(panes) => panes.decode(reader),
            Series::Days(panes) => panes.decode(reader),
            Series::Distinct(distinct) => distinct.decode(reader),
            Series::Latest(latest) => latest.decode(reader, pane_of),
            Series::Earliest(earliest) => earliest.decode(reader),
            Series::Top(top) => top.decode(reader),
        }
    }

    /// Replaces the content by the rest of a cell that an earlier version wrote.
    pub(crate) fn decode_earlier(&mut self, reader: &mut ByteReader<'_>, form: SeriesForm) {
        match (self, form) {
            (Series::Sums(panes), SeriesForm::First) => panes.decode_long(reader, 1_000),
            (Series::Sums(panes), _) => panes.decode_long(reader, 1),
            (Series::Top(top), _) => top.decode_first_form(reader),
            // No other type of series has been written in another form.
            (series, _) => series.clear(),
        }
    }
}

/// How an event moves a series whose counters it can move in one direction only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Growth {
    /// The counters of windows that hold the event's pane grow by at most this.
    Step(Decimal),
    /// The latest event is a later one.
    Later { before: Timestamp, after: Timestamp },
}

/// Adding events; each method returns whether the series has changed.
impl Series {
    /// How an event at a time will move the series; `None` where it may go either way.
    pub(crate) fn growth(&self, time: Timestamp) -> Option<Growth> {
        match self {
            Series::Counts(_) | Series::Days(_) | Series::Distinct(_) => Some(Growth::Step(Decimal::whole(1))),
            Series::Latest(latest) => Some(Growth::Later { before: latest.event_time()?, after: time }),
            _ => None,
        }
    }

    /// How a number will move the series.
    pub(crate) fn growth_by(&self, number: Decimal) -> Option<Growth> {
        let is_rise = matches!(self, Series::Sums(_)) && number >= Decimal::ZERO;
        is_rise.then_some(Growth::Step(number))
    }

    /// The value in a window that begins with `least`, of a counter that only falls until the next event; `None` where
    /// the value may also rise.
    pub(crate) fn falling(&self, least: Pane) -> Option<Decimal> {
        match self {
            Series::Counts(panes) => falling(panes.from(least)),
            Series::Days(panes) => falling(panes.from(least)),
            Series::Sums(panes) => falling(panes.from(least)),
            Series::Distinct(distinct) => Some(Decimal::whole(distinct.from(least).len() as i64)),
            _ => None,
        }
    }

    /// The pane with which a value as [`Series::falling`] finds it comes to be past something, when the panes leave the
    /// window one after the other.
    pub(crate) fn falls_until(&self, least: Pane, value: Decimal, is_past: impl Fn(Decimal) -> bool) -> Option<Pane> {
        let one = Decimal::whole(1);
        match self {
            Series::Counts(panes) => {
                let part = |(pane, count): &(Pane, u64)| (*pane, Decimal::whole(*count as i64));
                falls_until(panes.from(least), value, part, is_past)
            }
            Series::Days(panes) => falls_until(panes.from(least), value, |(pane, ())| (*pane, one), is_past),
            Series::Distinct(distinct) => falls_until(distinct.from(least), value, |(_, pane)| (*pane, one), is_past),
            Series::Sums(panes) => {
                let part = |(pane, total): &(Pane, PaneTotal)| (*pane, Decimal::from_billionths(total.sum));
                falls_until(panes.from(least), value, part, is_past)
            }
            _ => None,
        }
    }

    /// Adds an event, where only its pane matters.
    pub(crate) fn add_event(&mut self, pane: Pane) -> bool {
        match self {
            Series::Counts(panes) => {
                *panes.entry(pane, 0).0 += 1;
                true
            }
            Series::Days(panes) => panes.entry(pane, ()).1,
            _ => false,
        }
    }

    /// Adds a number within the magnitude that aggregates take.
    pub(crate) fn add_number(&mut self, pane: Pane, number: Decimal) -> bool {
        match self {
            Series::Sums(panes) => {
                let total = panes.entry(pane, PaneTotal::default()).0;
                total.count += 1;
                total.sum += number.billionths();
                true
            }
            Series::Least(panes) => {
                let (least, is_new) = panes.entry(pane, number);
                let lower = number < *least;
                *least = number.min(*least);
                is_new || lower
            }
            Series::Greatest(panes) => {
                let (greatest, is_new) = panes.entry(pane, number);
                let higher = number > *greatest;
                *greatest = number.max(*greatest);
                is_new || higher
            }
            _ => false,
        }
    }

    pub(crate) fn add_distinct(&mut self, hash: u64, pane: Pane, limit: u32) -> bool {
        match self {
            Series::Distinct(distinct) => distinct.add(hash, pane, limit),
            _ => false,
        }
    }

    pub(crate) fn add_first_or_last(&mut self, time: Timestamp, pane: Pane, value: Scalar<'_>) -> bool {
        match self {
            Series::Latest(latest) => latest.add(time, pane, value),
            Series::Earliest(earliest) => earliest.add(time, pane, value),
            _ => false,
        }
    }

    pub(crate) fn add_text(&mut self, text: &str, time: Timestamp, pane: Pane, limit: u32) -> bool {
        let Series::Top(top) = self else {
            return false;
        };
        top.add(text, time, pane, limit);
        true
    }
}

/// What incomplete counters need of their series.
impl Series {
    /// The number of active days from one day to another, both included.
    pub(crate) fn days_between(&self, first: Pane, last: Pane) -> usize {
        match self {
            Series::Days(panes) => panes.from(first).iter().take_while(|(pane, ())| *pane <= last).count(),
            _ => 0,
        }
    }

    /// The time of the latest event, if its pane counts.
    pub(crate) fn latest_time(&self, least: Pane) -> Option<Timestamp> {
        match self {
            Series::Latest(latest) => latest.time(least),
            _ => None,
        }
    }
}

/// The first pane with which a falling total is past something.
fn falls_until<R>(
    live: &[R],
    mut total: Decimal,
    part: impl Fn(&R) -> (Pane, Decimal),
    is_past: impl Fn(Decimal) -> bool,
) -> Option<Pane> {
    live.iter().map(part).find_map(|(pane, amount)| {
        total = total.minus(amount)?;
        is_past(total).then_some(pane)
    })
}

fn average(total: PaneTotal) -> Option<Number> {
    let sum = Decimal::from_billionths(total.sum);
    if total.count > 0 { Number::double(sum.to_f64() / total.count as f64) } else { None }
}

fn sum_of(panes: &[(Pane, PaneTotal)]) -> PaneTotal {
    panes.iter().fold(PaneTotal::default(), |sum, (_, total)| PaneTotal {
        count: sum.count + total.count,
        sum: sum.sum + total.sum,
    })
}

fn number_of(total: PaneTotal, readout: Readout) -> Option<Number> {
    match readout {
        Readout::Average => average(total),
        _ => Some(Number::Decimal(Decimal::from_billionths(total.sum))),
    }
}

impl Series {
    /// A counter's value in a window, and the next present pane in which it can be another although no event comes.
    pub(crate) fn read(&self, readout: Readout, window: LiveWindow) -> (Scalar<'_>, Option<Pane>) {
        let LiveWindow { frame, least, .. } = window;
        let exit = |pane: Pane| frame.exit(pane);
        match self {
            Series::Counts(panes) => {
                let split = panes.split(window);
                let count: u64 = split.live.iter().map(|(_, count)| count).sum();
                (Scalar::Number(Number::count(count)), split.next_turn(window))
            }
            Series::Sums(panes) => {
                let split = panes.split(window);
                let value = number_of(sum_of(split.live), readout).map_or(Scalar::Absent, Scalar::Number);
                (value, split.next_turn(window))
            }
            Series::Least(panes) => extreme(&panes.split(window), window, Decimal::min),
            Series::Greatest(panes) => extreme(&panes.split(window), window, Decimal::max),
            Series::Days(panes) => {
                let split = panes.split(window);
                (Scalar::Number(Number::count(split.live.len() as u64)), split.next_turn(window))
            }
            Series::Distinct(distinct) => {
                let live = distinct.from(least);
                (Scalar::Number(Number::count(live.len() as u64)), live.first().and_then(|(_, pane)| exit(*pane)))
            }
            Series::Latest(latest) => first_or_last(latest.get(least), exit),
            Series::Earliest(earliest) => first_or_last(earliest.get(least), exit),
            Series::Top(top) => match top.get(least) {
                Some((pane, text)) => (Scalar::String(text), exit(pane)),
                None => (Scalar::Absent, None),
            },
        }
    }

    /// Follows the value while pane after pane leaves or enters the window and no event comes: `visit` gets the value
    /// after each, until it breaks. Returns the present pane in which it did.
    ///
    /// Extremes, first and last values and tops stop at the first present pane that can change them, whatever `visit`
    /// says.
    pub(crate) fn follow(
        &self,
        readout: Readout,
        window: LiveWindow,
        mut visit: impl FnMut(Option<Number>) -> ControlFlow<()>,
    ) -> Option<Pane> {
        let sign = |turn| if turn == PaneTurn::Enters { 1 } else { -1 };
        match self {
            Series::Counts(panes) => {
                let mut count: i64 = panes.split(window).live.iter().map(|(_, count)| *count as i64).sum();
                let apply = |count: &mut i64, moved: &u64, turn| *count += sign(turn) * *moved as i64;
                panes.follow(window, &mut count, apply, |count| visit(Some(Number::count(*count as u64))))
            }
            Series::Sums(panes) => {
                let mut total = sum_of(panes.split(window).live);
                let apply = |total: &mut PaneTotal, moved: &PaneTotal, turn| match turn {
                    PaneTurn::Enters => {
                        total.count += moved.count;
                        total.sum += moved.sum;
                    }
                    PaneTurn::Leaves => {
                        total.count -= moved.count;
                        total.sum -= moved.sum;
                    }
                };
                panes.follow(window, &mut total, apply, |total| visit(number_of(*total, readout)))
            }
            Series::Days(panes) => {
                let mut days = panes.split(window).live.len() as i64;
                let apply = |days: &mut i64, (): &(), turn| *days += sign(turn);
                panes.follow(window, &mut days, apply, |days| visit(Some(Number::count(*days as u64))))
            }
            Series::Distinct(distinct) => {
                let live = distinct.from(window.least);
                let mut left = live.len();
                let turned = live.iter().find(|_| {
                    left -= 1;
                    visit(Some(Number::count(left as u64))).is_break()
                });
                turned.and_then(|(_, pane)| window.frame.exit(*pane))
            }
            _ => self.read(readout, window).1,
        }
    }
}

fn first_or_last<'a>(
    found: Option<(Pane, Scalar<'a>)>,
    exit: impl Fn(Pane) -> Option<Pane>,
) -> (Scalar<'a>, Option<Pane>) {
    match found {
        Some((pane, value)) => (value, exit(pane)),
        None => (Scalar::Absent, None),
    }
}

/// The extreme; it holds until the last pane that has it leaves, or another pane enters.
fn extreme(
    panes: &WindowPanes<'_, Decimal>,
    window: LiveWindow,
    pick: impl Fn(Decimal, Decimal) -> Decimal,
) -> (Scalar<'static>, Option<Pane>) {
    let entry = panes.next_entry(window);
    let Some(value) = panes.live.iter().map(|(_, number)| *number).reduce(pick) else {
        return (Scalar::Absent, entry);
    };
    let last = panes.live.iter().rev().find(|(_, number)| *number == value);
    let exit = last.and_then(|(pane, _)| window.frame.exit(*pane));
    (Scalar::Number(Number::Decimal(value)), exit.into_iter().chain(entry).min())
}
