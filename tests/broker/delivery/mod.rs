//! Each event counts once, whatever dies, is late or is refused.
//!
//! - `exactly_once`: the changes are those of a replay, through stops, kills, outages and pauses.
//! - `at_least_once`: changes that leave before the commit.
//! - `killed_at_each_step`: the process dies at each step of a commit and of a restore.
//! - `network_faults`: requests that are late, answers that are lost.
//! - `late_requests`: what a broker itself does with a late request.
//! - `dead_letters`: records that are not events.
//! - `change_formats`: the form of the changes is changed.
//! - `push`: changes that are posted to a webhook.
//! - `quota`: transactions that are too large for the pace of the brokers.
//! - `record_too_large`: a record that its topic does not accept.

mod at_least_once;
mod change_formats;
mod dead_letters;
mod exactly_once;
mod killed_at_each_step;
mod late_requests;
mod network_faults;
mod push;
mod quota;
mod record_too_large;
