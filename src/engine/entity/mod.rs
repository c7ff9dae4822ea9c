//! One entity: its state unpacked for work, how it rests, and when it is due.
//!
//! | file | holds |
//! | --- | --- |
//! | [`tag_state`] | what a tag's state machine remembers, and its bytes |
//! | [`entity_tags`] | the states of all tags of an unpacked entity |
//! | [`lifespan`] | between when an entity was heard of, and its bytes |
//! | [`index`] | from hashes to numbers |
//! | [`seen_ids`] | the ids of events that an entity remembers |
//! | [`cell`] | the cells of an entity, and where their content is |
//! | [`state`] | an entity unpacked for work |
//! | [`store`] | entities at rest, as bytes |
//! | [`timers`] | when entities are due |
//! | [`due_groups`] | which of an entity's tags are due |
//! | [`reevaluation`] | when entities are evaluated again after the catalog has changed |

mod tag_state;
mod entity_tags;
mod lifespan;
mod index;
mod seen_ids;
mod cell;
mod state;
mod store;
mod timers;
mod due_groups;
mod reevaluation;

pub(crate) use due_groups::{DueGroups, GroupDues};
pub(crate) use lifespan::Lifespan;
pub(crate) use reevaluation::Reevaluation;
pub(crate) use seen_ids::{Acceptance, DedupRule, IdTally, SeenId};
pub(crate) use state::{EntityState, put_retired, take_retired};
pub(crate) use store::{EntityId, FETCHED, StateLocation, Store};
pub(crate) use tag_state::{
    Scored, StatesWriter, TagState, read_single_state, restate, revived, shown_state, visit_states,
};
pub(crate) use timers::Timers;
