//! The programs of a catalog, one for each kind of entity.

use std::sync::Arc;

use super::streams::{Role, Streams};
use crate::engine::Program;

/// What the partitions of each kind of entity run.
#[derive(Clone, Debug)]
pub struct Programs {
    user: Arc<Program>,
    others: Vec<Arc<Program>>,
}

impl Programs {
    /// Those of the user's catalog that these streams need.
    pub fn new(user: &Arc<Program>, streams: &Streams) -> Self {
        let other = |role: Role| match role {
            Role::Merged(kind) if kind != user.kind => {
                Some(Program::of(Arc::clone(&user.catalog), kind, user.models.clone()))
            }
            _ => None,
        };
        Programs { user: Arc::clone(user), others: streams.iter().filter_map(|(_, plan)| other(plan.role)).collect() }
    }

    /// What the partitions of a stream run. One that only passes events on has no entities, and runs the user's.
    pub fn of(&self, role: Role) -> &Arc<Program> {
        match role {
            Role::Direct | Role::PassedOn => &self.user,
            Role::Merged(kind) => self.others.iter().find(|program| program.kind == kind).unwrap_or(&self.user),
        }
    }
}
