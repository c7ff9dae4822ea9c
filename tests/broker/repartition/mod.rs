//! Inputs that are not partitioned by an entity's key: their events pass through a topic in between and are merged there.
//!
//! - `merged_inputs`: the changes are those of one replay in the order of time.
//! - `topics_and_rights`: the topics in between, checked at the start.

mod merged_inputs;
mod topics_and_rights;

use crate::fixture::broker;
use crate::oracle::merged_replay::CATALOG;
use crate::support::service::Setup;

const TOPICS: [&str; 2] = ["events", "more"];

/// A service of two inputs that are merged.
fn merged_service(name: &str) -> Setup {
    let broker = broker::shared();
    Setup::on(name, broker, CATALOG)
        .with(&format!("input.topics={name}-events,{name}-more"))
        .with("input.partitioned_by=none")
        .with("service.workers=2")
        .with("service.commit_interval=50ms")
        .with("service.idle_grace=3s")
}
