//! What a tag's state machine remembers of an entity, and its bytes.

use crate::engine::encoding::{
    ByteReader, StoredValue, TextSpan, put_signed, put_timestamp, put_unsigned, put_value, put_word,
};
use crate::engine::program::{DirtyTag, TagForm, TagStates};
use crate::model::{Number, Timestamp};

/// What a tag's state machine remembers (spec 3).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum TagState {
    #[default]
    Off,
    /// `when` has held since this instant, but not yet for as long as `for` asks.
    Pending(Timestamp),
    /// A rule's tag is on; `lapsed`: since when its `when` has not held.
    On { since: Timestamp, lapsed: Option<Timestamp> },
    /// In the band or stage of this index.
    BandOrStage { since: Timestamp, index: u16 },
    /// A value without bands, or a value set by a command; `ends`: the end of its validity.
    Valued { since: Timestamp, value: StoredValue, ends: Timestamp },
    /// A score.
    Scored(Scored),
}

impl TagState {
    /// Whether what made a tag dirty cannot change it in this state.
    pub(crate) fn is_settled(self, dirty_tag: DirtyTag) -> bool {
        match self {
            TagState::Off => !dirty_tag.if_off,
            TagState::On { lapsed: None, .. } => !dirty_tag.if_on,
            _ => false,
        }
    }

    /// Since when the tag shows its value; `None` for one that shows nothing.
    pub(crate) fn since(self) -> Option<Timestamp> {
        match self {
            TagState::Off | TagState::Pending(_) => None,
            TagState::On { since, .. } | TagState::BandOrStage { since, .. } | TagState::Valued { since, .. } => {
                Some(since)
            }
            TagState::Scored(scored) => scored.shown.map(|(since, _)| since),
        }
    }
}

const PENDING: u8 = 1;
const ON: u8 = 2;
const LAPSED: u8 = 3;
const BAND_OR_STAGE: u8 = 4;
const VALUED: u8 = 5;
const VALID: u8 = 6;
const SCORED: u8 = 7;

/// The byte with which a state begins has its form in the lower bits; in the upper ones, how many tags before it have no
/// state, up to this many, which says that the rest of the number follows.
const FORM_BITS: u32 = 3;
const GAP_MAX: u16 = 31;

/// Flags of a scored tag.
const HAS_SCORE: u8 = 1;
const IS_SHOWN: u8 = 2;

/// Writes the states of an entity's tags, in the order of the tags' numbers.
#[derive(Debug, Default)]
pub(crate) struct StatesWriter {
    /// The least number that the next tag can have.
    next: u16,
    /// The instant of the state before.
    since: i64,
}

impl StatesWriter {
    /// Appends a state; nothing for [`TagState::Off`].
    pub(crate) fn put(&mut self, number: u16, state: TagState, text: &str, out: &mut Vec<u8>) {
        match state {
            TagState::Off => {}
            TagState::Pending(since) => self.begin(number, PENDING, since, out),
            TagState::On { since, lapsed: None } => self.begin(number, ON, since, out),
            TagState::On { since, lapsed: Some(lapsed) } => {
                self.begin(number, LAPSED, since, out);
                put_unsigned(out, lapsed.since(since) as u64);
            }
            TagState::BandOrStage { since, index } => {
                self.begin(number, BAND_OR_STAGE, since, out);
                put_unsigned(out, u64::from(index));
            }
            TagState::Valued { since, value, ends: Timestamp::FOREVER } => {
                self.begin(number, VALUED, since, out);
                put_value(out, value, text);
            }
            TagState::Valued { since, value, ends } => {
                self.begin(number, VALID, since, out);
                put_timestamp(out, ends);
                put_value(out, value, text);
            }
            TagState::Scored(scored) => {
                self.begin(number, SCORED, scored.at, out);
                put_scored(scored, out);
            }
        }
    }

    /// The form, the number and the instant: as the difference from that of the state before, which is often the same.
    fn begin(&mut self, number: u16, form: u8, since: Timestamp, out: &mut Vec<u8>) {
        let gap = number - self.next;
        out.push((gap.min(GAP_MAX) as u8) << FORM_BITS | form);
        if gap >= GAP_MAX {
            put_unsigned(out, u64::from(gap - GAP_MAX));
        }
        put_signed(out, since.ms().wrapping_sub(self.since));
        (self.next, self.since) = (number + 1, since.ms());
    }
}

/// Reads what [`StatesWriter`] wrote: the tags' numbers and states. Strings are appended to `text`.
pub(crate) fn visit_states(cell: &[u8], text: &mut String, mut visit: impl FnMut(u16, TagState)) {
    let mut reader = ByteReader::new(cell);
    let (mut next, mut since) = (0_u64, 0_i64);
    while !reader.is_empty() {
        let first = reader.byte();
        let mut gap = u64::from(first >> FORM_BITS);
        if gap == u64::from(GAP_MAX) {
            gap = gap.saturating_add(reader.unsigned());
        }
        let Ok(number) = u16::try_from(next.saturating_add(gap)) else { return };
        since = since.wrapping_add(reader.signed());
        visit(number, take_state(first & ((1 << FORM_BITS) - 1), Timestamp::from_ms(since), &mut reader, text));
        next = u64::from(number) + 1;
    }
}

/// The state of the tag with this number in what [`StatesWriter`] wrote.
pub(super) fn find_state(cell: &[u8], number: u16, text: &mut String) -> TagState {
    let mut found = TagState::Off;
    visit_states(cell, text, |known, state| {
        if known == number {
            found = state;
        }
    });
    found
}

