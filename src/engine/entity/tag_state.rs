//! What a tag's state machine remembers of an entity, and its bytes.

use crate::engine::encoding::{ByteReader, StoredValue, TextSpan, put_timestamp, put_unsigned, put_value, put_word};
use crate::engine::program::{TagForm, TagStates};
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

/// Flags of a scored tag.
const HAS_SCORE: u8 = 1;
const IS_SHOWN: u8 = 2;

pub(super) fn encode_state(state: TagState, text: &str, out: &mut Vec<u8>) {
    match state {
        TagState::Off => {}
        TagState::Pending(since) => {
            out.push(PENDING);
            put_timestamp(out, since);
        }
        TagState::On { since, lapsed: None } => {
            out.push(ON);
            put_timestamp(out, since);
        }
        TagState::On { since, lapsed: Some(lapsed) } => {
            out.push(LAPSED);
            put_timestamp(out, since);
            put_unsigned(out, lapsed.since(since) as u64);
        }
        TagState::BandOrStage { since, index } => {
            out.push(BAND_OR_STAGE);
            put_timestamp(out, since);
            put_unsigned(out, u64::from(index));
        }
        TagState::Valued { since, value, ends: Timestamp::FOREVER } => {
            out.push(VALUED);
            put_timestamp(out, since);
            put_value(out, value, text);
        }
        TagState::Valued { since, value, ends } => {
            out.push(VALID);
            put_timestamp(out, since);
            put_timestamp(out, ends);
            put_value(out, value, text);
        }
        TagState::Scored(scored) => encode_scored(scored, out),
    }
}

fn encode_scored(Scored { at, of, score, shown }: Scored, out: &mut Vec<u8>) {
    out.push(SCORED);
    put_timestamp(out, at);
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

fn decode_scored(at: Timestamp, reader: &mut ByteReader<'_>) -> Scored {
    let (of, has) = (reader.word(), reader.byte());
    let score = (has & HAS_SCORE != 0).then(|| f64::from_bits(reader.word()));
    let shown = (has & IS_SHOWN != 0).then(|| {
        let since = at.plus(-(reader.unsigned() as i64));
        (since, reader.unsigned() as u16)
    });
    Scored { at, of, score, shown }
}

pub(super) fn decode_state(reader: &mut ByteReader<'_>, text: &mut String) -> TagState {
    let form = reader.byte();
    let since = reader.timestamp();
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
        SCORED => TagState::Scored(decode_scored(since, reader)),
        _ => TagState::Off,
    }
}

/// A value that a tag shows, and since when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ShownValue {
    pub since: Timestamp,
    pub value: StoredValue,
}

/// What a packed state shows; `None` where it shows nothing. Strings are appended to `text`.
pub(crate) fn shown_state(cell: &[u8], of: &TagStates, text: &mut String) -> Option<ShownValue> {
    let state = decode_state(&mut ByteReader::new(cell), text);
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

/// Appends the state of a retired tag that has come back: the value that it showed, until it is evaluated.
pub(crate) fn revived(shown: ShownValue, text: &str, to: &TagStates, out: &mut Vec<u8>) {
    let ShownValue { since, value } = shown;
    let mut cell = Vec::new();
    encode_state(TagState::Valued { since, value, ends: Timestamp::FOREVER }, text, &mut cell);
    restate(&cell, &TagStates { form: TagForm::Value, names: Vec::new() }, to, out);
}

/// Appends a tag's packed state as another catalog reads it. A state that the tag's new form does not have goes on as
/// the value that it showed, until the tag is evaluated.
pub(crate) fn restate(cell: &[u8], from: &TagStates, to: &TagStates, out: &mut Vec<u8>) {
    let mut text = String::new();
    let state = decode_state(&mut ByteReader::new(cell), &mut text);
    match state {
        TagState::Pending(_) if to.form == TagForm::Rule => return encode_state(state, &text, out),
        TagState::Scored(scored) if to.form == from.form => {
            if let Some(carried) = carried(scored, from, to) {
                return encode_scored(carried, out);
            }
        }
        _ => {}
    }
    let Some(ShownValue { since, value }) = shown_state(cell, from, &mut text) else { return };
    let place = match value {
        StoredValue::String(name) => to.index(name.of(&text)),
        _ => None,
    };
    let state = match (state, place) {
        (TagState::On { .. }, _) if to.form == TagForm::Rule => state,
        (TagState::Valued { .. }, _) if to.form == from.form => state,
        (_, Some(index)) => TagState::BandOrStage { since, index },
        _ if value == StoredValue::Bool(true) && to.form == TagForm::Rule => TagState::On { since, lapsed: None },
        _ => TagState::Valued { since, value, ends: Timestamp::FOREVER },
    };
    encode_state(state, &text, out);
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
