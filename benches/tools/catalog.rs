//! A catalog as a growth team has it after some years: 120 counters, 500 tags of every sort.

use std::fmt::Write;

/// What users do; each has ten counters.
pub const TYPES: [&str; 12] = [
    "visit", "view", "search", "workout", "purchase", "share", "review", "refund", "referral", "support", "booking",
    "stream",
];
pub const CATEGORIES: [&str; 6] = ["shoes", "food", "mats", "bands", "bottles", "shirts"];
pub const PLANS: [&str; 3] = ["free", "plus", "pro"];

const TAGS: usize = 500;

/// Of which of two catalogs the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edition {
    AsItIs,
    /// With a window and some thresholds as somebody would change them.
    Edited,
}

/// The name of the tag at a place.
pub fn tag_name(place: usize) -> String {
    format!("tag_{place:03}")
}

pub fn text(edition: Edition) -> String {
    let mut text = String::from(
        "version: 1\ntimezone: Asia/Shanghai\n\nattributes:\n\
         \x20 plan: { from: profile, value: properties.plan, type: string }\n\
         \x20 gender: { from: profile, value: properties.gender, type: string }\n\
         \x20 member_until: { from: profile, value: properties.until, type: time }\n\ncounters:\n",
    );
    for (index, kind) in TYPES.iter().enumerate() {
        counters(&mut text, index, kind, edition);
    }
    text.push_str("\ntags:\n");
    let mut random = fastrand::Rng::with_seed(2);
    for place in 0..TAGS {
        let _ = writeln!(text, "  {}: {}", tag_name(place), tag(place, edition, &mut random));
    }
    text
}

fn counters(text: &mut String, index: usize, kind: &str, edition: Edition) {
    let filter = if index.is_multiple_of(3) { ", where: properties.amount > 5" } else { "" };
    let long = if index.is_multiple_of(2) { "window: lifetime" } else { "calendar: month" };
    let spend_window = if index == 4 && edition == Edition::Edited { "120d" } else { "90d" };
    let _ = write!(
        text,
        "  {kind}_7d: {{ count: {kind}, window: 7d }}\n\
         \x20 {kind}_30d: {{ count: {kind}, window: 30d }}\n\
         \x20 {kind}_long: {{ count: {kind}, {long} }}\n\
         \x20 {kind}_spend: {{ sum: properties.amount, on: {kind}, window: {spend_window}{filter} }}\n\
         \x20 {kind}_mean: {{ avg: properties.amount, on: {kind}, window: 30d }}\n\
         \x20 {kind}_most: {{ max: properties.amount, on: {kind}, window: 180d }}\n\
         \x20 {kind}_kinds: {{ distinct: properties.category, on: {kind}, window: 30d }}\n\
         \x20 {kind}_favourite: {{ top: properties.category, on: {kind}, window: 90d }}\n\
         \x20 {kind}_days: {{ active_days: {kind}, window: 30d }}\n\
         \x20 {kind}_last: {{ last: time, on: {kind} }}\n"
    );
}

/// One tag; those before it may be used. The numbers drawn do not depend on the edition.
fn tag(place: usize, edition: Edition, random: &mut fastrand::Rng) -> String {
    let (kind, other) = (TYPES[random.usize(..TYPES.len())], TYPES[random.usize(..TYPES.len())]);
    let (share, low, days) = (random.u8(..100), random.u32(1..8), random.u32(3..60));
    let (category, plan) = (CATEGORIES[random.usize(..CATEGORIES.len())], PLANS[random.usize(..PLANS.len())]);
    let used = random.usize(..place.max(1));
    let high = low + random.u32(1..5);
    let moved = u32::from(edition == Edition::Edited && place % 100 == 40);
    let (low, high, days) = (low + moved, high + moved, days + moved);
    let amount = f64::from(high * 40);
    match share {
        0..24 => format!("{{ when: {kind}_30d >= {high}, until: {kind}_30d < {low} }}"),
        24..34 => format!("{{ when: {kind}_spend >= {amount}, keep_for: 7d }}"),
        34..42 => format!("{{ when: {kind}_7d == 0 && {kind}_long > 0, for: 3d }}"),
        42..56 => format!("{{ when: days_since({kind}_last) >= {days} }}"),
        56..62 => format!("{{ when: days_since({kind}_last) < {days} && {other}_30d >= {low} }}"),
        62..70 => format!(
            "{{ value: {kind}_spend, margin: 5, bands: [{{ name: low, below: {amount} }}, {{ name: mid, below: {} }}, {{ name: high }}] }}",
            amount * 3.0
        ),
        70..75 => format!(
            "{{ value: {kind}_days, bands: [{{ name: seldom, below: {low} }}, {{ name: often, below: {high} }}, {{ name: always }}] }}"
        ),
        75..81 => format!(
            "{{ value: days_since({kind}_last), bands: [{{ name: hot, below: {low} }}, {{ name: warm, below: {} }}, {{ name: cold }}] }}",
            low + days
        ),
        81..86 => format!("{{ when: {kind}_favourite == \"{category}\" && {kind}_kinds >= 2 }}"),
        86..89 => format!("{{ when: plan == \"{plan}\" && {kind}_mean > {amount} }}"),
        89..91 => {
            format!("{{ when: days_until(member_until) <= {days} && days_until(member_until) > 0 && {kind}_7d == 0 }}")
        }
        91..93 => format!("{{ when: {kind}_spend > 10 * {other}_30d && {kind}_most >= {amount} }}"),
        93..96 if place > 0 => format!("{{ when: has({kind}_last) && !has(tag.{}) }}", tag_name(used)),
        _ => format!(
            "{{ stages: [{{ name: new, when: {kind}_30d == 0 && days_since(first_seen) < 14 }}, \
             {{ name: busy, when: {kind}_30d >= {low} && {kind}_days >= 2 }}, \
             {{ name: lapsing, when: days_since({kind}_last) >= {days} }}, {{ name: there }}] }}"
        ),
    }
}
