//! Catalogs that are right, and what they compile to.

use tagstream::catalog::{
    Aggregate, AttributeType, Bands, CalendarUnit, Catalog, Counter, EntityKind, EventTypeRule, EventTypeSet, Expr,
    FieldRule, History, NumberSource, Pointer, PropertiesRule, Resolution, Source, TagDefinition, TimeName, TimeUnit,
    Window, load,
};
use tagstream::model::{Decimal, EntityKindId, EventTypeId, Number, PathId};

pub fn compiled(text: &str) -> Catalog {
    let loaded = load(text);
    loaded.catalog.unwrap_or_else(|| panic!("{:#?}", loaded.problems))
}

const SPEC: &str = include_str!("good/spec.yaml");
const EVERYTHING: &str = include_str!("good/everything.yaml");
const ENTITIES: &str = include_str!("good/entities.yaml");

fn counter<'c>(catalog: &'c Catalog, name: &str) -> &'c Counter {
    catalog.counters.iter().find(|counter| &*counter.name == name).unwrap()
}

fn tag<'c>(catalog: &'c Catalog, name: &str) -> &'c TagDefinition {
    &catalog.tags.iter().find(|tag| &*tag.name == name).unwrap().definition
}

fn order(catalog: &Catalog) -> Vec<&str> {
    catalog.order.iter().map(|id| &*catalog.tags[usize::from(id.0)].name).collect()
}

fn labels(kind: &TagDefinition) -> Vec<Vec<&str>> {
    kind.conditions().iter().map(|condition| condition.reported.iter().map(|leaf| &*leaf.label).collect()).collect()
}

#[test]
fn the_example_of_the_contract() {
    let catalog = compiled(SPEC);
    assert_eq!(catalog.timezone.iana_name(), Some("Asia/Shanghai"));
    assert_eq!(catalog.input.dedup_ms, Some(3_600_000));
    let kinds: Vec<&str> = catalog.event_types.iter().map(|kind| &**kind).collect();
    assert_eq!(
        kinds,
        ["profile_updated", "member_joined", "member_renewed", "workout", "purchase", "referral", "class_booked"]
    );
    let paths: Vec<String> = catalog.paths.iter().map(|path| path.join("/")).collect();
    assert_eq!(paths, ["gender", "until", "amount", "class"]);
    assert_eq!(catalog.attributes[1].value_type, Some(AttributeType::Time));
    assert_eq!(catalog.attributes[1].from, EventTypeSet::Of(vec![EventTypeId(2), EventTypeId(3)]));
    let spend = counter(&catalog, "spend_180d");
    assert_eq!(spend.aggregate, Aggregate::Sum(NumberSource::Property(PathId(2))));
    assert_eq!(spend.window, Window::Rolling { panes: 180, resolution: Resolution::Day });
    let windows = counter(&catalog, "workouts_30d").window;
    assert_eq!(windows, Window::Rolling { panes: 720, resolution: Resolution::Hour });
    assert!(counter(&catalog, "purchases_180d").filter.is_some());
    assert_eq!(counter(&catalog, "last_active").aggregate, Aggregate::Last(Source::Time));
    assert_eq!(catalog.tags[0].title[1], ("zh".into(), "活跃会员".into()));
    assert_eq!(labels(tag(&catalog, "active_member")), [["workouts_30d"], ["workouts_30d"]]);
    assert_eq!(labels(tag(&catalog, "renewal_due")), [["days_until(member_until)"]]);
    assert_eq!(
        labels(tag(&catalog, "lifecycle")),
        [vec!["workouts_30d", "days_since(first_seen)"], vec!["days_since(last_active)"]]
    );
    let TagDefinition::Value { bands: Some(bands), .. } = tag(&catalog, "spend_level") else { panic!() };
    let names = ["low".into(), "mid".into(), "high".into()].to_vec();
    let whole = |number| Number::Decimal(Decimal::whole(number));
    assert_eq!(*bands, Bands { names, bounds: [100, 1000].map(whole).into(), margin: whole(0) });
    let in_file: Vec<&str> = catalog.tags.iter().map(|tag| &*tag.name).collect();
    assert_eq!(order(&catalog), in_file);
}

