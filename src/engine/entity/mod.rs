//! One entity: its state unpacked for work, how it rests, and when it is due.
//!
//! | file | holds |
//! | --- | --- |
//! | [`index`] | from hashes to numbers |
//! | [`seen_ids`] | the ids of events that an entity remembers |
//! | [`state`] | an entity unpacked for work, and its bytes |
//! | [`store`] | entities at rest, as bytes |
//! | [`timers`] | when entities are due |
//! | [`due_groups`] | which of an entity's tags are due |
//! | [`reevaluation`] | when entities are evaluated again after the catalog has changed |

mod index;
mod seen_ids;
mod state;
mod store;
mod timers;
mod due_groups;
mod reevaluation;

pub(crate) use due_groups::{DueGroups, GroupDues};
pub(crate) use reevaluation::Reevaluation;
pub(crate) use seen_ids::{Acceptance, DedupRule, IdTally, SeenId};
pub(crate) use state::{
    EntityState, Lifespan, Scored, StateRewriter, StatesWriter, TagState, put_retired, read_single_state, restate,
    revived, shown_state, take_retired, visit_states,
};
pub(crate) use store::{EntityId, FETCHED, StateLocation, Store};
pub(crate) use timers::Timers;
