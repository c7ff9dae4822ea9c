//! A sparse list of panes in the order in which they leave; every windowed aggregate stands on it.

use std::marker::PhantomData;
use std::ops::ControlFlow;

use super::short_panes::ShortPanes;
use crate::engine::aggregate::{LiveWindow, Pane};
use crate::engine::encoding::{ByteReader, Deltas, put_decimal, put_unsigned, put_wide};
use crate::model::Decimal;

/// What a non-empty pane holds, and its bytes.
pub(crate) trait PaneValue: Copy {
    fn put(&self, out: &mut Vec<u8>);
    fn take(reader: &mut ByteReader<'_>) -> Self;
}

/// What the panes of a counter add up to, where it only falls until the next event.
pub(crate) trait Amount: PaneValue {
    /// What an amount of one is, in billionths.
    const UNIT: i128;

    /// `None` for an amount below zero: when its pane leaves the window, the counter rises.
    fn amount(&self) -> Option<i128>;

    /// Newer panes added up in their bytes; `None` where they have to be read one by one.
    fn add_up(_newer: &[u8]) -> Option<ShortPanes<'_>> {
        None
    }
}

/// The total of some panes; `None` where it may also rise.
pub(crate) fn falling<R: Amount>(panes: &[(Pane, R)]) -> Option<Decimal> {
    let total: Option<i128> = panes.iter().map(|(_, value)| value.amount()).sum();
    Some(Decimal::from_billionths(total? * R::UNIT))
}

/// Reads the bytes of panes: of each its number, where its value begins, and that.
#[derive(Debug)]
pub(crate) struct PaneReader<'a, R> {
    reader: ByteReader<'a>,
    len: usize,
    newest: Option<Pane>,
    values: PhantomData<R>,
}

impl<'a, R> PaneReader<'a, R> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        PaneReader { reader: ByteReader::new(bytes), len: bytes.len(), newest: None, values: PhantomData }
    }

    /// How many bytes it has not read.
    fn remaining(&self) -> usize {
        self.reader.remaining()
    }

    /// The bytes that it has not read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.reader.rest()
    }
}

impl<R: PaneValue> Iterator for PaneReader<'_, R> {
    type Item = (Pane, usize, R);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let pane = match self.newest {
            None => self.reader.signed(),
            Some(newest) => newest.wrapping_add(self.reader.unsigned() as i64),
        };
        self.newest = Some(pane);
        let at = self.len - self.reader.remaining();
        Some((pane, at, R::take(&mut self.reader)))
    }
}

/// The panes of a window, and those that have still to enter it, oldest first.
#[derive(Debug)]
pub(crate) struct WindowPanes<'a, R> {
    pub live: &'a [(Pane, R)],
    pub coming: &'a [(Pane, R)],
}

impl<R> WindowPanes<'_, R> {
    /// The first present pane in which one of these leaves the window, or another enters it.
    pub(crate) fn next_turn(&self, window: LiveWindow) -> Option<Pane> {
        let exit = self.live.first().and_then(|(pane, _)| window.frame.exit(*pane));
        exit.into_iter().chain(self.next_entry(window)).min()
    }

    pub(crate) fn next_entry(&self, window: LiveWindow) -> Option<Pane> {
        self.coming.first().map(|(pane, _)| window.frame.entry(*pane))
    }
}

/// What time does to a pane of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PaneTurn {
    Enters,
    Leaves,
}

/// Panes with their values, oldest first.
#[derive(Clone, Debug)]
pub(crate) struct Panes<R> {
    list: Vec<(Pane, R)>,
    decoded: Decoded,
}

/// What a list was decoded from, for encoding it again: most events change the newest pane only, or add one.
#[derive(Clone, Copy, Debug, Default)]
struct Decoded {
    /// How many panes the bytes have, or 0 where one before the newest of them has changed.
    panes: usize,
    /// How many of these have been dropped.
    dropped: usize,
    /// The length of the bytes, and of their last pane.
    len: usize,
    newest_len: usize,
}

impl Decoded {
    /// A pane of the list changes, or a new one is put in there.
    fn change(&mut self, index: usize, is_new: bool) {
        if index + self.dropped + usize::from(!is_new) < self.panes {
            self.panes = 0;
        }
    }

