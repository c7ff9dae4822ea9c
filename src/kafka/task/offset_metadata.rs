//! The text beside a committed offset: the transaction that wrote it, and the clock of a partition that forwards
//! events.
//!
//! A partition that only forwards events has no state but that clock. So the clock is stored here, by the same
//! transaction as everything else, and here the other members read how far the partition is. The number of forwarded
//! bytes that are ahead stands here too, so that the next owner does not begin to count at zero.
//!
//! The id of the topic tells whether the offset is one of the topic that has its name now. Notes of older versions have
//! none.

use crate::kafka::broker::TopicUuid;
use crate::model::Timestamp;

/// What stands beside an offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OffsetMetadata<'a> {
    /// The transaction's name.
    pub transaction: &'a str,
    /// The partition's clock; only of partitions that forward events.
    pub clock: Option<Timestamp>,
    /// The watermark that all merged partitions have got from it.
    pub announced: Option<Timestamp>,
    /// Forwarded bytes that may be ahead of the other sources.
    pub ahead: usize,
    /// The topic in which the offset is; `None`: it is not known.
    pub topic: Option<TopicUuid>,
}

const CLOCK: &str = " clock ";
const TOLD: &str = " told ";
const AHEAD: &str = " ahead ";
const TOPIC: &str = " topic ";

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
        if let Some(TopicUuid(id)) = self.topic {
            text.push_str(TOPIC);
            text.push_str(&format!("{id:032x}"));
        }
        text
    }

    /// Reads what [`OffsetMetadata::write`] wrote; of any other text, as much as can be read.
    pub(crate) fn read(text: &'a str) -> Self {
        let number = |word: &str| -> Option<i64> {
            let (_, rest) = text.split_once(word)?;
            rest.split(' ').next()?.parse().ok()
        };
        let at = |word: &str| number(word).map(Timestamp::from_ms);
        let ahead = number(AHEAD).and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or_default();
        let topic = text.split_once(TOPIC).and_then(|(_, rest)| u128::from_str_radix(rest.split(' ').next()?, 16).ok());
        let end = [CLOCK, TOLD, AHEAD, TOPIC].iter().filter_map(|word| text.find(word)).min().unwrap_or(text.len());
        OffsetMetadata {
            transaction: &text[..end],
            clock: at(CLOCK),
            announced: at(TOLD),
            ahead,
            topic: topic.map(TopicUuid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::OffsetMetadata;
    use crate::kafka::broker::TopicUuid;
    use crate::model::Timestamp;

    #[test]
    fn what_is_written_is_read() {
        let at = |ms| Some(Timestamp::from_ms(ms));
        let topics = [None, Some(TopicUuid(7)), Some(TopicUuid(u128::MAX))];
        for (clock, announced, ahead) in [(None, None, 0), (at(-5), None, 9), (at(7), at(3), 1 << 40), (None, at(1), 0)]
        {
            for topic in topics {
                let note = OffsetMetadata { transaction: "tagstream 00ff 12", clock, announced, ahead, topic };
                assert_eq!(OffsetMetadata::read(&note.write()), note);
            }
        }
        assert_eq!(OffsetMetadata::read(""), OffsetMetadata::default());
    }
}
