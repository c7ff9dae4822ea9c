//! Rejected lines, counted by reason.

use std::collections::BTreeMap;

use super::console::report;
use super::format::counted;
use crate::codec::Reject;

#[derive(Clone, Debug, Default)]
pub(crate) struct RejectCounts {
    reasons: BTreeMap<&'static str, u64>,
}

impl RejectCounts {
    pub(crate) fn count(&mut self, reject: Reject) {
        *self.reasons.entry(reject.code()).or_default() += 1;
    }

    /// Prints the counts, if there are any: `4 lines rejected: bad_time 3, not_json 1`; `hint` follows the total.
    pub(crate) fn print(&self, hint: &str) {
        let total: u64 = self.reasons.values().sum();
        if total > 0 {
            let reasons: Vec<String> = self.reasons.iter().map(|(code, count)| format!("{code} {count}")).collect();
            let lines = counted(total, "line", "lines");
            report(&format!("{lines} rejected{hint}: {}", reasons.join(", ")));
        }
    }
}
