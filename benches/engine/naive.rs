//! The baseline: what a straightforward service does. Owned serde structs, a map of users to queues of timestamps,
//! every rule evaluated for every event, no timers.

use std::collections::VecDeque;

use dashmap::DashMap;
use serde::Deserialize;

use crate::stream::{START_MS, Stream};
use crate::{PANES, cpu_ns};

pub struct Naive {
    pub ns_an_event: f64,
    pub bytes_a_user: usize,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    user_id: String,
    timestamp: String,
    properties: Properties,
}

#[derive(Deserialize)]
struct Properties {
    category: String,
    amount: f64,
}

#[derive(Default)]
struct User {
    workouts: VecDeque<i64>,
    purchases: VecDeque<(i64, f64, String)>,
    referrals: VecDeque<i64>,
    days: VecDeque<i64>,
    last_active: i64,
    first_seen: i64,
    tags: u32,
}

const DAY_MS: i64 = 86_400_000;

pub fn measure(users: usize, events: usize) -> Naive {
    let map: DashMap<String, User> = DashMap::new();
    let before = resident_bytes();
    let mut stream = Stream::new(START_MS, users, PANES);
    let mut changes = 0;
    while let Some(lines) = stream.warm_up() {
        lines.iter().for_each(|line| changes += apply(&map, line));
    }
    let bytes_a_user = resident_bytes().saturating_sub(before) / users;
    let (mut done, mut total_ns) = (0, 0);
    while done < events {
        let lines = stream.next_batch();
        let start = cpu_ns();
        lines.iter().for_each(|line| changes += apply(&map, line));
        total_ns += cpu_ns() - start;
        done += lines.len();
    }
    std::hint::black_box(changes);
    Naive { ns_an_event: total_ns as f64 / done as f64, bytes_a_user }
}

fn apply(map: &DashMap<String, User>, line: &[u8]) -> u32 {
    let event: Event = serde_json::from_slice(line).expect("the event is right");
    let now = event.timestamp.parse::<jiff::Timestamp>().expect("the time is right").as_millisecond();
    let mut user = map.entry(event.user_id).or_default();
    if user.first_seen == 0 {
        user.first_seen = now;
    }
    user.last_active = now;
    let day = now / DAY_MS;
    if user.days.back() != Some(&day) {
        user.days.push_back(day);
    }
    match event.kind.as_str() {
        "workout" => user.workouts.push_back(now),
        "purchase" => user.purchases.push_back((now, event.properties.amount, event.properties.category)),
        "referral" => user.referrals.push_back(now),
        _ => {}
    }
    expire(&mut user, now);
    let tags = rules(&user, now);
    let changed = (tags ^ user.tags).count_ones();
    user.tags = tags;
    changed
}

fn expire(user: &mut User, now: i64) {
    while user.workouts.front().is_some_and(|at| *at < now - 30 * DAY_MS) {
        user.workouts.pop_front();
    }
    while user.purchases.front().is_some_and(|(at, ..)| *at < now - 180 * DAY_MS) {
        user.purchases.pop_front();
    }
    while user.referrals.front().is_some_and(|at| *at < now - 180 * DAY_MS) {
        user.referrals.pop_front();
    }
    while user.days.front().is_some_and(|day| *day < (now / DAY_MS) - 30) {
        user.days.pop_front();
    }
}

/// Twenty rules of the kind that the catalog has.
fn rules(user: &User, now: i64) -> u32 {
    let workouts = user.workouts.len();
    let week = user.workouts.iter().filter(|at| **at >= now - 7 * DAY_MS).count();
    let spend: f64 = user.purchases.iter().map(|(_, amount, _)| amount).sum();
    let shoes = user.purchases.iter().filter(|(.., category)| category == "shoes").count();
    let idle_days = (now - user.last_active) / DAY_MS;
    let age_days = (now - user.first_seen) / DAY_MS;
    let last_purchase_days = user.purchases.back().map_or(i64::MAX, |(at, ..)| (now - at) / DAY_MS);
    let rules = [
        workouts >= 10,
        week >= 2,
        (1..4).contains(&workouts),
        workouts == 0,
        idle_days >= 14,
        idle_days >= 60,
        user.purchases.len() >= 3 || user.referrals.len() >= 2,
        !user.purchases.is_empty(),
        spend >= 500.0,
        spend >= 100.0,
        spend >= 1_000.0,
        last_purchase_days >= 30,
        last_purchase_days >= 7,
        !user.referrals.is_empty(),
        user.days.len() >= 12,
        user.days.len() < 3 && age_days > 30,
        shoes * 2 > user.purchases.len(),
        workouts >= 10 && week >= 1,
        spend >= 500.0 && idle_days >= 14,
        workouts == 0 && age_days < 30,
    ];
    rules.iter().rev().fold(0, |bits, holds| bits << 1 | u32::from(*holds))
}

/// What the process has in memory, from the kernel's table.
fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4_096
}