#[test]
fn every_key_and_every_form() {
    let loaded = load(EVERYTHING);
    assert_eq!(loaded.problems, []);
    let catalog = loaded.catalog.unwrap();
    let pointer = |tokens: &[&str]| Pointer(tokens.iter().map(|token| (*token).into()).collect());
    assert_eq!(catalog.input.key, FieldRule::of([pointer(&["context", "user/id"])]));
    assert_eq!(catalog.input.event_type, EventTypeRule::Segment);
    assert_eq!(catalog.input.properties, PropertiesRule::Segment);
    assert_eq!(catalog.input.id, FieldRule::of([pointer(&["messageId"])]));
    assert_eq!(catalog.input.time_unit, TimeUnit::Seconds);
    assert_eq!((catalog.input.max_future_ms, catalog.input.max_event_bytes), (600_000, 65_536));
    assert_eq!(catalog.paths[0], ["plan name".into(), "id".into()]);
    assert_eq!(catalog.attributes[6].value, Source::EventType);

    let rolling = |panes, resolution| Window::Rolling { panes, resolution };
    let windows = [
        ("n", Window::Lifetime),
        ("s", rolling(1_800, Resolution::Second)),
        ("a", rolling(720, Resolution::Minute)),
        ("lo", rolling(744, Resolution::Hour)),
        ("hi", rolling(32, Resolution::Day)),
        ("kinds", Window::Lifetime),
        ("days", rolling(14, Resolution::Day)),
        ("la", rolling(24, Resolution::Hour)),
        ("fi", Window::Calendar(CalendarUnit::Year)),
        ("to", Window::Calendar(CalendarUnit::Month)),
    ];
    for (name, window) in windows {
        assert_eq!(counter(&catalog, name).window, window, "{name}");
    }
    assert_eq!(counter(&catalog, "kinds").aggregate, Aggregate::Distinct { of: Source::EventType, limit: 256 });
    let Aggregate::Top { limit: 5, of: Source::Property(_) } = counter(&catalog, "to").aggregate else { panic!() };
    let TagDefinition::Rule { for_ms, keep_for_ms, .. } = tag(&catalog, "e") else { panic!() };
    assert_eq!((*for_ms, *keep_for_ms), (3_600_000, 604_800_000));
    assert_eq!(labels(tag(&catalog, "v")), [["tag.e", "city", "last_kind"]]);
    assert_eq!(
        labels(tag(&catalog, "f")),
        [
            vec!["first_seen", "fi"],
            vec!["hi", "lo", "la", "to"],
            vec!["is_staff", "plan", "score", "days", "lk"],
            vec!["days_until(member_until)", "days_since(trial_until)", "hours_since(last_seen)"],
        ]
    );
}

#[test]
fn entities_commands_and_history() {
    let loaded = load(ENTITIES);
    assert_eq!(loaded.problems, []);
    let catalog = loaded.catalog.unwrap();
    assert_eq!(catalog.history, History::Partial);
    let kind = |name: &str, key: Option<&[&str]>, forget_after_ms| EntityKind {
        name: name.into(),
        key: key.map(|tokens| Pointer(tokens.iter().map(|token| (*token).into()).collect())),
        forget_after_ms,
    };
    let account = kind("account", Some(&["properties", "account/id"]), Some(14 * 86_400_000));
    let device = kind("device", Some(&["context", "device"]), None);
    assert_eq!(catalog.entities, [account, kind("user", None, Some(730 * 86_400_000)), device]);
    assert_eq!(catalog.user(), EntityKindId(1));
    let owners = |of: Vec<EntityKindId>| of.into_iter().map(|kind| &*catalog.entity(kind).name).collect::<Vec<_>>();
    assert_eq!(owners(catalog.attributes.iter().map(|attribute| attribute.entity).collect()), ["account", "user"]);
    assert_eq!(owners(catalog.counters.iter().map(|counter| counter.entity).collect()), ["account", "user", "device"]);
    assert_eq!(
        owners(catalog.tags.iter().map(|tag| tag.entity).collect()),
        ["account", "account", "account", "user", "user", "user", "user", "device"]
    );
    assert_eq!(*tag(&catalog, "key_account"), TagDefinition::Manual { valid_for_ms: None });
    assert_eq!(*tag(&catalog, "vip"), TagDefinition::Manual { valid_for_ms: Some(30 * 86_400_000) });
    assert_eq!(order(&catalog), ["key_account", "churned", "large", "vip", "regular", "greeting", "level", "broken"]);
    let paths = catalog.command_paths.unwrap();
    let named = [paths.tag, paths.set, paths.value, paths.valid_for].map(|path| catalog.paths[path.index()].join("/"));
    assert_eq!(named, ["tag", "set", "value", "valid_for"]);
}

#[test]
fn a_catalog_without_entities_and_manual_tags_looks_for_neither() {
    let catalog = compiled(SPEC);
    assert_eq!((catalog.command_paths, catalog.history), (None, History::Complete));
    let user = EntityKind { name: "user".into(), key: None, forget_after_ms: None };
    // Where it is not declared, the user comes first.
    let text = SPEC.replace("version: 1", "version: 1\nentities: { account: { key: /account } }");
    assert_eq!(compiled(&text).entities[0], user);
    assert_eq!(compiled(&text).user(), EntityKindId(0));
    assert_eq!(catalog.entities, [user]);
}

