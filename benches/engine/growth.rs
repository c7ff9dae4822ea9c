//! How the costs grow, as curves: with users, their panes, tags, the changes that events make, and the size of transactions.

use std::fmt::Write;

use crate::chart::{Curve, draw};
use crate::{CATALOG, Figures, Load, PANES, TRANSACTION, measure};

/// Events for each point.
const EVENTS: usize = 300_000;
/// Users for the curves that do not grow with them.
const USERS: usize = 20_000;

const LOAD: Load<'static> =
    Load { catalog: CATALOG, users: USERS, panes: PANES, events: EVENTS, transaction: TRANSACTION };

/// Measures up to so many users, prints each point, and draws the charts.
pub fn draw_all(largest: usize) {
    by_users(largest);
    by_panes();
    by_tags();
    by_changes();
    by_transaction();
}

fn by_users(largest: usize) {
    let (mut cost, mut decoding, mut changelog) = (Vec::new(), Vec::new(), Vec::new());
    let (mut bytes, mut restored, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    for users in (3..8).map(|power| 10_usize.pow(power)).filter(|users| *users <= largest) {
        let found = measured(&format!("{users} users"), Load { users, ..LOAD });
        let x = users as f64;
        changes.push((x, found.changes as f64 / EVENTS as f64 * 1e3));
        cost.push((x, found.ns_an_event));
        decoding.push((x, found.ns_decoding));
        changelog.push((x, found.journal.ns_an_event));
        // Below, what a partition allocates at once counts more than its users.
        if users >= 10_000 {
            bytes.push((x, found.bytes_a_user as f64));
        }
        restored.push((x, found.journal.users_a_second / 1e6));
    }
    let curves = [
        Curve { name: "an event, decoded and applied", points: cost },
        Curve { name: "of it decoding", points: decoding },
        Curve { name: "changelog, beside it", points: changelog },
        Curve { name: "tag changes in 1,000 events", points: changes },
    ];
    draw("users", ("ns of CPU an event", "users (20 tags)"), &curves);
    draw("memory", ("bytes a user", "users (20 tags, 5 panes each)"), &Curve::alone(bytes));
    draw("restore", ("million users a second", "users restored from the changelog"), &Curve::alone(restored));
}

fn by_panes() {
    let (mut cost, mut bytes) = (Vec::new(), Vec::new());
    for panes in [1, 2, 5, 10, 20, 40, 60] {
        let found = measured(&format!("{panes} panes"), Load { panes, ..LOAD });
        cost.push((panes as f64, found.ns_an_event));
        bytes.push((panes as f64, found.bytes_a_user as f64));
    }
    let x = "days with an event, of the last 180 (20 tags)";
    draw("panes", ("ns of CPU an event", x), &Curve::alone(cost));
    draw("panes-memory", ("bytes a user", x), &Curve::alone(bytes));
}

fn by_transaction() {
    let mut cost = Vec::new();
    for transaction in [100, 300, 1_000, 3_000, 10_000, 50_000] {
        let found = measured(&format!("{transaction} events a transaction"), Load { transaction, ..LOAD });
        cost.push((transaction as f64, found.journal.ns_an_event));
    }
    draw("commit", ("ns of CPU an event, for the changelog", "events a transaction"), &Curve::alone(cost));
}

fn by_tags() {
    let (mut cost, mut bytes) = (Vec::new(), Vec::new());
    for tags in [5, 20, 50, 100, 200, 500] {
        let found = measured(&format!("{tags} tags"), Load { catalog: &catalog_of_tags(tags), ..LOAD });
        cost.push((tags as f64, found.ns_an_event));
        bytes.push((tags as f64, found.bytes_a_user as f64));
    }
    draw("tags", ("ns of CPU an event", "tags (over four counters)"), &Curve::alone(cost));
    draw("tags-memory", ("bytes a user", "tags (over four counters)"), &Curve::alone(bytes));
}

fn by_changes() {
    let mut cost = Vec::new();
    for types in [
        "[]",
        "[member_renewed]",
        "[profile_updated, referral]",
        "[purchase]",
        "[workout]",
        "[workout, purchase]",
        "\"*\"",
    ] {
        let found = measured(&format!("changes by {types}"), Load { catalog: &catalog_of_changes(types), ..LOAD });
        cost.push((found.changes as f64 / EVENTS as f64, found.ns_an_event));
    }
    draw("changes", ("ns of CPU an event", "tag changes an event"), &Curve::alone(cost));
}

fn measured(point: &str, load: Load<'_>) -> Figures {
    let found = measure(load);
    println!(
        "{point:>32}  {:>6.0} ns/event  {:>5} bytes/user  {:.2} changes/event  changelog {:>5.0} ns/event  {:.2} M users/s restored",
        found.ns_an_event,
        found.bytes_a_user,
        found.changes as f64 / EVENTS as f64,
        found.journal.ns_an_event,
        found.journal.users_a_second / 1e6,
    );
    found
}

/// Rules over four counters, with bounds from 1 on, so that few of them change at an event.
fn catalog_of_tags(tags: usize) -> String {
    let mut catalog = "version: 1
counters:
  workouts: { count: workout, window: 30d }
  purchases: { count: purchase, window: 180d }
  spend: { sum: properties.amount, on: purchase, window: 180d }
  days: { active_days: \"*\", window: 30d }
tags:
"
    .to_owned();
    for tag in 0..tags {
        let (counter, step) = [("workouts", 1), ("purchases", 1), ("spend", 100), ("days", 1)][tag % 4];
        let bound = (1 + tag / 4) * step;
        let _ = writeln!(catalog, "  t{tag}: {{ when: {counter} >= {bound} }}");
    }
    catalog
}

/// A tag whose value is another one after each event of some types.
fn catalog_of_changes(types: &str) -> String {
    let on = if types == "[]" { "none_such" } else { types };
    format!(
        "version: 1
counters:
  amount: {{ last: properties.amount, on: {on} }}
  workouts: {{ count: workout, window: 30d }}
tags:
  latest: {{ value: amount }}
  regular: {{ when: workouts >= 1000000 }}
"
    )
}