    /// How many panes at the front of the list are as in the bytes, for sure.
    fn kept(self) -> usize {
        self.panes.saturating_sub(self.dropped + 1)
    }
}

impl<R> Default for Panes<R> {
    fn default() -> Self {
        Panes { list: Vec::new(), decoded: Decoded::default() }
    }
}

impl<R: Copy> Panes<R> {
    pub(crate) fn clear(&mut self) {
        self.list.clear();
        self.decoded = Decoded::default();
    }

    /// The value of a pane, and whether it is new (made from `empty`). Most events fall into the newest pane.
    pub(crate) fn entry(&mut self, pane: Pane, empty: R) -> (&mut R, bool) {
        let newest = self.list.last().map(|(p, _)| *p);
        let (index, is_new) = match newest {
            Some(p) if p == pane => (self.list.len() - 1, false),
            Some(p) if p > pane => match self.list.binary_search_by_key(&pane, |(p, _)| *p) {
                Ok(index) => (index, false),
                Err(index) => (index, true),
            },
            _ => (self.list.len(), true),
        };
        self.decoded.change(index, is_new);
        if is_new {
            self.list.insert(index, (pane, empty));
        }
        (&mut self.list[index].1, is_new)
    }

    /// Drops the panes before `least`; whether there were any.
    pub(crate) fn prune(&mut self, least: Pane) -> bool {
        if self.list.first().is_none_or(|(pane, _)| *pane >= least) {
            return false;
        }
        let expired = self.list.iter().take_while(|(pane, _)| *pane < least).count();
        self.list.drain(..expired);
        self.decoded.dropped += expired;
        true
    }

    /// The panes from `least` on, oldest first.
    pub(crate) fn from(&self, least: Pane) -> &[(Pane, R)] {
        if self.list.first().is_none_or(|(pane, _)| *pane >= least) {
            return &self.list;
        }
        &self.list[self.list.partition_point(|(pane, _)| *pane < least)..]
    }

    /// The panes of a window, and those that have still to enter it.
    pub(crate) fn split(&self, window: LiveWindow) -> WindowPanes<'_, R> {
        let rest = self.from(window.least);
        if window.greatest == Pane::MAX {
            return WindowPanes { live: rest, coming: &[] };
        }
        let (live, coming) = rest.split_at(rest.partition_point(|(pane, _)| *pane <= window.greatest));
        WindowPanes { live, coming }
    }

    /// Follows the panes of a window while time passes and no event comes: at each present pane in which some of them
    /// enter or leave, `apply` gets each of these, and then `visit` is asked. Returns the present pane at which it breaks.
    pub(crate) fn follow<S>(
        &self,
        window: LiveWindow,
        state: &mut S,
        mut apply: impl FnMut(&mut S, &R, PaneTurn),
        mut visit: impl FnMut(&S) -> ControlFlow<()>,
    ) -> Option<Pane> {
        let (frame, all) = (window.frame, self.from(window.least));
        let (mut left, mut entered) = (0, self.split(window).live.len());
        loop {
            let exit = all[left..entered].first().and_then(|(pane, _)| frame.exit(*pane));
            let entry = all.get(entered).map(|(pane, _)| frame.entry(*pane));
            let turn = exit.into_iter().chain(entry).min()?;
            while let Some((pane, value)) = all.get(entered)
                && frame.entry(*pane) == turn
            {
                apply(state, value, PaneTurn::Enters);
                entered += 1;
            }
            while left < entered && frame.exit(all[left].0) == Some(turn) {
                apply(state, &all[left].1, PaneTurn::Leaves);
                left += 1;
            }
            if visit(state).is_break() {
                return Some(turn);
            }
        }
    }
}

impl<R: PaneValue> Panes<R> {
    /// Writes the panes up to the end of the cell. `old` ends with the bytes from which they were decoded, if they were.
    pub(crate) fn encode(&self, old: &[u8], out: &mut Vec<u8>) {
        let Some(((oldest, value), rest)) = self.list.split_first() else { return };
        let mut panes = Deltas::default();
        panes.put(out, *oldest);
        value.put(out);
        let kept = self.decoded.kept();
        if kept < 2 {
            return put_newer(panes, rest, out);
        }
        let old = &old[old.len() - self.decoded.len..];
        let mut reader = PaneReader::<R>::new(old);
        reader.nth(self.decoded.dropped);
        out.extend_from_slice(&old[old.len() - reader.remaining()..old.len() - self.decoded.newest_len]);
        put_newer(Deltas::after(self.list[kept - 1].0), &self.list[kept..], out);
    }

