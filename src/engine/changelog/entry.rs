//! The entries of a segment: the state of one entity each, or its erasure.
//!
//! An entry begins with the length of the state (LEB128). Then:
//!
//! - if the length is not 0: when the entity is due, or an earlier instant where its timer has fired since and changed
//!   nothing (LEB128: 0 for never, else one more than the milliseconds since 1990-01-01T00:00:00Z), and the state, which
//!   begins with the key (see `EntityState`);
//! - if the length is 0: the length of the key (LEB128) and the key of an entity that was erased.

use super::error::ChangelogError;
use crate::engine::encoding::{put_unsigned, split_unsigned};
use crate::engine::entity::EntityState;
use crate::model::Timestamp;

/// The most bytes that an entry takes beside the state.
pub(crate) const ENTRY_HEAD_BYTES: usize = 3 + 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChangelogEntry<'a> {
    State { key: &'a str, due: Timestamp, packed: &'a [u8] },
    Erased { key: &'a str },
}

pub(crate) fn put_state(packed: &[u8], due: Timestamp, out: &mut Vec<u8>) {
    put_unsigned(out, packed.len() as u64);
    let due = if due == Timestamp::FOREVER { 0 } else { due.since(Timestamp::OLDEST_EVENT).max(0) as u64 + 1 };
    put_unsigned(out, due);
    out.extend_from_slice(packed);
}

pub(crate) fn put_erased(key: &str, out: &mut Vec<u8>) {
    out.push(0);
    put_unsigned(out, key.len() as u64);
    out.extend_from_slice(key.as_bytes());
}

impl<'a> ChangelogEntry<'a> {
    pub(crate) fn key(&self) -> &'a str {
        match self {
            ChangelogEntry::State { key, .. } | ChangelogEntry::Erased { key } => key,
        }
    }

    /// Takes the first entry off `bytes`; `None` where nothing is left.
    ///
    /// # Errors
    /// Bytes that are not an entry.
    pub(crate) fn take(bytes: &mut &'a [u8]) -> Result<Option<Self>, ChangelogError> {
        if bytes.is_empty() {
            return Ok(None);
        }
        take(bytes).map(Some).ok_or(ChangelogError::ChangelogEntry)
    }
}

fn take<'a>(bytes: &mut &'a [u8]) -> Option<ChangelogEntry<'a>> {
    let len = split_unsigned(bytes)?;
    if len == 0 {
        let key_len = split_unsigned(bytes)?;
        return Some(ChangelogEntry::Erased { key: key(split(bytes, key_len)?)? });
    }
    let due = match split_unsigned(bytes)? {
        0 => Timestamp::FOREVER,
        due => Timestamp::OLDEST_EVENT.plus(i64::try_from(due - 1).ok()?),
    };
    let packed = split(bytes, len)?;
    Some(ChangelogEntry::State { key: key(EntityState::key_of(packed))?, due, packed })
}

fn split<'a>(bytes: &mut &'a [u8], len: u64) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(usize::try_from(len).ok()?)?;
    *bytes = rest;
    Some(taken)
}

fn key(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|key| !key.is_empty())
}