/// Reads the state of one tag, as it was in a cell of its own before version 2 of the changelog.
pub(crate) fn read_single_state(cell: &[u8], text: &mut String) -> TagState {
    let mut reader = ByteReader::new(cell);
    let (form, since) = (reader.byte(), reader.timestamp());
    take_state(form, since, &mut reader, text)
}

#[inline]
fn take_state(form: u8, since: Timestamp, reader: &mut ByteReader<'_>, text: &mut String) -> TagState {
    match form {
        PENDING => TagState::Pending(since),
        ON => TagState::On { since, lapsed: None },
        LAPSED => TagState::On { since, lapsed: Some(since.plus(reader.unsigned() as i64)) },
        BAND_OR_STAGE => TagState::BandOrStage { since, index: reader.unsigned() as u16 },
        VALUED => TagState::Valued { since, value: reader.value(text), ends: Timestamp::FOREVER },
        VALID => {
            let ends = reader.timestamp();
            TagState::Valued { since, value: reader.value(text), ends }
        }
        SCORED => TagState::Scored(take_scored(since, reader)),
        _ => TagState::Off,
    }
}

/// Appends what follows the instant at which the model was asked.
fn put_scored(Scored { at, of, score, shown }: Scored, out: &mut Vec<u8>) {
    put_word(out, of);
    out.push(if score.is_some() { HAS_SCORE } else { 0 } | if shown.is_some() { IS_SHOWN } else { 0 });
    if let Some(score) = score {
        put_word(out, score.to_bits());
    }
    if let Some((since, index)) = shown {
        put_unsigned(out, at.since(since) as u64);
        put_unsigned(out, u64::from(index));
    }
}

fn take_scored(at: Timestamp, reader: &mut ByteReader<'_>) -> Scored {
    let (of, has) = (reader.word(), reader.byte());
    let score = (has & HAS_SCORE != 0).then(|| f64::from_bits(reader.word()));
    let shown = (has & IS_SHOWN != 0).then(|| {
        let since = at.plus(-(reader.unsigned() as i64));
        (since, reader.unsigned() as u16)
    });
    Scored { at, of, score, shown }
}

/// A value that a tag shows, and since when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ShownValue {
    pub since: Timestamp,
    pub value: StoredValue,
}

/// What a state shows; `None` where it shows nothing. The names of bands and stages are appended to `text`.
pub(crate) fn shown_state(state: TagState, of: &TagStates, text: &mut String) -> Option<ShownValue> {
    let value = match state {
        TagState::Off | TagState::Pending(_) => return None,
        TagState::On { .. } => StoredValue::Bool(true),
        TagState::Valued { value, .. } => value,
        TagState::Scored(Scored { shown: None, .. }) => return None,
        TagState::Scored(scored) if of.names.is_empty() => StoredValue::Number(Number::Double(scored.score?)),
        TagState::BandOrStage { index, .. } | TagState::Scored(Scored { shown: Some((_, index)), .. }) => {
            StoredValue::String(TextSpan::keep(text, of.names.get(usize::from(index))?))
        }
    };
    Some(ShownValue { since: state.since()?, value })
}

/// A scored tag's state under another catalog; `None` where that has no such band.
fn carried(scored: Scored, from: &TagStates, to: &TagStates) -> Option<Scored> {
    match scored.shown {
        Some((since, index)) if !from.names.is_empty() => {
            let index = to.index(from.names.get(usize::from(index))?)?;
            Some(Scored { shown: Some((since, index)), ..scored })
        }
        _ => Some(scored),
    }
}

/// The state of a retired tag that has come back: the value that it showed, until it is evaluated.
pub(crate) fn revived(shown: ShownValue, to: &TagStates, text: &mut String) -> TagState {
    let state = TagState::Valued { since: shown.since, value: shown.value, ends: Timestamp::FOREVER };
    restate(state, &TagStates { form: TagForm::Value, names: Vec::new() }, to, text)
}

/// A tag's state as another catalog reads it. A state that the tag's new form does not have goes on as the value that it
/// showed, until the tag is evaluated.
pub(crate) fn restate(state: TagState, from: &TagStates, to: &TagStates, text: &mut String) -> TagState {
    match state {
        TagState::Pending(_) if to.form == TagForm::Rule => return state,
        TagState::Scored(scored) if to.form == from.form => {
            if let Some(carried) = carried(scored, from, to) {
                return TagState::Scored(carried);
            }
        }
        _ => {}
    }
    let Some(ShownValue { since, value }) = shown_state(state, from, text) else { return TagState::Off };
    let place = match value {
        StoredValue::String(name) => to.index(name.of(text)),
        _ => None,
    };
    match (state, place) {
        (TagState::On { .. }, _) if to.form == TagForm::Rule => state,
        (TagState::Valued { .. }, _) if to.form == from.form => state,
        (_, Some(index)) => TagState::BandOrStage { since, index },
        _ if value == StoredValue::Bool(true) && to.form == TagForm::Rule => TagState::On { since, lapsed: None },
        _ => TagState::Valued { since, value, ends: Timestamp::FOREVER },
    }
}

/// What is remembered of a tag with a `score`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scored {
    /// When the model was asked.
    pub at: Timestamp,
    /// A digest of the model's input, without the clock.
    pub of: u64,
    /// Its answer; `None` where it had none.
    pub score: Option<f64>,
    /// Since when the tag has shown its value, and in which band; without bands the index is 0 and the value is the
    /// score.
    pub shown: Option<(Timestamp, u16)>,
}
