//! Each rule finds the fault that is planted for it in a few made-up sources, and finds nothing in sources that are right.

use std::collections::BTreeMap;

use super::sources::{Source, made_up};
use super::{files, imports, names, packages, purity};

/// A part with two rooms, `state` before `worker`, and a file after both.
const MAP: (&str, &str) =
    ("src/kafka/mod.rs", "//! Kafka.\nmod state;\nmod worker;\nmod admin;\npub use worker::Worker;\n");
const LIB: (&str, &str) = ("src/lib.rs", "//! All.\npub mod engine;\npub mod kafka;\npub mod http;\n");
const STATE: (&str, &str) =
    ("src/kafka/state/mod.rs", "//! State.\nmod restore;\nmod snapshots;\npub use restore::Restore;\n");
const WORKER: (&str, &str) =
    ("src/kafka/worker/mod.rs", "//! Work.\nmod commit;\npub struct Worker;\nuse crate::kafka::state::Restore;\n");
const RIGHT: (&str, &str) = (
    "src/kafka/worker/commit.rs",
    "use super::Worker;\nuse crate::kafka::{self, state::Restore};\nuse crate::engine::Engine;\n",
);

/// Sources of a small library, with more of them, or with others under the same names.
fn tree(more: &[(&str, &str)]) -> Vec<Source> {
    let rest =
        [("src/engine/mod.rs", "//! Pure."), ("src/http/mod.rs", "//! Pages."), ("src/kafka/admin.rs", "//! Asks.")];
    let all: BTreeMap<&str, &str> =
        [LIB, MAP, STATE, WORKER].into_iter().chain(rest).chain(more.iter().copied()).collect();
    made_up(&all.into_iter().collect::<Vec<_>>())
}

/// What finds faults in sources.
type Rule = fn(&[Source]) -> Vec<String>;

/// Expects one finding with these words for each source.
fn check(find: Rule, faults: &[(&str, &str, &str)]) {
    for (name, text, words) in faults {
        let findings = find(&tree(&[(name, text)]));
        assert!(findings.len() == 1 && findings[0].contains(words), "{text}: {words} is not in {findings:#?}");
    }
}

#[test]
fn what_is_right_is_not_found() {
    let rules: [Rule; 8] = [
        imports::parts_out_of_order,
        imports::rooms_out_of_order,
        names::doubled,
        names::other_kinds,
        purity::impure,
        packages::strayed,
        files::declared_elsewhere,
        files::crowded,
    ];
    let more = [
        RIGHT,
        (
            "src/kafka/state/restore.rs",
            "//! use crate::kafka::worker::Worker;\npub struct Restore { kind: EntityKindId }\n",
        ),
        ("src/kafka/state/snapshots.rs", "use super::restore::Restore;\nuse crate::kafka::state::Restore as R;\n"),
        ("src/kafka/admin.rs", "use crate::kafka::Worker;\nuse super::state::Restore;\n"),
        (
            "src/engine/mod.rs",
            "//! Pure.\nuse std::sync::{Arc, Weak};\nuse std::time::Duration;\nstruct Now { kind: &'static str }\n",
        ),
    ];
    for rule in rules {
        assert_eq!(rule(&tree(&more)), Vec::<String>::new());
    }
}

#[test]
fn a_part_that_knows_a_later_one_is_found() {
    let faults = [
        ("src/engine/mod.rs", "use crate::kafka::Worker;", "in src engine must not know kafka"),
        ("src/engine/a.rs", "use crate::{http::Page, engine::B};", "in src engine must not know http"),
        ("src/engine/a.rs", "fn f() { crate::kafka::run() }", "in src engine must not know kafka"),
        ("src/engine/a.rs", "use super::super::http;", "in src engine must not know http"),
    ];
    check(imports::parts_out_of_order, &faults);
}

#[test]
fn a_room_that_knows_a_later_one_is_found() {
    let words = "in src/kafka state must not know worker";
    let faults = [
        ("src/kafka/state/restore.rs", "use crate::kafka::worker::commit::Commit;", words),
        ("src/kafka/state/restore.rs", "use crate::kafka::{state::A, worker::{B}};", words),
        ("src/kafka/state/restore.rs", "use super::super::worker;", words),
        ("src/kafka/state/restore.rs", "fn f(x: &crate::kafka::worker::Worker) {}", words),
        ("src/kafka/state/restore.rs", "mod inner { use super::super::super::worker::Worker; }", words),
        // By the name that the part gives it.
        ("src/kafka/state/restore.rs", "use crate::kafka::Worker;", words),
        ("src/kafka/state/restore.rs", "use super::super::Worker as W;", words),
        ("src/kafka/state/restore.rs", "use crate::kafka::admin::Admin;", "in src/kafka state must not know admin"),
    ];
    for (name, text, words) in faults {
        let findings = imports::rooms_out_of_order(&tree(&[(name, text)]));
        assert!(findings.iter().any(|finding| finding.contains(words)), "{text}: {words} is not in {findings:#?}");
    }
}

#[test]
fn a_deeper_room_that_knows_a_later_one_is_found() {
    let more = [
        ("src/engine/mod.rs", "mod tags;"),
        ("src/engine/tags/mod.rs", "mod score;\nmod bands;"),
        ("src/engine/tags/score/mod.rs", "mod bins;\nuse super::bands::Band;"),
        ("src/engine/tags/score/bins.rs", "//! Bins."),
        ("src/engine/tags/bands.rs", "pub struct Band;"),
    ];
    let findings = imports::rooms_out_of_order(&tree(&more));
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert!(findings[0].contains("in src/engine/tags score must not know bands"), "{findings:#?}");
}