    pub(crate) fn decode(&mut self, reader: &mut ByteReader<'_>) {
        self.clear();
        let len = reader.remaining();
        let (mut panes, mut newest_len) = (PaneReader::new(reader.take(len)), 0);
        loop {
            let rest = panes.remaining();
            let Some((pane, _, value)) = panes.next() else { break };
            self.list.push((pane, value));
            newest_len = rest;
        }
        self.decoded = Decoded { panes: self.list.len(), dropped: 0, len, newest_len };
    }
}

/// Writes panes that follow an older one.
fn put_newer<R: PaneValue>(mut numbers: Deltas, panes: &[(Pane, R)], out: &mut Vec<u8>) {
    for (pane, value) in panes {
        numbers.put(out, *pane);
        value.put(out);
    }
}

/// A count of events.
impl PaneValue for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        put_unsigned(out, *self);
    }

    fn take(reader: &mut ByteReader<'_>) -> Self {
        reader.unsigned()
    }
}

impl Amount for u64 {
    const UNIT: i128 = Decimal::whole(1).billionths();

    fn amount(&self) -> Option<i128> {
        Some((*self).into())
    }

    fn add_up(newer: &[u8]) -> Option<ShortPanes<'_>> {
        ShortPanes::read(newer, 2)
    }
}

impl Amount for () {
    const UNIT: i128 = Decimal::whole(1).billionths();

    fn amount(&self) -> Option<i128> {
        Some(1)
    }

    fn add_up(newer: &[u8]) -> Option<ShortPanes<'_>> {
        ShortPanes::read(newer, 1)
    }
}

impl Amount for PaneTotal {
    const UNIT: i128 = 1;

    fn amount(&self) -> Option<i128> {
        (self.sum >= 0).then_some(self.sum)
    }
}

/// An active day: nothing beside the pane.
impl PaneValue for () {
    fn put(&self, _: &mut Vec<u8>) {}

    fn take(_: &mut ByteReader<'_>) -> Self {}
}

/// A least or greatest number.
impl PaneValue for Decimal {
    fn put(&self, out: &mut Vec<u8>) {
        put_decimal(out, *self);
    }

    fn take(reader: &mut ByteReader<'_>) -> Self {
        reader.decimal()
    }
}

/// A count of numbers, and their sum in billionths.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PaneTotal {
    pub count: u64,
    pub sum: i128,
}

/// What a sum in billionths is divided by before it is written, by the lowest two bits of what stands before it: most sums
/// are whole, or amounts of money.
const DIVISORS: [i64; 4] = [1, 100_000, 10_000_000, 1_000_000_000];

/// The count above the divisor's number, and the divided sum.
impl PaneValue for PaneTotal {
    fn put(&self, out: &mut Vec<u8>) {
        let (divisor, sum) = divided(self.sum);
        put_unsigned(out, self.count << 2 | divisor);
        put_wide(out, sum);
    }

    fn take(reader: &mut ByteReader<'_>) -> Self {
        let (head, sum) = (reader.unsigned(), reader.wide());
        PaneTotal { count: head >> 2, sum: sum.wrapping_mul(DIVISORS[head as usize & 3].into()) }
    }
}

/// The number of the greatest divisor without a rest, and the quotient.
fn divided(sum: i128) -> (u64, i128) {
    let Ok(small) = i64::try_from(sum) else { return (0, sum) };
    let place = if small % DIVISORS[2] == 0 {
        if small % DIVISORS[3] == 0 { 3 } else { 2 }
    } else if small % DIVISORS[1] == 0 {
        1
    } else {
        0
    };
    (place as u64, i128::from(small / DIVISORS[place]))
}

impl Panes<PaneTotal> {
    /// Reads sums as they were written before, each after the count, in billionths divided by `unit`.
    pub(crate) fn decode_long(&mut self, reader: &mut ByteReader<'_>, unit: i128) {
        self.clear();
        let mut panes = Deltas::default();
        while !reader.is_empty() {
            let (pane, count) = (panes.take(reader), reader.unsigned());
            self.list.push((pane, PaneTotal { count, sum: reader.wide().saturating_mul(unit) }));
        }
    }
}