#[test]
fn tags_take_their_turn_behind_those_they_use() {
    assert_eq!(order(&compiled(EVERYTHING)), ["b", "e", "v", "c", "f"]);
}

#[test]
fn without_input_the_flat_preset_counts() {
    let catalog = compiled("version: 1\n");
    let pointer = |name: &str| Pointer(vec![name.into()]);
    assert_eq!(catalog.input.key, FieldRule::of([pointer("user_id")]));
    assert_eq!(catalog.input.event_type, EventTypeRule::At(FieldRule::of([pointer("type")])));
    assert_eq!(catalog.input.time, FieldRule::of([pointer("timestamp")]));
    assert_eq!(catalog.input.properties, PropertiesRule::At(pointer("properties")));
    assert_eq!((catalog.input.dedup_ms, catalog.input.max_event_bytes), (None, 1_048_576));
    assert_eq!((catalog.input.dedup_limit, catalog.input.max_text), (10_000, 1_024));
    assert_eq!(catalog.timezone.iana_name(), Some("UTC"));
}

#[test]
fn sections_may_be_empty_and_times_are_named() {
    let catalog = compiled("version: 1\nattributes:\ncounters: {}\ntags:\n  t: { when: first_seen < last_seen }\n");
    let TagDefinition::Rule { when, .. } = &catalog.tags[0].definition else { panic!() };
    assert_eq!(when.reported[0].expr, Expr::Time(TimeName::FirstSeen));
}

#[test]
fn the_catalog_of_the_reference_page() {
    let page = include_str!("../../../deploy/docs/catalog.md");
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let loaded = load(example);
    assert_eq!(loaded.problems, []);
    assert_eq!(loaded.catalog.unwrap().tags.len(), 4);
}

#[test]
fn the_fingerprint_is_of_the_meaning() {
    let fingerprint = |text: &str| compiled(text).fingerprint;
    let base = fingerprint(SPEC);
    assert_eq!(base, fingerprint(&format!("# a comment\n{SPEC}\n")));
    assert_eq!(base, fingerprint(&SPEC.replace("Active member", "Active")));
    assert_eq!(base, fingerprint(&SPEC.replace("group: lifecycle/risk", "group: x\n    owner: me")));
    assert_eq!(base, fingerprint(&SPEC.replace("workouts_30d >= 10", "(workouts_30d)>=10.0")));
    assert_eq!(base, fingerprint(&SPEC.replace("dedup: 1h", "dedup: 1h, dedup_limit: 10000, max_text: 1024")));
    for (from, to) in [
        ("workouts_30d >= 10", "workouts_30d >= 11"),
        ("below: 1000", "below: 1001"),
        ("Asia/Shanghai", "Asia/Tokyo"),
        ("dedup: 1h", "dedup: 2h"),
        ("dedup: 1h", "dedup: 1h, dedup_limit: 9999"),
        ("dedup: 1h", "dedup: 1h, max_text: 1023"),
        ("window: 90d", "window: 91d"),
        ("active_member:", "active_members:"),
        ("count: referral", "count: referred"),
        ("properties.class,", "properties.course,"),
    ] {
        assert_ne!(base, fingerprint(&SPEC.replace(from, to)), "{from}");
    }
}

/// A hash that changes by itself would have every deployment evaluate its catalog anew.
#[test]
fn the_fingerprint_is_of_entities_and_history_too() {
    let base = compiled(SPEC).fingerprint;
    let with = |line: &str| compiled(&SPEC.replace("version: 1", &format!("version: 1\n{line}"))).fingerprint;
    assert_eq!(base, with("history: complete"));
    assert_eq!(base, with("entities: { user: {} }"));
    let lines = [
        "history: partial",
        "entities: { user: { forget_after: 730d } }",
        "entities: { user: { forget_after: 731d } }",
        "entities: { account: { key: /account } }",
        "entities: { account: { key: /accounts } }",
        "entities: { account: { key: /account }, user: {} }",
    ];
    let mut all: Vec<u64> = lines.iter().map(|line| with(line)).chain([base]).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), lines.len() + 1);
    let of = |entity: &str| {
        let lines = "version: 1\nentities: { account: { key: /account }, device: { key: /device } }\n";
        compiled(&format!("{lines}tags: {{ vip: {{ manual: {{}}, entity: {entity} }} }}\n")).fingerprint
    };
    assert_ne!(of("account"), of("device"));
    assert_ne!(of("account"), of("user"));
}
