//! Ranges whose ends move while time passes: what is so at each instant of a stretch of time, and what at some.

use super::expression::Comparison;

/// Whether something is so at each instant of a stretch, and whether it may be at some. Of a single instant the two are
/// the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct May {
    pub each: bool,
    pub some: bool,
}

/// Values of one ordered type: all between two ends, of which is known between what they move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range<T> {
    /// Whether there are any.
    pub there: May,
    pub least: (T, T),
    pub greatest: (T, T),
    /// Whether all are whole numbers.
    pub whole: bool,
}

impl May {
    pub const NO: Self = Self { each: false, some: false };
    pub const YES: Self = Self { each: true, some: true };
    pub const UNCLEAR: Self = Self { each: false, some: true };

    pub fn is(so: bool) -> Self {
        Self { each: so, some: so }
    }

    pub fn or(self, other: Self) -> Self {
        Self { each: self.each || other.each, some: self.some || other.some }
    }

    pub fn and(self, other: Self) -> Self {
        Self { each: self.each && other.each, some: self.some && other.some }
    }

    fn not(self) -> Self {
        Self { each: !self.some, some: !self.each }
    }
}

impl<T: Copy + PartialOrd> Range<T> {
    pub fn new(least: T, greatest: T) -> Self {
        Self { there: May::YES, least: (least, least), greatest: (greatest, greatest), whole: false }
    }

    /// All between the ends of both; one that is not there has none.
    pub fn or(self, other: Self) -> Self {
        // An end of a range that may be missing bounds nothing.
        let sure = |a: T, b: T, nearer: fn(T, T) -> T, farther: fn(T, T) -> T| match (self.there.each, other.there.each)
        {
            (true, true) => nearer(a, b),
            (true, false) => a,
            (false, true) => b,
            (false, false) => farther(a, b),
        };
        let (a, b) = (self, other);
        Self {
            there: a.there.or(b.there),
            least: (less(a.least.0, b.least.0), sure(a.least.1, b.least.1, less, more)),
            greatest: (sure(a.greatest.0, b.greatest.0, more, less), more(a.greatest.1, b.greatest.1)),
            whole: a.whole && b.whole,
        }
    }

    /// Whether a comparison may hold, and whether it may fail; `common` tells whether there is a
    /// whole number between two ends.
    pub fn compared(&self, comparison: Comparison, other: &Self, common: impl Fn(T, T) -> bool) -> (May, May) {
        let (a, b) = (self, other);
        let overlap = || at_most(a.least, b.greatest).and(at_most(b.least, a.greatest));
        let narrow = || common(more(a.least.1, b.least.1), less(a.greatest.0, b.greatest.0));
        let wide = || common(more(a.least.0, b.least.0), less(a.greatest.1, b.greatest.1));
        let equal = || match a.whole || b.whole {
            true => overlap().and(May { each: narrow(), some: wide() }),
            false => overlap(),
        };
        match comparison {
            Comparison::Equal => (equal(), unequal(a, b)),
            Comparison::Unequal => (unequal(a, b), equal()),
            Comparison::Less => (below(a.least, b.greatest), at_most(b.least, a.greatest)),
            Comparison::LessOrEqual => (at_most(a.least, b.greatest), below(b.least, a.greatest)),
            Comparison::Greater => (below(b.least, a.greatest), at_most(a.least, b.greatest)),
            Comparison::GreaterOrEqual => (at_most(b.least, a.greatest), below(a.least, b.greatest)),
        }
    }
}

/// Whether the one moving end is below the other.
fn below<T: PartialOrd>(a: (T, T), b: (T, T)) -> May {
    May { each: a.1 < b.0, some: a.0 < b.1 }
}

fn at_most<T: PartialOrd>(a: (T, T), b: (T, T)) -> May {
    May { each: a.1 <= b.0, some: a.0 <= b.1 }
}

/// Whether the two are not one and the same value.
fn unequal<T: Copy + PartialOrd>(a: &Range<T>, b: &Range<T>) -> May {
    let same = at_most(a.greatest, b.least).and(at_most(b.greatest, a.least));
    same.not()
}

pub fn less<T: PartialOrd>(a: T, b: T) -> T {
    if b < a { b } else { a }
}

pub fn more<T: PartialOrd>(a: T, b: T) -> T {
    if b > a { b } else { a }
}
