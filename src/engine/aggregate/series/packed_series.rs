//! Series in their bytes: an event is added without decoding them, where it falls into the newest pane or a newer one.

use super::panes::{Amount, PaneReader, PaneTotal};
use super::series_type::SeriesType;
use super::short_panes::ShortPanes;
use crate::catalog::Source;
use crate::engine::aggregate::Pane;
use crate::engine::encoding::{ByteReader, put_signed, put_unsigned};
use crate::model::Decimal;

impl SeriesType {
    /// Whether events can be added to the bytes of the series.
    pub(crate) fn is_added_to_packed(self) -> bool {
        matches!(self, SeriesType::Counts | SeriesType::Days | SeriesType::Sums(_) | SeriesType::Latest(Source::Time))
    }
}

/// The panes of a cell, from the oldest that still counts.
#[derive(Debug)]
pub(crate) struct PackedPanes<'a, R> {
    cell: &'a [u8],
    kept: Option<KeptPanes<'a, R>>,
    /// Whether there are older panes.
    is_pruned: bool,
}

/// The panes that still count; there is at least one.
#[derive(Clone, Copy, Debug)]
struct KeptPanes<'a, R> {
    oldest: Pane,
    /// Where the oldest one's value begins in the cell.
    oldest_at: usize,
    newest: Pane,
    newest_at: usize,
    newest_value: R,
    total: i128,
    /// Whether an amount is below zero.
    may_rise: bool,
    /// Those after the oldest one, where they can be read from their end.
    newer: Option<ShortPanes<'a>>,
}

impl<'a, R: Amount> KeptPanes<'a, R> {
    /// The oldest pane, where its value begins and that, with those after it.
    fn with_short(cell: &[u8], (oldest, oldest_at, value): (Pane, usize, R), newer: ShortPanes<'a>) -> Self {
        let newest_at = newer.newest_len().map_or(oldest_at, |len| cell.len() - len);
        KeptPanes {
            oldest,
            oldest_at,
            newest: oldest + newer.distance,
            newest_at,
            newest_value: R::take(&mut ByteReader::new(&cell[newest_at..])),
            total: value.amount().unwrap_or_default() + newer.total,
            may_rise: value.amount().is_none(),
            newer: Some(newer),
        }
    }

    /// The same for panes that are read one by one.
    fn with_each((oldest, oldest_at, value): (Pane, usize, R), newer: PaneReader<'a, R>) -> Self {
        let (mut total, mut may_rise) = (0, false);
        let mut add = |value: R| match value.amount() {
            Some(amount) => total += amount,
            None => may_rise = true,
        };
        add(value);
        let (mut newest, mut newest_at, mut newest_value) = (oldest, oldest_at, value);
        for (pane, at, value) in newer {
            add(value);
            (newest, newest_at, newest_value) = (pane, at, value);
        }
        KeptPanes { oldest, oldest_at, newest, newest_at, newest_value, total, may_rise, newer: None }
    }
}

impl<'a, R: Amount> PackedPanes<'a, R> {
    /// Reads a cell, in which panes before `least` no longer count.
    pub(crate) fn read(cell: &'a [u8], least: Pane) -> Self {
        let mut panes = PaneReader::new(cell);
        let (mut oldest, mut is_pruned) = (panes.next(), false);
        while let Some((pane, ..)) = oldest
            && pane < least
        {
            (oldest, is_pruned) = (panes.next(), true);
        }
        let Some((pane, at, value)) = oldest else { return PackedPanes { cell, kept: None, is_pruned } };
        let kept = match R::add_up(panes.rest()) {
            Some(newer) => KeptPanes::with_short(cell, (pane, at, value), newer),
            None => KeptPanes::with_each((pane, at, value), panes),
        };
        PackedPanes { cell, kept: Some(kept), is_pruned }
    }

    /// Whether there are panes that no longer count.
    pub(crate) fn is_pruned(&self) -> bool {
        self.is_pruned
    }

    /// The newest pane that counts.
    pub(crate) fn newest(&self) -> Option<Pane> {
        self.kept.map(|kept| kept.newest)
    }

    /// As [`Series::falling`](super::Series::falling).
    pub(crate) fn falling(&self, least: Pane) -> Option<Decimal> {
        let Some(kept) = self.kept else { return Some(Decimal::ZERO) };
        if kept.oldest >= least {
            return (!kept.may_rise).then_some(Decimal::from_billionths(kept.total * R::UNIT));
        }
        if let Some(newer) = kept.newer {
            return Some(Decimal::from_billionths(newer.total_from(least, kept.newest) * R::UNIT));
        }
        let counted = PaneReader::new(self.cell).skip_while(|(pane, ..)| *pane < least);
        let total: Option<i128> = counted.map(|(.., value): (_, _, R)| value.amount()).sum();
        Some(Decimal::from_billionths(total? * R::UNIT))
    }

    /// Appends the cell without the panes that no longer count, and with what `add` makes of a pane that is not older than
    /// the newest one. A new pane is made from `empty`.
    fn put_with(&self, pane: Pane, empty: R, add: impl FnOnce(R) -> R, out: &mut Vec<u8>) {
        let Some(kept) = self.kept else {
            put_signed(out, pane);
            return add(empty).put(out);
        };
        let from = if self.is_pruned {
            put_signed(out, kept.oldest);
            kept.oldest_at
        } else {
            0
        };
        if pane == kept.newest {
            out.extend_from_slice(&self.cell[from..kept.newest_at]);
            return add(kept.newest_value).put(out);
        }
        out.extend_from_slice(&self.cell[from..]);
        put_unsigned(out, (pane - kept.newest) as u64);
        add(empty).put(out);
    }
}

impl PackedPanes<'_, u64> {
    /// Appends the cell with another event.
    pub(crate) fn put_event(&self, pane: Pane, out: &mut Vec<u8>) {
        self.put_with(pane, 0, |count| count + 1, out);
    }
}

impl PackedPanes<'_, PaneTotal> {
    /// Appends the cell with another number.
    pub(crate) fn put_number(&self, pane: Pane, number: Decimal, out: &mut Vec<u8>) {
        let add = |total: PaneTotal| PaneTotal { count: total.count + 1, sum: total.sum + number.billionths() };
        self.put_with(pane, PaneTotal::default(), add, out);
    }
}

impl PackedPanes<'_, ()> {
    /// Appends the cell with another active day.
    pub(crate) fn put_day(&self, pane: Pane, out: &mut Vec<u8>) {
        self.put_with(pane, (), |()| (), out);
    }
}