#[test]
fn circles_are_found_where_there_are_folders() {
    let around = [
        ("src/kafka/mod.rs", "mod state;\nmod a;\nmod b;\nmod c;"),
        ("src/kafka/a.rs", "use super::b::B;"),
        ("src/kafka/b.rs", "use crate::kafka::c;"),
        ("src/kafka/c.rs", "fn f() { super::a::g() }"),
    ];
    let folder = [LIB, ("src/kafka/state/mod.rs", "mod restore;"), ("src/kafka/state/restore.rs", "")];
    let findings = imports::rooms_out_of_order(&made_up(&[&folder[..], &around].concat()));
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert!(findings[0].contains("src/kafka: a → b → c is a circle"), "{findings:#?}");
    // Where there are files alone they are one room.
    let findings = imports::rooms_out_of_order(&made_up(&[&[LIB][..], &around].concat()));
    assert_eq!(findings, Vec::<String>::new());
}

#[test]
fn doubled_names_are_found() {
    let faults = [
        (
            "src/kafka/admin.rs",
            "struct Worker;",
            "kafka: Worker is defined 2 times: src/kafka/admin.rs:1, src/kafka/worker/mod.rs:3",
        ),
        ("src/kafka/admin.rs", "pub(crate) type Worker<T> = Vec<T>;", "Worker is defined 2 times"),
        (
            "src/kafka/admin.rs",
            "trait A { type B; }\nenum B {}\nimpl A for C { type B = D; }\nmod e { pub enum B {} }",
            "B is defined 2 times",
        ),
    ];
    check(names::doubled, &faults);
    assert_eq!(names::doubled(&tree(&[("src/http/mod.rs", "struct Worker;")])), Vec::<String>::new());
    let instead = [
        ("src/http/mod.rs", "#[cfg(feature = \"x\")]\nmod a;\n#[cfg(not(feature = \"x\"))]\nmod b;"),
        ("src/http/a.rs", "struct Page;"),
        ("src/http/b.rs", "struct Page;"),
    ];
    assert_eq!(names::doubled(&tree(&instead)), Vec::<String>::new());
}

#[test]
fn other_kinds_are_found() {
    let faults = [
        ("src/engine/a.rs", "pub struct EventKind(u16);", "EventKind: a kind is an entity's"),
        ("src/engine/a.rs", "enum SomeKinds { All }", "SomeKinds"),
        ("src/engine/a.rs", "struct A { kind: EventTypeId, n: u8 }", "kind: EventTypeId"),
        ("src/engine/a.rs", "fn f(tag_kind: &Arc<TagForm>) {}", "tag_kind: TagForm"),
    ];
    check(names::other_kinds, &faults);
}

#[test]
fn impure_code_is_found() {
    let faults = [
        ("src/engine/a.rs", "use std::time::{Duration, Instant};", "std::time::Instant: time is an argument"),
        ("src/engine/a.rs", "fn f() { std::time::SystemTime::now }", "SystemTime"),
        ("src/engine/a.rs", "fn f() { Zoned::now() }", "Zoned::now"),
        ("src/engine/a.rs", "use std::sync::{Arc, mpsc};", "std::sync::mpsc"),
        ("src/engine/a.rs", "fn f(x: &Mutex<u8>) {}", "Mutex"),
        ("src/engine/a.rs", "fn f(x: AtomicU64) {}", "AtomicU64"),
        ("src/codec/a.rs", "fn f() { tracing::warn!(\"x\") }", "tracing::warn: return what is to be told"),
        ("src/codec/a.rs", "fn f() { println!(\"x\") }", "println"),
        ("src/catalog/a.rs", "use std::{cell::Cell, fs};", "std::fs"),
        ("src/catalog/a.rs", "fn f() { std::thread::sleep(d) }", "std::thread::sleep"),
        ("src/model/a.rs", "async fn f() {}", "async"),
    ];
    for (name, text, words) in faults {
        let findings = purity::impure(&tree(&[(name, text)]));
        assert!(findings.iter().any(|finding| finding.contains(words)), "{text}: {words} is not in {findings:#?}");
    }
}

#[test]
fn strayed_packages_are_found() {
    check(packages::strayed, &[("src/engine/a.rs", "use rdkafka::Offset;", "rdkafka is kafka's")]);
    check(packages::strayed, &[("src/http/a.rs", "fn f(x: prometheus::Counter) {}", "prometheus is telemetry's")]);
}

#[test]
fn modules_out_of_place_are_found() {
    let faults = [
        ("src/kafka/admin.rs", "mod inner;", "only mod.rs declares modules"),
        ("src/kafka/admin.rs", "#[path = \"x.rs\"] mod y {}", "a module stands where its name says"),
    ];
    check(files::declared_elsewhere, &faults);
}

#[test]
fn crowded_folders_are_found() {
    let names: Vec<String> = (0..12).map(|n| format!("src/http/f{n}.rs")).collect();
    let mut files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    files.push(("src/http/mod.rs", ""));
    assert_eq!(files::crowded(&tree(&files)), Vec::<String>::new());
    files.push(("src/http/pages/deep/x.rs", ""));
    let findings = files::crowded(&tree(&files));
    assert_eq!(findings, ["src/http: 13 entries; make rooms of at most 12"]);
}
