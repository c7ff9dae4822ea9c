//! The programs of a catalog, one for each kind of entity.

use std::sync::Arc;

use super::streams::Role;
use crate::engine::Program;

/// What the partitions of each kind of entity run.
#[derive(Clone, Debug)]
pub struct Programs {
    user: Arc<Program>,
}

impl Programs {
    pub fn new(user: Arc<Program>) -> Self {
        Programs { user }
    }

    /// What the partitions of a stream run. One that only passes events on runs nothing, under the user's program.
    pub fn of(&self, role: Role) -> &Arc<Program> {
        match role {
            Role::Direct | Role::PassedOn | Role::Merged(_) => &self.user,
        }
    }
}
