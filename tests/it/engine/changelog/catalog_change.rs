//! A catalog that is changed on a partition at work: the same as a restart under it, and told with its cause.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use tagstream::catalog::TagId;
use tagstream::engine::{ChangeImpact, ImpactPreview, Partition, Program, TagImpact};
use tagstream::model::Timestamp;

use super::churn::{CATALOG, key, line, told};
use super::compacted_log::Compacted;
use super::{Driven, program};

const USERS: usize = 120;

/// An edit of the catalog, as an author makes it.
struct Edit {
    what: &'static str,
    from: &'static str,
    to: &'static str,
    /// The tags that the edit is about; all the others must not notice.
    about: &'static [&'static str],
}

const EDITS: [Edit; 8] = [
    Edit { what: "a threshold", from: "visits >= 2, until: visits < 1", to: "visits >= 16", about: &["active"] },
    Edit {
        what: "a window",
        from: "visits: { count: visit, window: 30d }",
        to: "visits: { count: visit, window: 2d }",
        about: &["active"],
    },
    Edit {
        what: "a wider window",
        from: "most: { max: properties.amount, on: visit, window: 7d }",
        to: "most: { max: properties.amount, on: visit, window: 20d }",
        about: &["wide"],
    },
    Edit { what: "a tag's name", from: "  level:", to: "  rank:", about: &["level", "rank"] },
    Edit { what: "a counter's name", from: "spend", to: "turnover", about: &[] },
    Edit {
        what: "the order",
        from: "  risk: { when: hours_since(last) >= 14 }\n  page: { value: page }",
        to: "  page: { value: page }\n  risk: { when: hours_since(last) >= 14 }",
        about: &[],
    },
    Edit { what: "a time zone", from: "Europe/Berlin", to: "Asia/Tokyo", about: &["level"] },
    Edit { what: "a tag less", from: "  page: { value: page }\n", to: "", about: &["page"] },
];

/// Events of a few days, the same for a seed.
fn events(driven: &mut Driven, seed: u64, days: std::ops::Range<i64>) {
    let mut dice = fastrand::Rng::with_seed(seed);
    let start = Timestamp::parse("2026-03-02T10:00:00Z").expect("a time");
    let mut time = start.plus(days.start * 86_400_000);
    let end = start.plus(days.end * 86_400_000);
    while time < end {
        let user = dice.usize(..USERS);
        driven.line(&line(&mut dice, &key(user), time), None);
        time = time.plus(dice.i64(0..2 * 86_400_000 / 300));
    }
}

fn edited(edit: &Edit) -> Arc<Program> {
    let text = CATALOG.replace(edit.from, edit.to);
    assert_ne!(text, CATALOG, "{}: nothing was edited", edit.what);
    program(&text)
}

/// A partition that has seen some days, and a log of it.
fn at_work(seed: u64) -> (Driven, Compacted) {
    let mut driven = Driven::new(&program(CATALOG));
    let mut log = Compacted::default();
    events(&mut driven, seed, 0..6);
    log.write(&mut driven.partition);
    driven.changes.0.clear();
    (driven, log)
}

/// What was told of tags, without what counts all of an entity's changes.
fn of_others(changes: &[Value], about: &[&str]) -> Vec<Value> {
    let others = changes.iter().filter(|change| !about.iter().any(|tag| change["tag"] == *tag));
    let strip = |change: &Value| {
        let mut change = change.clone();
        change.as_object_mut().expect("an object").shift_remove("seq");
        // A counter may have another name.
        change.as_object_mut().expect("an object").shift_remove("because");
        change
    };
    let mut told: Vec<Value> = others.map(strip).collect();
    // The catalog's order is the order of the changes of one evaluation.
    told.sort_by_key(|change| ["at", "key", "tag"].map(|name| change[name].as_str().map(str::to_owned)));
    told
}

#[test]
fn a_change_at_work_is_what_a_restart_would_have_made_of_it() {
    for edit in &EDITS {
        for seed in 0..3 {
            let program = edited(edit);
            let (mut live, log) = at_work(seed);
            let mut restarted = Driven::new(&program);
            restarted.partition = log.restore(&program).partition;
            live.partition.switch_catalog(Arc::clone(&program), BTreeSet::new());
            for driven in [&mut live, &mut restarted] {
                events(driven, seed + 100, 6..14);
            }
            assert_eq!(live.changes.0, restarted.changes.0, "{}, seed {seed}", edit.what);
            let (a, b) = (told(&mut live.partition, USERS), told(&mut restarted.partition, USERS));
            assert_eq!(a, b, "{}, seed {seed}", edit.what);
        }
    }
}

