//! What is written beside a committed offset: the transaction that wrote it, and the clock of what passes events on.
//!
//! Whoever only passes events on has no state but that clock, so this is where it is kept, by the same transaction as
//! everything else; and where the others find out how far it is.

use crate::model::Timestamp;

/// The note beside an offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OffsetNote<'a> {
    /// The transaction's name.
    pub transaction: &'a str,
    /// The partition's clock; only of those that pass events on.
    pub clock: Option<Timestamp>,
    /// What of it all merged partitions were told.
    pub told: Option<Timestamp>,
}

const CLOCK: &str = " clock ";
const TOLD: &str = " told ";

impl<'a> OffsetNote<'a> {
    pub fn write(&self) -> String {
        let mut text = self.transaction.to_owned();
        for (word, at) in [(CLOCK, self.clock), (TOLD, self.told)] {
            if let Some(at) = at {
                text.push_str(word);
                text.push_str(&at.ms().to_string());
            }
        }
        text
    }

    /// Reads what [`OffsetNote::write`] wrote, and of anything else as much as there is.
    pub fn read(text: &'a str) -> Self {
        let at = |word: &str| {
            let (_, rest) = text.split_once(word)?;
            rest.split(' ').next()?.parse().ok().map(Timestamp::from_ms)
        };
        let end = [CLOCK, TOLD].iter().filter_map(|word| text.find(word)).min().unwrap_or(text.len());
        OffsetNote { transaction: &text[..end], clock: at(CLOCK), told: at(TOLD) }
    }
}

#[cfg(test)]
mod tests {
    use super::OffsetNote;
    use crate::model::Timestamp;

    #[test]
    fn what_is_written_is_read() {
        let at = |ms| Some(Timestamp::from_ms(ms));
        for (clock, told) in [(None, None), (at(-5), None), (at(7), at(3)), (None, at(1))] {
            let note = OffsetNote { transaction: "tagstream 00ff 12", clock, told };
            assert_eq!(OffsetNote::read(&note.write()), note);
        }
        assert_eq!(OffsetNote::read(""), OffsetNote::default());
    }
}
