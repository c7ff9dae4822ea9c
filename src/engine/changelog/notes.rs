//! What the meta record says of a partition beside its clock and extent: small, and mostly nothing.
//!
//! Each note is a byte for its type, and its content. Notes of one type are neighbours.
//!
//! | byte | note |
//! | --- | --- |
//! | 0 | an entity that ended at the present instant: the hash of its key (8) |
//! | 1 | a series that has not seen all events: its meaning (*text*), its reach (as in a schema), since when it has seen all (*time*) |
//! | 2 | a tag whose changes wait for approval: its name (*text*) |
//! | 3 | the changelog is purged up to the segment of this number (LEB128) |
//! | 4 | entities are evaluated again after a change of the catalog: since when (*time*), over how many milliseconds (LEB128) |

use super::error::ChangelogError;
use crate::engine::encoding::{put_text, put_timestamp, put_unsigned, put_word, split_signed, split_unsigned};
use crate::engine::entity::Reevaluation;
use crate::engine::expr::PartialSeries;
use crate::engine::program::{put_reach, take_reach, take_text};
use crate::model::Timestamp;

const ENDED: u8 = 0;
const COVERAGE: u8 = 1;
const HELD: u8 = 2;
const PURGE: u8 = 3;
const REEVALUATION: u8 = 4;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    pub ended: Vec<u64>,
    pub coverage: Vec<PartialSeries>,
    pub held: Vec<Box<str>>,
    /// 0 where nothing is to be purged.
    pub purge_to: u64,
    pub reevaluation: Option<Reevaluation>,
}

impl Notes {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for hash in &self.ended {
            out.push(ENDED);
            put_word(out, *hash);
        }
        for PartialSeries { meaning, reach, since } in &self.coverage {
            out.push(COVERAGE);
            put_text(out, meaning);
            put_reach(*reach, out);
            put_timestamp(out, *since);
        }
        for name in &self.held {
            out.push(HELD);
            put_text(out, name);
        }
        if self.purge_to > 0 {
            out.push(PURGE);
            put_unsigned(out, self.purge_to);
        }
        if let Some(Reevaluation { since, over_ms }) = self.reevaluation {
            out.push(REEVALUATION);
            put_timestamp(out, since);
            put_unsigned(out, over_ms);
        }
    }

    /// # Errors
    /// Bytes that are not notes.
    pub(crate) fn read(mut bytes: &[u8]) -> Result<Self, ChangelogError> {
        let mut notes = Notes::default();
        while let Some((note_type, rest)) = bytes.split_first() {
            bytes = rest;
            notes.take(*note_type, &mut bytes).ok_or(ChangelogError::Notes)?;
        }
        Ok(notes)
    }

    fn take(&mut self, note_type: u8, bytes: &mut &[u8]) -> Option<()> {
        match note_type {
            ENDED => {
                let (hash, rest) = bytes.split_first_chunk()?;
                *bytes = rest;
                self.ended.push(u64::from_le_bytes(*hash));
            }
            COVERAGE => {
                let (meaning, reach) = (take_text(bytes)?, take_reach(bytes)?);
                let since = Timestamp::from_ms(split_signed(bytes)?);
                self.coverage.push(PartialSeries { meaning, reach, since });
            }
            PURGE => self.purge_to = split_unsigned(bytes)?,
            REEVALUATION => {
                let since = Timestamp::from_ms(split_signed(bytes)?);
                self.reevaluation = Some(Reevaluation { since, over_ms: split_unsigned(bytes)? });
            }
            HELD => self.held.push(take_text(bytes)?),
            _ => return None,
        }
        Some(())
    }
}
