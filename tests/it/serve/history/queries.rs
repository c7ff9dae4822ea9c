//! What the store answers, against the changes themselves.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tagstream::model::Timestamp;
use tagstream::serve::history::{ChangeQuery, HistoryError, HistoryView, HistoryWriter, Place, SegmentLimits};

use super::{Directory, SMALL, TOPIC, at_of, change, deadline, parsed, records, write_all};
use crate::generate::{Feature, Features, seeds};

const HOUR_MS: i64 = 3_600_000;

/// The changes that the store is to have, by kind and key: those of lives that have not ended.
type Lives = BTreeMap<(String, String), Vec<Value>>;

fn text(change: &Value, member: &str) -> String {
    change[member].as_str().expect("a text").to_owned()
}

fn lives(changes: &[Value]) -> Lives {
    let mut lives = Lives::new();
    for change in changes {
        let entity = (text(change, "entity"), text(change, "key"));
        let has_ended = ["erased", "forgotten"].contains(&change["cause"].as_str().expect("a cause"));
        let life = lives.entry(entity).or_default();
        // A life that ends without a tag has no change that says so.
        if change["seq"] == 1 {
            life.clear();
        }
        life.push(change.clone());
        if has_ended {
            life.clear();
        }
    }
    lives
}

fn answered(view: &HistoryView<'_>, query: &ChangeQuery<'_>) -> Vec<Value> {
    let changes = view.changes(query).expect("an answer");
    changes.iter().map(|change| serde_json::to_value(change).expect("JSON")).collect()
}

/// The value of each tag of each entity at an instant, where there is one.
fn at_instant(changes: &[Value], instant: Timestamp) -> BTreeMap<(String, String), Value> {
    let mut values = BTreeMap::new();
    for change in changes.iter().filter(|change| at_of(change) <= instant) {
        values.insert((text(change, "key"), text(change, "tag")), change["value"].clone());
    }
    values.retain(|_, value: &mut Value| !value.is_null());
    values
}

#[test]
fn an_entitys_changes_are_those_of_the_topic_newest_first() {
    for seed in seeds(40) {
        let records = records(seed, Features::ALL);
        let changes: Vec<Value> = records.iter().map(|record| parsed(record)).collect();
        let directory = Directory::new(&format!("changes-{seed}"));
        let mut writer = directory.writer();
        write_all(&mut writer, &records, 1 + seed as usize % 17);
        writer.erase_due(Timestamp::FOREVER).expect("an erasure");
        let check = |view: &HistoryView<'_>| {
            for ((kind, key), mut life) in lives(&changes) {
                life.reverse();
                let all = ChangeQuery {
                    kind: &kind,
                    key: &key,
                    from: Timestamp::MIN,
                    to: Timestamp::FOREVER,
                    tag: None,
                    row: None,
                    limit: usize::MAX,
                };
                assert_eq!(answered(view, &all), life, "seed {seed}: {kind} {key}");
                let Some(middle) = life.get(life.len() / 2) else { continue };
                let (tag, at) = (text(middle, "tag"), at_of(middle));
                let of_tag: Vec<Value> = life.iter().filter(|change| change["tag"] == *tag).take(3).cloned().collect();
                assert_eq!(answered(view, &ChangeQuery { tag: Some(&tag), limit: 3, ..all.clone() }), of_tag);
                let newer: Vec<Value> = life.iter().filter(|change| at_of(change) >= at).cloned().collect();
                assert_eq!(answered(view, &ChangeQuery { from: at, ..all.clone() }), newer);
                let older: Vec<Value> = life.iter().filter(|change| at_of(change) <= at).cloned().collect();
                assert_eq!(answered(view, &ChangeQuery { to: at, ..all.clone() }), older);
            }
            Ok(())
        };
        directory.reader().read(deadline(), check).expect("a view");
    }
}

