//! What is written beside a committed offset: the transaction that wrote it, and the clock of what passes events on.
//!
//! Whoever only passes events on has no state but that clock, so this is where it is kept, by the same transaction as
//! everything else; and where the others find out how far it is. How much of it waits stands here too, for whoever goes
//! on with it: every owner would otherwise let as much wait anew.

use crate::model::Timestamp;

/// The note beside an offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OffsetMetadata<'a> {
    /// The transaction's name.
    pub transaction: &'a str,
    /// The partition's clock; only of those that pass events on.
    pub clock: Option<Timestamp>,
    /// What of it all merged partitions were told.
    pub announced: Option<Timestamp>,
    /// Bytes of it that may be ahead of the other sources.
    pub ahead: usize,
}

const CLOCK: &str = " clock ";
const TOLD: &str = " told ";
const AHEAD: &str = " ahead ";

impl<'a> OffsetMetadata<'a> {
    pub(crate) fn write(&self) -> String {
        let ms = |at: Option<Timestamp>| at.map(Timestamp::ms);
        let ahead = (self.ahead > 0).then_some(self.ahead as i64);
        let mut text = self.transaction.to_owned();
        for (word, number) in [(CLOCK, ms(self.clock)), (TOLD, ms(self.announced)), (AHEAD, ahead)] {
            if let Some(number) = number {
                text.push_str(word);
                text.push_str(&number.to_string());
            }
        }
        text
    }

    /// Reads what [`OffsetMetadata::write`] wrote, and of anything else as much as there is.
    pub(crate) fn read(text: &'a str) -> Self {
        let number = |word: &str| -> Option<i64> {
            let (_, rest) = text.split_once(word)?;
            rest.split(' ').next()?.parse().ok()
        };
        let at = |word: &str| number(word).map(Timestamp::from_ms);
        let ahead = number(AHEAD).and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or_default();
        let end = [CLOCK, TOLD, AHEAD].iter().filter_map(|word| text.find(word)).min().unwrap_or(text.len());
        OffsetMetadata { transaction: &text[..end], clock: at(CLOCK), announced: at(TOLD), ahead }
    }
}

#[cfg(test)]
mod tests {
    use super::OffsetMetadata;
    use crate::model::Timestamp;

    #[test]
    fn what_is_written_is_read() {
        let at = |ms| Some(Timestamp::from_ms(ms));
        for (clock, announced, ahead) in [(None, None, 0), (at(-5), None, 9), (at(7), at(3), 1 << 40), (None, at(1), 0)]
        {
            let note = OffsetMetadata { transaction: "tagstream 00ff 12", clock, announced, ahead };
            assert_eq!(OffsetMetadata::read(&note.write()), note);
        }
        assert_eq!(OffsetMetadata::read(""), OffsetMetadata::default());
    }
}
