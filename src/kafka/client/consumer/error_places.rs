//! Where librdkafka's positions are not to be believed: after an error of a partition.
//!
//! When a batch is taken that holds an error of a partition, librdkafka 2.12 moves the partition's position behind the
//! offset at which the error is, as if there had been a record. That record, if there is one, was not taken.

use std::collections::BTreeMap;

use crate::kafka::topology::PartitionId;

/// The offset of the last error of each partition, until a record from there on was taken.
#[derive(Debug, Default)]
pub(super) struct ErrorPlaces {
    places: BTreeMap<PartitionId, i64>,
}

impl ErrorPlaces {
    /// An error of a partition was taken. (Errors that are not about an offset have a negative one.)
    pub(super) fn note_error(&mut self, partition: PartitionId, offset: i64) {
        if offset >= 0 {
            self.places.insert(partition, offset);
        }
    }

    /// A record was taken.
    pub(super) fn note_record(&mut self, partition: PartitionId, offset: i64) {
        if !self.places.is_empty() && self.places.get(&partition).is_some_and(|place| offset >= *place) {
            self.places.remove(&partition);
        }
    }

    /// A partition is not fetched any more, or from another offset on.
    pub(super) fn forget(&mut self, partition: PartitionId) {
        self.places.remove(&partition);
    }

    /// What a position of the client means.
    pub(super) fn correct(&self, partition: PartitionId, position: i64) -> i64 {
        match self.places.get(&partition) {
            Some(place) if position == place + 1 => *place,
            _ => position,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::topology::TopicId;

    const P: PartitionId = PartitionId { topic: TopicId(0), number: 3 };

    #[test]
    fn a_position_behind_an_error_is_the_errors() {
        let mut places = ErrorPlaces::default();
        places.note_error(P, 10);
        assert_eq!(places.correct(P, 11), 10);
        assert_eq!(places.correct(P, 15), 15, "it has gone on");
        assert_eq!(places.correct(PartitionId { number: 4, ..P }, 11), 11);
    }

    #[test]
    fn it_ends_with_the_first_record_from_there_on() {
        let mut places = ErrorPlaces::default();
        places.note_error(P, 10);
        places.note_record(P, 9);
        assert_eq!(places.correct(P, 11), 10);
        places.note_record(P, 10);
        assert_eq!(places.correct(P, 11), 11);
    }

    #[test]
    fn an_error_that_is_not_about_an_offset_moves_nothing() {
        let mut places = ErrorPlaces::default();
        places.note_error(P, -1_001);
        assert_eq!(places.correct(P, -1_000), -1_000);
    }
}