#[test]
fn what_was_at_an_instant_is_what_is_now_with_later_changes_undone() {
    let mut undone_count = 0;
    for seed in seeds(40) {
        let records = records(seed, Features::ALL.without(Feature::Forgetting).without(Feature::Commands));
        let changes: Vec<Value> = records.iter().map(|record| parsed(record)).collect();
        let directory = Directory::new(&format!("past-{seed}"));
        let mut writer = directory.writer();
        write_all(&mut writer, &records, 1 + seed as usize % 13);
        let kinds: BTreeSet<String> = changes.iter().map(|change| text(change, "entity")).collect();
        let tags: BTreeSet<String> = changes.iter().map(|change| text(change, "tag")).collect();
        for instant in changes.iter().step_by(1 + changes.len() / 8).map(at_of) {
            for kind in &kinds {
                let of_kind: Vec<Value> = changes.iter().filter(|change| change["entity"] == **kind).cloned().collect();
                let mut values = at_instant(&of_kind, Timestamp::FOREVER);
                let mut by_entity = values.clone();
                let undo = |view: &HistoryView<'_>| {
                    for tag in &tags {
                        view.undo((kind, tag), instant, |key, previous| {
                            undone_count += 1;
                            let value: Value = serde_json::from_str(previous).expect("JSON");
                            values.insert((key.to_owned(), tag.clone()), value);
                        })?;
                    }
                    let keys: BTreeSet<String> = of_kind.iter().map(|change| text(change, "key")).collect();
                    for key in keys {
                        for (tag, undone) in view.undo_entity(kind, &key, instant)? {
                            by_entity.insert((key.clone(), tag), serde_json::from_str(&undone.value).expect("JSON"));
                        }
                    }
                    Ok(())
                };
                directory.reader().read(deadline(), undo).expect("a view");
                values.retain(|_, value| !value.is_null());
                by_entity.retain(|_, value| !value.is_null());
                let expected = at_instant(&of_kind, instant);
                assert_eq!(values, expected, "seed {seed}, {kind} at {instant}");
                assert_eq!(by_entity, expected, "seed {seed}, {kind} at {instant}, by entity");
            }
        }
    }
    assert!(undone_count > 1_000, "only {undone_count} values were undone");
}

#[test]
fn figures_count_every_change_once() {
    for seed in seeds(30) {
        let records = records(seed, Features::ALL);
        let changes: Vec<Value> = records.iter().map(|record| parsed(record)).collect();
        let directory = Directory::new(&format!("figures-{seed}"));
        write_all(&mut directory.writer(), &records, 7);
        let tags: BTreeSet<(String, String)> =
            changes.iter().map(|change| (text(change, "entity"), text(change, "tag"))).collect();
        let check = |view: &HistoryView<'_>| {
            for (kind, tag) in &tags {
                let of_tag: Vec<&Value> =
                    changes.iter().filter(|change| change["tag"] == **tag && change["entity"] == **kind).collect();
                let (first, last) = (at_of(of_tag[0]), at_of(of_tag[of_tag.len() - 1]));
                let middle = at_of(of_tag[of_tag.len() / 2]);
                for (after, until) in [
                    (first.plus(-1), last),
                    (first, last),
                    (first, middle),
                    (middle.plus(-HOUR_MS), middle),
                    (middle.plus(-HOUR_MS * 24 * 7), middle.plus(1)),
                ] {
                    let within = |change: &&&Value| at_of(change) > after && at_of(change) <= until;
                    let count = |name: &str| {
                        of_tag.iter().filter(within).filter(|change| change["change"] == *name).count() as i64
                    };
                    let figures = view.figures((kind, tag), after, until)?;
                    let expected = (count("added"), count("changed"), count("removed"));
                    let found = (figures.entered, figures.changed, figures.left);
                    assert_eq!(found, expected, "seed {seed}: {tag} from {after} to {until}");
                }
                let hours = view.hours((kind, tag), Timestamp::MIN, Timestamp::MAX)?;
                let sum: i64 =
                    hours.iter().map(|hour| hour.counts.entered + hour.counts.changed + hour.counts.left).sum();
                assert_eq!(sum, of_tag.len() as i64);
                assert!(hours.windows(2).all(|two| two[0].from < two[1].from));
                let reasons = view.reasons((kind, tag), Timestamp::MIN)?;
                assert!(reasons.windows(2).all(|two| two[0].count >= two[1].count));
            }
            Ok(())
        };
        directory.reader().read(deadline(), check).expect("a view");
    }
}