/// Where the new time zone has another date than the old one at that instant.
#[test]
fn a_day_is_the_new_time_zones_at_once() {
    let text = |zone: &str| {
        format!(
            "version: 1\ntimezone: {zone}\ncounters:\n  today: {{ count: visit, calendar: day }}\n\
             tags:\n  busy: {{ when: today >= 2 }}\n  calm: {{ when: today < 2 }}\n"
        )
    };
    let rows = [
        (
            ["Asia/Shanghai", "Europe/Berlin"],
            "busy added 01T17:40 calm removed 01T17:40 busy removed 01T23:00 calm added 01T23:00 \
             busy added 02T01:00 calm removed 02T01:00 busy removed 02T23:00 calm added 02T23:00",
        ),
        (["Europe/Berlin", "Asia/Shanghai"], "busy removed 02T16:00 calm added 02T16:00"),
    ];
    for ([old, new], expected) in rows {
        let adopted = program(&text(new));
        let visit =
            |time: &str| format!(r#"{{"user_id":"u","type":"visit","timestamp":"2026-01-{time}Z","properties":{{}}}}"#);
        let before = ["01T15:30:00", "01T17:00:00"].map(visit);
        let after =
            ["01T17:30:00", "01T17:40:00", "01T23:10:00", "02T01:00:00", "02T02:00:00", "04T00:00:00"].map(visit);
        let mut live = Driven::new(&program(&text(old)));
        before.iter().for_each(|line| live.line(line.as_bytes(), None));
        let mut log = Compacted::default();
        log.write(&mut live.partition);
        let mut restarted = Driven::new(&adopted);
        restarted.partition = log.restore(&adopted).partition;
        live.partition.switch_catalog(adopted, BTreeSet::new());
        live.changes.0.clear();
        for driven in [&mut live, &mut restarted] {
            after.iter().for_each(|line| driven.line(line.as_bytes(), None));
        }
        let text = |change: &Value, name: &str| change[name].as_str().expect("text").to_owned();
        let told =
            live.changes.0.iter().map(|change| {
                format!("{} {} {}", text(change, "tag"), text(change, "change"), &text(change, "at")[8..16])
            });
        assert_eq!(told.collect::<Vec<_>>().join(" "), expected, "{new}");
        assert_eq!(live.changes.0, restarted.changes.0, "{new}");
    }
}

#[test]
fn an_entity_that_is_not_concerned_has_no_change() {
    for edit in &EDITS {
        let (mut live, _) = at_work(5);
        let (mut untouched, _) = at_work(5);
        live.partition.switch_catalog(edited(edit), BTreeSet::new());
        for driven in [&mut live, &mut untouched] {
            events(driven, 105, 6..14);
        }
        let (found, expected) = (of_others(&live.changes.0, edit.about), of_others(&untouched.changes.0, edit.about));
        assert!(expected.len() > 50, "{}: {} changes", edit.what, expected.len());
        assert_eq!(found, expected, "{}", edit.what);
    }
}

#[test]
fn changes_of_the_catalog_say_so_and_the_survey_foresees_them() {
    for edit in &EDITS {
        let (mut live, _) = at_work(9);
        let program = edited(edit);
        let mut survey = ImpactPreview::new(&live.partition, &program);
        let outlook = loop {
            if let Some(outlook) = survey.step(&live.partition, 7) {
                break outlook.clone();
            }
        };
        let entities = live.partition.entities() as u64;
        assert!(!outlook.tags.is_empty() && outlook.tags.values().all(|impact| impact.entities == entities));
        live.partition.switch_catalog(Arc::clone(&program), BTreeSet::new());
        let clock = live.partition.clock().expect("there were events");
        live.partition.advance(clock.plus(1_000), &mut live.changes);
        let by_catalog = live.changes.0.iter().filter(|change| change["cause"] == "catalog");
        let (mut told, mut foreseen) = (0, 0);
        for change in by_catalog {
            told += 1;
            assert!(edit.about.iter().any(|tag| change["tag"] == *tag), "{}: {change}", edit.what);
        }
        outlook.tags.values().for_each(|impact| foreseen += impact.differ + impact.added);
        assert_eq!(told, foreseen, "{}", edit.what);
    }
}

#[test]
fn what_is_on_hold_stays_until_it_is_released() {
    let edit = &EDITS[0];
    let program = edited(edit);
    let (mut live, mut log) = at_work(11);
    let before = told(&mut live.partition, USERS);
    let held = BTreeSet::from(["active".into()]);
    live.partition.switch_catalog(Arc::clone(&program), held.clone());
    let clock = live.partition.clock().expect("there were events");
    live.partition.advance(clock.plus(1_000), &mut live.changes);
    assert!(live.changes.0.iter().all(|change| change["tag"] != "active"));
    assert!(before.contains("active"));
    // It outlives a restart.
    log.write(&mut live.partition);
    live.partition = log.restore(&program).partition;
    assert_eq!(live.partition.held_tags().collect::<Vec<_>>(), ["active"]);
    events(&mut live, 111, 7..8);
    assert!(live.changes.0.iter().all(|change| change["tag"] != "active"));
    live.partition.hold_only(BTreeSet::new());
    let clock = live.partition.clock().expect("there were events");
    live.partition.advance(clock.plus(1_000), &mut live.changes);
    let released = live.changes.0.iter().filter(|change| change["tag"] == "active");
    assert!(released.clone().count() > 5, "{}", released.count());
    assert!(live.changes.0.iter().all(|change| change["tag"] != "active" || change["cause"] == "catalog"));
    assert_eq!(live.partition.held_tags().count(), 0);
}

/// While a tag is on hold, an entity is written without the instant at which that tag is due.
#[test]
fn what_was_on_hold_is_due_after_a_restart() {
    let program = program(
        "version: 1\ncounters:\n  visits: { count: visit, window: 24h }\n\
         tags:\n  here: { when: visits >= 1 }\n  away: { when: hours_since(last_seen) >= 2 }\n",
    );
    let start = Timestamp::parse("2026-03-02T10:00:00Z").expect("a time");
    let [lived, died] = [false, true].map(|dies| {
        let (mut driven, mut log) = (Driven::new(&program), Compacted::default());
        driven.line(format!(r#"{{"user_id":"u","type":"visit","timestamp":"{start}"}}"#).as_bytes(), None);
        driven.partition.hold_only(BTreeSet::from(["here".into()]));
        driven.partition.advance(start.plus(3 * 3_600_000), &mut driven.changes);
        log.write(&mut driven.partition);
        // What waits for approval does not change by itself.
        let foreseen = |partition: &Partition| partition.explain("u", TagId(0)).expect("it is known").next;
        assert_eq!(foreseen(&driven.partition), None);
        driven.partition.hold_only(BTreeSet::new());
        assert!(foreseen(&driven.partition).is_some());
        driven.partition.advance(start.plus(4 * 3_600_000), &mut driven.changes);
        log.write(&mut driven.partition);
        if dies {
            driven.partition = log.restore(&program).partition;
        }
        driven.partition.advance(start.plus(72 * 3_600_000), &mut driven.changes);
        driven.changes.0
    });
    let word = |change: &Value, field: &str| change[field].as_str().expect("a text").to_owned();
    let told: Vec<_> = lived.iter().map(|change| word(change, "tag") + " " + &word(change, "change")).collect();
    assert_eq!(told, ["here added", "away added", "here removed"]);
    assert_eq!(lived, died);
}

#[test]
fn a_share_is_of_those_who_have_a_tag_or_of_all() {
    let mut outlook = ChangeImpact::default();
    let mut tag = |name: &str, had, differ, added| {
        outlook.tags.insert(name.into(), TagImpact { entities: 100, had, differ, added });
    };
    tag("few lose it", 50, 10, 0);
    tag("many of few lose it", 10, 3, 0);
    tag("some get it", 1, 0, 20);
    tag("many get it", 0, 0, 21);
    tag("all together", 90, 15, 6);
    let exceeding: Vec<&str> = outlook.exceeding(0.2).map(|(name, _)| name).collect();
    assert_eq!(exceeding, ["all together", "many get it", "many of few lose it"]);
}

#[test]
fn a_tag_that_is_gone_and_on_hold_is_had_until_the_entity_ends() {
    let edit = &EDITS[7];
    let (mut live, _) = at_work(13);
    live.partition.switch_catalog(edited(edit), BTreeSet::from(["page".into()]));
    let clock = live.partition.clock().expect("there were events");
    live.partition.advance(clock.plus(1_000), &mut live.changes);
    let has_page = |live: &mut Driven, user| {
        live.partition.current_tags(&key(user), |tags| tags.iter().any(|tag| tag.tag == "page")).unwrap_or(false)
    };
    let user = (0..USERS).find(|user| has_page(&mut live, *user)).expect("somebody has the tag");
    let erase = format!(r#"{{"user_id":"{}","type":"$erase","timestamp":"{}"}}"#, key(user), clock.plus(2_000));
    live.line(erase.as_bytes(), None);
    let ended = live.changes.0.iter().filter(|change| change["key"] == key(user).as_str());
    let ended: Vec<(&Value, &Value, &Value)> =
        ended.map(|change| (&change["tag"], &change["change"], &change["cause"])).collect();
    assert!(ended.contains(&(&"page".into(), &"removed".into(), &"erased".into())), "{ended:?}");
    assert!(live.partition.current_tags(&key(user), |_| ()).is_none());
}

/// As [`at_work`], with so many entities that their turns take some milliseconds.
fn crowd() -> (Driven, Compacted) {
    let (mut driven, mut log) = at_work(21);
    let mut dice = fastrand::Rng::with_seed(21);
    let clock = driven.partition.clock().expect("there were events");
    // Two visits each.
    for user in (USERS..2_000).chain(USERS..2_000) {
        let time = clock.plus(-dice.i64(0..4 * 86_400_000));
        driven.line(&line(&mut dice, &key(user), time), None);
    }
    log.write(&mut driven.partition);
    driven.changes.0.clear();
    (driven, log)
}

/// What happens when the process dies some milliseconds of the clock after an interruption, or does not.
fn go_on(mut driven: Driven, mut log: Compacted, after_ms: i64, dies: bool) -> Vec<Value> {
    let clock = driven.partition.clock().expect("there were events");
    driven.partition.advance(clock.plus(after_ms), &mut driven.changes);
    log.write(&mut driven.partition);
    if dies {
        let program = Arc::clone(driven.partition.program());
        driven.partition = log.restore(&program).partition;
    }
    events(&mut driven, 121, 6..7);
    driven.changes.0
}

#[test]
fn a_crash_while_a_catalog_is_adopted_changes_no_instant() {
    for edit in &EDITS {
        for after_ms in [0, 1, 4, 9, 10, 60_000] {
            let [lived, died] = [false, true].map(|dies| {
                let (mut driven, log) = crowd();
                driven.partition.switch_catalog(edited(edit), BTreeSet::new());
                go_on(driven, log, after_ms, dies)
            });
            assert!(lived.len() > 50, "{}: {} changes", edit.what, lived.len());
            assert_eq!(lived, died, "{}, after {after_ms} ms", edit.what);
        }
    }
}

#[test]
fn a_crash_while_a_tag_is_released_changes_no_instant() {
    let held = BTreeSet::from(["active".into()]);
    for after_ms in [0, 1, 4, 9, 10, 60_000] {
        let [lived, died] = [false, true].map(|dies| {
            let (mut driven, log) = crowd();
            driven.partition.switch_catalog(edited(&EDITS[0]), held.clone());
            let clock = driven.partition.clock().expect("there were events");
            driven.partition.advance(clock.plus(1_000), &mut driven.changes);
            driven.partition.hold_only(BTreeSet::new());
            go_on(driven, log, after_ms, dies)
        });
        let released = |change: &&Value| change["tag"] == "active" && change["cause"] == "catalog";
        assert!(lived.iter().filter(released).count() > 100, "{} changes", lived.len());
        assert_eq!(lived, died, "after {after_ms} ms");
    }
}

/// A longer window begins with what the old one holds: panes that had left it do not count again.
#[test]
fn a_longer_window_finds_nothing_that_had_left_the_old_one() {
    let text = |window: &str| {
        format!(
            "version: 1\ncounters:\n  visits: {{ count: visit, window: {window} }}\n  days: {{ active_days: visit, window: {window} }}\n\
             tags:\n  visits: {{ value: visits, bands: [{{ name: none, below: 1 }}, {{ name: some }}] }}\n  came: {{ when: visits >= 1 && days >= 1 }}\n"
        )
    };
    let visit = |user: &str, day: i64| {
        let time = Timestamp::parse("2026-01-01T12:00:00Z").expect("a time").plus(day * 86_400_000);
        format!(r#"{{"user_id":"{user}","type":"visit","timestamp":"{time}","properties":{{}}}}"#)
    };
    let (short, long) = (program(&text("7d")), program(&text("14d")));
    let mut live = Driven::new(&short);
    for (user, day) in [("gone", 0), ("held", 5), ("other", 9)] {
        live.line(visit(user, day).as_bytes(), None);
    }
    let mut log = Compacted::default();
    log.write(&mut live.partition);
    let mut restarted = Driven::new(&long);
    restarted.partition = log.restore(&long).partition;
    live.partition.switch_catalog(Arc::clone(&long), BTreeSet::new());
    live.changes.0.clear();
    for driven in [&mut live, &mut restarted] {
        driven.line(visit("other", 30).as_bytes(), None);
        let told = driven.changes.0.iter().filter(|change| change["key"] != "other");
        let word = |change: &Value, name: &str| change[name].as_str().unwrap_or("-").to_owned();
        let told = told.map(|change| ["at", "key", "tag", "value"].map(|name| word(change, name)).join(" "));
        let told: Vec<String> = told.collect();
        // Nothing of the one who came on day 0.
        let expected = ["2026-01-20T00:00:00.000Z held came -", "2026-01-20T13:00:00.000Z held visits none"];
        assert_eq!(told, expected);
    }
}
