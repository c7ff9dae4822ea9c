//! What comes before the cells in an entity's bytes.

use std::ops::Range;

use super::lifespan::Lifespan;
use crate::engine::encoding::ByteReader;

/// What comes before the cells in packed bytes.
pub(super) struct StateHead {
    pub key: Range<usize>,
    pub seq: u64,
    pub lifespan: Lifespan,
    pub len: usize,
}

impl StateHead {
    pub(super) fn read(packed: &[u8]) -> Self {
        let mut reader = ByteReader::new(packed);
        let key_len = reader.unsigned() as usize;
        let key_start = packed.len() - reader.remaining();
        reader.take(key_len);
        let (seq, lifespan) = (reader.unsigned(), Lifespan::read(&mut reader));
        StateHead { key: key_start..key_start + key_len, seq, lifespan, len: packed.len() - reader.remaining() }
    }
}
