//! What becomes of a changed catalog, in words for the log: what would mail thousands must be found there.

use std::fmt;

use super::breaker::TagNames;
use crate::engine::TagImpact;
use crate::telemetry::Severity;

/// A step of a catalog on its way into force.
#[derive(Clone, Debug)]
pub enum CatalogNews {
    Proposed {
        fingerprint: String,
    },
    InForce {
        fingerprint: String,
    },
    /// A tag would change for more than this share, and stays as it is.
    Waits {
        tag: Box<str>,
        impact: TagImpact,
        share: f64,
    },
    /// A state was read back in which a tag has been on hold.
    StillWaits {
        tag: Box<str>,
    },
    Approved {
        tags: TagNames,
    },
}

impl CatalogNews {
    pub fn severity(&self) -> Severity {
        match self {
            CatalogNews::Waits { .. } | CatalogNews::StillWaits { .. } => Severity::Warn,
            CatalogNews::Proposed { .. } | CatalogNews::InForce { .. } | CatalogNews::Approved { .. } => Severity::Info,
        }
    }
}

impl fmt::Display for CatalogNews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CatalogNews::Proposed { fingerprint } => {
                write!(f, "a changed catalog: its effects are being looked at ({fingerprint})")
            }
            CatalogNews::InForce { fingerprint } => write!(f, "catalog {fingerprint} is in force"),
            CatalogNews::Waits { tag, impact, share } => {
                let percent = (share * 10_000.0).round() / 100.0;
                write!(
                    f,
                    "tag {tag} waits: {} ({percent}% at most without approval, service.max_change); \
                     POST /v1/catalog/approve?tag={tag} lets it go",
                    concerned(*impact, *share)
                )
            }
            CatalogNews::StillWaits { tag } => write!(
                f,
                "tag {tag} still waits for approval: GET /v1/catalog says how many it concerns; \
                 POST /v1/catalog/approve?tag={tag} lets it go"
            ),
            CatalogNews::Approved { tags } => {
                let tags: Vec<&str> = tags.iter().map(|tag| &**tag).collect();
                write!(f, "approved: {}", tags.join(", "))
            }
        }
    }
}

/// How many a tag would change for, of whom it is too many.
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
