//! What the operator allows, once, for a partition that cannot go on by itself.
//!
//! Nothing is skipped or dropped silently, so a partition stops where records or its state are gone. Each way on loses
//! something. The operator chooses one for one partition, and names the offset at which it stands: the order does not
//! fit a later fault of the same partition, which stands at another offset.

use std::fmt;
use std::str::FromStr;

use super::discard::StateUse;

/// A partition, and an offset of it: `events/3@1200`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryPoint {
    pub topic: String,
    pub partition: i32,
    /// `None`, written `none`: the group has committed no offset.
    pub offset: Option<i64>,
}

impl fmt::Display for RecoveryPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RecoveryPoint { topic, partition, offset } = self;
        match offset {
            Some(offset) => write!(f, "{topic}/{partition}@{offset}"),
            None => write!(f, "{topic}/{partition}@none"),
        }
    }
}

impl FromStr for RecoveryPoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (partition, offset) = text.rsplit_once('@')?;
            let (topic, partition) = partition.rsplit_once('/')?;
            let partition = partition.parse().ok().filter(|partition| *partition >= 0)?;
            let offset = match offset {
                "none" => None,
                number => Some(number.parse().ok().filter(|offset| *offset >= 0)?),
            };
            (!topic.is_empty()).then(|| RecoveryPoint { topic: topic.to_owned(), partition, offset })
        };
        read().ok_or_else(|| "it has to be TOPIC/PARTITION@OFFSET, such as events/3@1200".to_owned())
    }
}

/// What the operator allows.
#[derive(Clone, Debug, Default)]
pub struct Recovery {
    /// The records from these offsets on are gone; the state goes on with the first that exists.
    pub accept_gap: Vec<RecoveryPoint>,
    /// The state of these partitions cannot be used, and the group stands at these offsets; what the input retains is
    /// counted again.
    pub recount: Vec<RecoveryPoint>,
    /// The same, but the partition begins empty at that offset.
    pub start_empty: Vec<RecoveryPoint>,
}

impl Recovery {
    /// All points that are named.
    pub fn points(&self) -> impl Iterator<Item = &RecoveryPoint> {
        self.accept_gap.iter().chain(&self.recount).chain(&self.start_empty)
    }

    /// What takes the place of the state of a partition that cannot be used.
    pub(crate) fn in_place_of_state(&self, point: &RecoveryPoint) -> Option<StateUse> {
        if self.recount.contains(point) {
            return Some(StateUse::Recount);
        }
        self.start_empty.contains(point).then_some(StateUse::StartEmpty)
    }

    pub(crate) fn accepts_gap(&self, point: &RecoveryPoint) -> bool {
        self.accept_gap.contains(point)
    }
}

#[cfg(test)]
mod tests {
    use super::RecoveryPoint;

    #[test]
    fn a_point_is_read_as_it_is_written() {
        for text in ["events/3@1200", "a.b-c_d/0@0", "events/12@none"] {
            assert_eq!(text.parse::<RecoveryPoint>().expect("a point").to_string(), text);
        }
        for text in
            ["", "events", "events/3", "events@3", "/3@4", "events/x@4", "events/3@", "events/3@-4", "events/-1@4"]
        {
            assert!(text.parse::<RecoveryPoint>().is_err(), "{text}");
        }
    }
}
