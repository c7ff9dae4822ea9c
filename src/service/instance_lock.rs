//! One process per instance on a machine: a second one ends before it takes the first one's place in the group.
//!
//! A static member that joins takes the place of the member with the same name, and the brokers end that one. They cannot
//! tell a process that returns from a second one beside it, so the machine decides: a process holds a lock on a file for as
//! long as it lives, and the system releases the lock whenever the process ends. On another machine, or in a container with
//! a file system of its own, the file is another one, and the brokers' rule holds: the newer process takes over.

use std::fs::{File, TryLockError};
use std::path::PathBuf;

use xxhash_rust::xxh3::xxh3_64;

use crate::settings::{Instance, Settings};

/// Held until the process ends.
pub(super) struct InstanceLock {
    _file: Option<File>,
}

/// Another process of this machine has the name.
#[derive(Debug, thiserror::Error)]
#[error(
    "another process on this machine already runs as instance \"{instance}\" of application \"{application}\": give each \
     process its own service.instance, or omit it (lock file {})", path.display()
)]
pub struct InstanceTaken {
    instance: String,
    application: String,
    path: PathBuf,
}

impl InstanceLock {
    /// Takes the lock, where the operator has named the instance. Without a place for the file there is no lock, and the
    /// brokers' rule holds.
    ///
    /// # Errors
    /// Another process has it.
    pub(super) fn take(settings: &Settings) -> Result<Self, InstanceTaken> {
        let Instance::Named(instance) = &settings.service.instance else { return Ok(InstanceLock { _file: None }) };
        let path = path(settings, instance);
        let file = match File::options().create(true).truncate(false).write(true).open(&path) {
            Ok(file) => file,
            Err(error) => {
                tracing::debug!(%error, path = %path.display(), "no lock for the instance");
                return Ok(InstanceLock { _file: None });
            }
        };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let application = settings.kafka.application.clone();
                Err(InstanceTaken { instance: instance.clone(), application, path })
            }
            Ok(()) | Err(TryLockError::Error(_)) => Ok(InstanceLock { _file: Some(file) }),
        }
    }
}

/// Processes of the same brokers, application and instance meet at one file.
fn path(settings: &Settings, instance: &str) -> PathBuf {
    let who = format!("{}\n{}\n{instance}", settings.kafka.brokers, settings.kafka.application);
    let name = format!("tagstream-{:016x}.lock", xxh3_64(who.as_bytes()));
    std::env::temp_dir().join(name)
}
