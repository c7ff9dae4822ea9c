//! Counts with their thousands apart, and shares.

use std::fmt;

/// A count: `1,234,567`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve::page) struct Count(pub u64);

/// A number with its sign where it is not zero: `+12`, `−3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve::page) struct Signed(pub i64);

/// A share of a whole: `12.3%`; a dash of nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve::page) struct Share {
    pub part: u64,
    pub whole: u64,
}

impl Count {
    pub(in crate::serve::page) fn is_one(self) -> bool {
        self.0 == 1
    }
}

impl From<i64> for Count {
    fn from(count: i64) -> Self {
        Count(u64::try_from(count).unwrap_or(0))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.0 {
            0 => "",
            1.. => "+",
            _ => "−",
        };
        write!(f, "{sign}{}", Count(self.0.unsigned_abs()))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.whole == 0 {
            return f.write_str("–");
        }
        write!(f, "{:.1}%", 100.0 * self.part as f64 / self.whole as f64)
    }
}
