//! What the meta record says of the world around a partition: the topics as they were, and the rollout of its catalog.
//!
//! # Format
//! Facts in any order. Each is a byte for its type, the length of its content (4) and the content. A type that is not
//! known is passed over.
//!
//! | byte | content |
//! | --- | --- |
//! | 1 | a topic that is read or written: its id (16; zeros: not known), its number of partitions (4), its name (UTF-8) |
//! | 2 | how far the rollout of the catalog is: see `rollout_note` |

use std::collections::BTreeMap;

use super::changelog::FieldReader;
use super::rollout_note::RolloutNote;

const TOPIC: u8 = 1;
const ROLLOUT: u8 = 2;

/// A topic as the brokers knew it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicFacts {
    /// The id that it got when it was created; `None`: it is not known.
    pub id: Option<u128>,
    pub partitions: i32,
}

/// What a partition notes beside its position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionFacts {
    /// By name.
    pub topics: BTreeMap<String, TopicFacts>,
    /// `None`: the catalog has come into force without a rollout.
    pub rollout: Option<RolloutNote>,
}

impl PartitionFacts {
    /// Appends the bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        for (name, TopicFacts { id, partitions }) in &self.topics {
            put(TOPIC, out, |out| {
                out.extend_from_slice(&id.unwrap_or_default().to_le_bytes());
                out.extend_from_slice(&partitions.to_le_bytes());
                out.extend_from_slice(name.as_bytes());
            });
        }
        if let Some(note) = &self.rollout {
            put(ROLLOUT, out, |out| note.write(out));
        }
    }

    /// Reads what [`PartitionFacts::write`] wrote. `None`: the bytes are damaged.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = FieldReader(bytes);
        let mut facts = PartitionFacts::default();
        while !fields.0.is_empty() {
            let [fact] = fields.array()?;
            let len = fields.u32()?;
            let content = fields.take(len as usize)?;
            match fact {
                TOPIC => {
                    let (name, topic) = topic(content)?;
                    facts.topics.insert(name, topic);
                }
                ROLLOUT => facts.rollout = Some(RolloutNote::read(content)?),
                _ => {}
            }
        }
        Some(facts)
    }
}

fn topic(content: &[u8]) -> Option<(String, TopicFacts)> {
    let mut fields = FieldReader(content);
    let id = Some(u128::from_le_bytes(fields.array()?)).filter(|id| *id != 0);
    let partitions = i32::from_le_bytes(fields.array()?);
    let name = String::from_utf8(fields.0.to_vec()).ok()?;
    Some((name, TopicFacts { id, partitions }))
}

fn put(fact: u8, out: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    out.push(fact);
    let length = out.len();
    out.extend_from_slice(&[0; 4]);
    content(out);
    let written = (out.len() - length - 4) as u32;
    out[length..length + 4].copy_from_slice(&written.to_le_bytes());
}