#[test]
fn the_most_frequent_reasons_come_first() {
    let directory = Directory::new("reasons");
    let add = |key: &str, n: i64| change(key, "rich", 1, 1_000 + n, (Value::Null, true.into()), "event");
    let records: Vec<_> = [add("a", 1), add("b", 2)].into_iter().chain((3..9).map(|n| add("b", n))).collect();
    // The same key stands for the same reason here.
    write_all(&mut directory.writer(), &records, 3);
    let reasons = directory.reader().read(deadline(), |view| view.reasons(("user", "rich"), Timestamp::MIN));
    let told: Vec<String> = reasons
        .expect("reasons")
        .iter()
        .map(|reason| format!("{} {} {} {}", reason.count, reason.change, reason.cause, reason.because))
        .collect();
    assert_eq!(told, [r#"7 added event {"spend":"because-of-b"}"#, r#"1 added event {"spend":"because-of-a"}"#]);
}

#[test]
fn changes_come_in_the_order_in_which_they_came_from_any_row_on() {
    let records: Vec<Vec<u8>> = (0..6).flat_map(|seed| records(seed, Features::NONE)).collect();
    let directory = Directory::new("after");
    let mut writer = directory.writer();
    write_all(&mut writer, &records, 29);
    let ids: Vec<String> = (0..6)
        .flat_map(|seed| super::records(seed, Features::NONE))
        .map(|record| text(&parsed(&record), "id"))
        .collect();
    let mut found = Vec::new();
    let (mut last, reader) = (0, directory.reader());
    loop {
        let (changes, read_to) = reader.read(deadline(), |view| view.changes_after(last, 23)).expect("changes");
        if changes.is_empty() {
            break;
        }
        found.extend(changes.into_iter().map(|change| change.id));
        last = read_to;
    }
    // Cases may share entities; then a change that is not newer is one of another case, not a repeat.
    assert_eq!(found, ids);
    assert_eq!(last, writer.last_row());
    assert_eq!(reader.read(deadline(), |view| view.last_row()).expect("a row"), last);
}

#[test]
fn decimals_and_texts_stay_as_they_are_written() {
    let value = "123456789012345678901234.567890123";
    let record = format!(
        r#"{{"id":"00000000000000000000000000000001","entity":"user","key":"ключ \"1\"","tag":"spend","change":"added",
        "value":{value},"previous":null,"at":"2026-03-15T08:00:00.000Z","seq":1,"cause":"event","because":{{"a b":{value}}},
        "catalog":"9b1d0c55"}}"#
    );
    let directory = Directory::new("decimals");
    write_all(&mut directory.writer(), &[record.into_bytes()], 1);
    let query = ChangeQuery {
        kind: "user",
        key: "ключ \"1\"",
        from: Timestamp::MIN,
        to: Timestamp::FOREVER,
        tag: None,
        row: None,
        limit: 5,
    };
    let changes = directory.reader().read(deadline(), |view| view.changes(&query)).expect("changes");
    let written = serde_json::to_string(&changes).expect("JSON");
    assert_eq!(
        written,
        format!(
            r#"[{{"id":"00000000000000000000000000000001","entity":"user","key":"ключ \"1\"","tag":"spend","change":"added","value":{value},"previous":null,"at":"2026-03-15T08:00:00.000Z","seq":1,"cause":"event","because":{{"a b":{value}}},"catalog":"9b1d0c55"}}]"#
        )
    );
}

#[test]
fn an_instant_before_the_history_is_refused_with_how_far_it_reaches() {
    let directory = Directory::new("reach");
    let mut writer = directory.writer();
    writer.add(&change("a", "rich", 4, 5_000, (Value::Null, true.into()), "event")).expect("a row");
    let places = BTreeMap::from([
        (0, Place { next_offset: 9, reaches: Some(Timestamp::from_ms(5_000)) }),
        (1, Place { next_offset: 0, reaches: None }),
    ]);
    writer.commit(&places).expect("a commit");
    let undo = |ms: i64| {
        let mut keys = Vec::new();
        let instant = Timestamp::from_ms(ms);
        let undone = directory
            .reader()
            .read(deadline(), |view| view.undo(("user", "rich"), instant, |key, _| keys.push(key.to_owned())));
        undone.map(|()| keys)
    };
    assert_eq!(undo(5_000).expect("it reaches"), Vec::<String>::new());
    let error = undo(4_999).expect_err("it does not reach");
    assert!(matches!(error, HistoryError::OutOfReach { .. }));
    assert_eq!(
        error.to_string(),
        "the history does not reach back to 1970-01-01T00:00:04.999Z: it begins at 1970-01-01T00:00:05.000Z"
    );
}

#[test]
fn a_store_is_of_one_topic() {
    let directory = Directory::new("topic");
    write_all(&mut directory.writer(), &[], 1);
    drop(directory.writer());
    let other = HistoryWriter::open(&directory.0, "others", SMALL).err().expect("another topic");
    assert!(other.to_string().contains("is of the topic tag-changes, not of others"), "{other}");
    let limits = SegmentLimits::of_history(std::time::Duration::from_secs(86_400));
    assert!(HistoryWriter::open(&directory.0, TOPIC, limits).is_ok());
}
