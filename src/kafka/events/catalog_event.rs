//! The steps of a changed catalog, in words for the log.

use std::collections::BTreeSet;
use std::fmt;

use crate::engine::TagImpact;
use crate::kafka::topology::PartitionName;
use crate::telemetry::Severity;

/// Names of tags.
pub type TagNames = BTreeSet<Box<str>>;

/// A step of a catalog until it is active.
#[derive(Clone, Debug)]
pub enum CatalogEvent {
    Submitted {
        fingerprint: String,
    },
    Activated {
        fingerprint: String,
    },
    /// A tag would change for more than this share, so it stays as it is.
    TagHeld {
        tag: Box<str>,
        impact: TagImpact,
        share: f64,
    },
    /// A state was read back in which a tag is held.
    TagStillHeld {
        tag: Box<str>,
    },
    /// It cannot be decided yet which tags are held, since these partitions are not counted under the catalog.
    Uncounted {
        fingerprint: String,
        partitions: Vec<PartitionName>,
    },
    Approved {
        tags: TagNames,
    },
}

impl CatalogEvent {
    pub fn severity(&self) -> Severity {
        match self {
            CatalogEvent::TagHeld { .. } | CatalogEvent::TagStillHeld { .. } | CatalogEvent::Uncounted { .. } => {
                Severity::Warn
            }
            CatalogEvent::Submitted { .. } | CatalogEvent::Activated { .. } | CatalogEvent::Approved { .. } => {
                Severity::Info
            }
        }
    }
}

impl fmt::Display for CatalogEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CatalogEvent::Submitted { fingerprint } => {
                write!(f, "a changed catalog: its effects are being looked at ({fingerprint})")
            }
            CatalogEvent::Activated { fingerprint } => write!(f, "catalog {fingerprint} is in force"),
            CatalogEvent::TagHeld { tag, impact, share } => {
                let percent = (share * 10_000.0).round() / 100.0;
                write!(
                    f,
                    "tag {tag} waits: {} ({percent}% at most without approval, service.max_change); \
                     POST /v1/catalog/approve?tag={tag} lets it go",
                    concerned(*impact, *share)
                )
            }
            CatalogEvent::TagStillHeld { tag } => write!(
                f,
                "tag {tag} still waits for approval: GET /v1/catalog says how many it concerns; \
                 POST /v1/catalog/approve?tag={tag} lets it go"
            ),
            CatalogEvent::Uncounted { fingerprint, partitions } => write!(
                f,
                "what catalog {fingerprint} changes waits until it is counted in partitions {}: the processes that have \
                 them have to reload it or restart with it, and their states have to be read back",
                PartitionName::list(partitions)
            ),
            CatalogEvent::Approved { tags } => {
                let tags: Vec<&str> = tags.iter().map(|tag| &**tag).collect();
                write!(f, "approved: {}", tags.join(", "))
            }
        }
    }
}

/// How many entities a tag would change for.
fn concerned(impact: TagImpact, share: f64) -> String {
    let TagImpact { entities, had, differ, added } = impact;
    if impact.exceeds_of_those_who_have_it(share) {
        return format!("{differ} of the {had} that have it would lose it or have another value");
    }
    match differ {
        0 => format!("{added} of {entities} would get it"),
        _ => format!("{} of {entities} would see it change", differ + added),
    }
}
