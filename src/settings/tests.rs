//! Wrong settings as users write them, and the messages.

use std::path::PathBuf;
use std::time::Duration;

use crate::codec::ChangeFormat;

use super::{
    ConfigFile, GroupProtocol, InputFormat, Instance, Membership, PushSettings, SchemaRegistrySettings, Settings,
    Signing, Sources, Start, TlsFiles, load,
};

/// A folder with one `tagstream.toml` in it.
struct Folder(PathBuf);

impl Folder {
    fn with(name: &str, toml: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("tagstream-settings-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        std::fs::write(folder.join("tagstream.toml"), toml).expect("a file");
        Folder(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("tagstream.toml")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn read(name: &str, toml: &str, env: &[(&str, &str)], flags: &[&str]) -> Result<Settings, String> {
    let folder = Folder::with(name, toml);
    let sources = Sources {
        file: ConfigFile::Named(folder.file()),
        environment: env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
    };
    load(&sources).map_err(|problems| problems.to_string().replace(&folder.file().display().to_string(), "FILE"))
}

fn check(name: &str, toml: &str, env: &[(&str, &str)], flags: &[&str], expected: &str) {
    let report = read(name, toml, env, flags).expect_err("a report");
    assert_eq!(report, expected, "case {name}");
}

const GOOD: &str = "catalog = 'catalog.yaml'\n[kafka]\nbrokers = 'k:9092'\n";

#[test]
fn defaults_are_those_of_the_contract() {
    let settings = read("defaults", GOOD, &[], &[]).expect("settings");
    assert_eq!(settings.kafka.application, "tagstream");
    assert_eq!(settings.input.topics, ["events"]);
    assert_eq!(settings.input.start, Start::Earliest);
    assert_eq!(settings.output.changes, "tag-changes");
    assert_eq!(settings.output.tags.as_deref(), Some("tags"));
    assert_eq!(settings.dead_letter_topic(), "tagstream-dead-letter");
    assert_eq!(settings.service.commit_interval.as_millis(), 100);
    assert_eq!(settings.service.idle_grace, Some(Duration::from_secs(5)));
    assert_eq!(settings.service.outage_after.map(|d| d.as_secs()), Some(3600));
    assert_eq!(settings.service.watch_catalog, None);
    assert!(settings.state.is_none());
    assert_eq!(settings.http.listen.map(|listen| listen.to_string()).as_deref(), Some("127.0.0.1:8080"));
}

#[test]
fn a_path_in_the_file_is_taken_from_the_files_folder() {
    let folder = Folder::with("path", GOOD);
    let sources = Sources { file: ConfigFile::Named(folder.file()), environment: Vec::new(), flags: Vec::new() };
    let settings = load(&sources).expect("settings");
    assert_eq!(settings.catalog, Some(folder.0.join("catalog.yaml")));
}

#[test]
fn snapshots_are_taken_where_there_is_a_directory() {
    let folder = Folder::with("state", &format!("{GOOD}[state]\ndirectory = 'state'\n"));
    let load_with = |flags: &[&str]| {
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        load(&Sources { file: ConfigFile::Named(folder.file()), environment: Vec::new(), flags })
    };
    let state = load_with(&[]).expect("settings").state.expect("snapshots");
    assert_eq!((state.directory, state.snapshot_interval.as_secs()), (folder.0.join("state"), 600));
    assert!(load_with(&["state.directory="]).expect("settings").state.is_none());
    let report = load_with(&["state.snapshot_interval=10ms"]).expect_err("a report").to_string();
    assert_eq!(
        report,
        "setting state.snapshot_interval (from -s): is \"10ms\", expected a duration with its unit, such as \"10m\", \
         from 1s to 1d"
    );
}

#[test]
fn the_read_side_has_settings_of_its_own() {
    let serve = read("serve", GOOD, &[], &[]).expect("settings").serve;
    assert_eq!((serve.listen.to_string(), serve.history.as_secs()), ("127.0.0.1:8081".to_owned(), 400 * 86_400));
    assert!(serve.partitions.is_none() && serve.directory.is_none() && serve.tokens.is_none() && serve.tls.is_none());
    let flags = ["serve.partitions=0-2, 7", "serve.certificate=c.pem", "serve.key=k.pem", "serve.tokens=t"];
    let serve = read("serve-all", GOOD, &[], &flags).expect("settings").serve;
    assert_eq!(serve.partitions, Some([0, 1, 2, 7].into()));
    assert_eq!(serve.tls, Some(TlsFiles { certificate: "c.pem".into(), key: "k.pem".into() }));
    assert_eq!(serve.service, None);
    for good in ["127.0.0.1:8080", "tagstream-0.tagstream.svc:8080", "[::1]:80"] {
        let serve = read("serve-service", GOOD, &[], &[&format!("serve.service={good}")]).expect("settings").serve;
        assert_eq!(serve.service.as_deref(), Some(good));
    }
    for wrong in ["127.0.0.1", "http://a:80", "a:0", ":80", "a b:80", "a:x", "a@b:80"] {
        let error = format!(
            "setting serve.service (from -s): is \"{wrong}\", expected a host with a port, such as \
             127.0.0.1:8080: http.listen of a process of the service"
        );
        check("serve-service-wrong", GOOD, &[], &[&format!("serve.service={wrong}")], &error);
    }
    check(
        "serve-wrong",
        GOOD,
        &[],
        &["serve.listen=x", "serve.partitions=3-1", "serve.history=1h", "serve.key=k.pem", "serve.requests_a_second=0"],
        "5 settings are wrong\n  \
         serve.listen (from -s): is \"x\", expected an address with a port, such as 127.0.0.1:8081\n  \
         serve.partitions (from -s): is \"3-1\", expected numbers and ranges of partitions, such as \"0-3,7\", or \"all\"\n  \
         serve.history (from -s): is \"1h\", expected a duration with its unit, such as \"400d\", from 1d to 36500d\n  \
         serve.requests_a_second (from -s): is \"0\", expected a whole number from 1 to 1000000, or \"off\"\n  \
         serve.key (from -s): is \"k.pem\", expected serve.certificate with it: the file of its certificate",
    );
}

#[test]
fn later_layers_win() {
    let toml = "catalog = 'c'\n[kafka]\nbrokers = 'file:1'\napplication = 'file'\n[output]\ntags = 'file'\n";
    let env = [("TAGSTREAM__KAFKA__APPLICATION", "env"), ("TAGSTREAM__OUTPUT__TAGS", "env"), ("OTHER__X", "y")];
    let settings = read("layers", toml, &env, &["output.tags=", "service.workers=3"]).expect("settings");
    assert_eq!(settings.kafka.brokers, "file:1");
    assert_eq!(settings.kafka.application, "env");
    assert_eq!(settings.output.tags, None);
    assert_eq!(settings.service.workers.get(), 3);
}

#[test]
fn properties_are_one_key_however_written() {
    let toml = "catalog = 'c'\n[kafka]\nbrokers = 'k'\n[kafka.properties]\n'security.protocol' = 'ssl'\n\
                sasl.username = 'file'\n'socket.timeout.ms' = 6000\n'sasl.password' = 'file'\n";
    let env = [("TAGSTREAM__KAFKA__PROPERTIES__SASL_PASSWORD", "0123")];
    let settings = read("properties", toml, &env, &["kafka.properties.sasl.username=flag"]).expect("settings");
    let properties: Vec<_> = settings.kafka.properties.iter().collect();
    let expected = [
        ("sasl.password", "0123"),
        ("sasl.username", "flag"),
        ("security.protocol", "ssl"),
        ("socket.timeout.ms", "6000"),
    ];
    assert_eq!(properties, expected);
    assert!(!format!("{settings:?}").contains("0123"), "a secret shows in Debug");
}

#[test]
fn secrets_come_from_files() {
    let folder = Folder::with("secret", "hunter2\n");
    let path = folder.file().display().to_string();
    let env = [("TAGSTREAM__KAFKA__PROPERTIES__SASL_PASSWORD_FILE", path.as_str())];
    let settings = read("secret-user", GOOD, &env, &[]).expect("settings");
    assert_eq!(settings.kafka.properties.iter().collect::<Vec<_>>(), [("sasl.password", "hunter2")]);
}

#[test]
fn every_problem_is_told_at_once() {
    check(
        "many",
        "catalgo = 'x'\n[kafka]\nbroker = 'k'\n[service]\nworkers = 0\ncommit_interval = 100\n[http]\nlisten = 'x'\n",
        &[("TAGSTREAM__INPUT__START", "now"), ("TAGSTREAM__SERVCE__WORKERS", "2")],
        &["output.changes=tag changes", "what"],
        "10 settings are wrong\n  \
         -s: is \"what\", expected key=value\n  \
         catalgo (in FILE): no such setting; did you mean catalog?\n  \
         kafka.broker (in FILE): no such setting; did you mean kafka.brokers?\n  \
         servce.workers (from TAGSTREAM__SERVCE__WORKERS): no such setting; did you mean service.workers?\n  \
         kafka.brokers: missing; give it a list such as \"kafka-1:9092,kafka-2:9092\"\n  \
         input.start (from TAGSTREAM__INPUT__START): is \"now\", expected \"earliest\" or \"latest\"\n  \
         output.changes (from -s): is \"tag changes\", expected 1 to 200 letters, digits, dots, dashes and underscores\n  \
         service.workers (in FILE): is 0, expected a whole number from 1 to 256\n  \
         service.commit_interval (in FILE): is 100, expected a duration with its unit, such as \"100ms\", from 1ms to 1m\n  \
         http.listen (in FILE): is \"x\", expected an address with a port, such as 127.0.0.1:8080, or \"off\"",
    );
}

#[test]
fn inputs_are_one_or_several_each_once() {
    let settings = read("several", GOOD, &[("TAGSTREAM__INPUT__TOPICS", "a, b")], &["input.partitioned_by=none"]);
    let input = settings.expect("settings").input;
    assert_eq!(
        (input.topics, input.partitioned_by),
        (vec!["a".to_owned(), "b".to_owned()], super::PartitionedBy::None)
    );
    let settings = read("list", GOOD, &[], &["input.topics=[\"a\", 'b']"]).expect("settings");
    assert_eq!(settings.input.topics, ["a", "b"]);
    check(
        "no list",
        GOOD,
        &[],
        &["input.topics=a,,b"],
        "setting input.topics (from -s): is \"a,,b\", expected a list with names of topics, such as [\"events\"], or \
         events,orders in a variable and with -s",
    );
    check(
        "twice",
        GOOD,
        &[("TAGSTREAM__INPUT__TOPICS", "a,b,a")],
        &["input.partitioned_by=account"],
        "2 settings are wrong\n  \
         input.topics (from TAGSTREAM__INPUT__TOPICS): is \"a,b,a\", expected each topic once\n  \
         input.partitioned_by (from -s): is \"account\", expected \"user\" or \"none\"",
    );
    check(
        "own",
        GOOD,
        &[],
        &["input.topics=tagstream-by-user"],
        "setting input.topics (from -s): one of them is already used for something else",
    );
}

#[test]
fn a_variable_with_one_underscore_is_told_and_those_of_others_are_left_alone() {
    let others = [
        "TAGSTREAM_LOG",
        "TAGSTREAM_FAILPOINT",
        "TAGSTREAM_SERVICE_HOST",
        "TAGSTREAM_SERVICE_PORT_HTTP",
        "TAGSTREAM_PORT_8080_TCP__ADDR",
        "TAGSTREAMER_KAFKA__BROKERS",
    ];
    read("others", GOOD, &others.map(|name| (name, "x")), &[]).expect("settings");
    check(
        "underscore",
        GOOD,
        &[
            ("TAGSTREAM_SERVICE__WORKERS", "2"),
            ("TAGSTREAM_CATALOG", "c"),
            ("TAGSTREAM_KAFKA_BROKERS", "k"),
            ("TAGSTREAM_KAFKA__PROPERTIES__SASL_PASSWORD", "hunter2"),
        ],
        &[],
        "4 settings are wrong\n  \
         TAGSTREAM_SERVICE__WORKERS: TAGSTREAM is followed by two underscores: TAGSTREAM__SERVICE__WORKERS\n  \
         TAGSTREAM_CATALOG: TAGSTREAM is followed by two underscores: TAGSTREAM__CATALOG\n  \
         TAGSTREAM_KAFKA_BROKERS: TAGSTREAM is followed by two underscores: TAGSTREAM__KAFKA__BROKERS\n  \
         TAGSTREAM_KAFKA__PROPERTIES__SASL_PASSWORD: TAGSTREAM is followed by two underscores: \
         TAGSTREAM__KAFKA__PROPERTIES__SASL_PASSWORD",
    );
}

#[test]
fn secrets_are_not_shown() {
    check(
        "flag-secret",
        GOOD,
        &[],
        &["kafka.properties.sasl.password=hunter2"],
        "setting kafka.properties.sasl.password (from -s): a secret in the arguments can be read by others; \
         give TAGSTREAM__KAFKA__PROPERTIES__SASL_PASSWORD_FILE the path of a file",
    );
    check(
        "list-secret",
        &format!("{GOOD}properties = {{ 'sasl.password' = ['hunter2'] }}"),
        &[],
        &[],
        "setting kafka.properties.sasl.password (in FILE): is another type, expected a string, a number or a bool",
    );
    let report = read("syntax", "[kafka.properties]\n'sasl.password' = hunter2\n", &[], &[]).expect_err("a report");
    assert!(!report.contains("hunter2"), "a secret shows in {report}");
    assert!(report.contains("not valid TOML at line 2"), "no line in {report}");
}

#[test]
fn members_are_static_where_the_instance_has_a_name() {
    let settings = read("named", GOOD, &[], &["service.instance=one"]).expect("settings");
    assert_eq!(settings.service.instance, Instance::Named("one".to_owned()));
    assert_eq!(settings.kafka.group_protocol, GroupProtocol::Classic);
    assert_eq!(settings.membership(), Membership::Static);
    let settings = read("kip-848", GOOD, &[], &["service.instance=one", "kafka.group_protocol=consumer"]);
    assert_eq!(settings.expect("settings").membership(), Membership::Dynamic);
}

#[test]
fn processes_without_a_name_draw_different_ones() {
    for flags in [&[][..], &["service.instance="]] {
        let [one, two] = ["one", "two"].map(|name| read(name, GOOD, &[], flags).expect("settings"));
        assert_eq!(one.membership(), Membership::Dynamic);
        assert!(matches!(one.service.instance, Instance::Generated(_)));
        assert_ne!(one.service.instance.name(), two.service.instance.name());
    }
}

#[test]
fn a_clock_that_does_not_follow_the_wall_clock() {
    let grace = |flags: &[&str]| read("grace", GOOD, &[], flags).expect("settings").service.idle_grace;
    assert_eq!(grace(&[]), Some(Duration::from_secs(5)));
    assert_eq!(grace(&["service.idle_grace=off"]), None);
    check(
        "long-grace",
        GOOD,
        &[],
        &["service.idle_grace=25h"],
        "setting service.idle_grace (from -s): is \"25h\", expected a duration with its unit, such as \"5s\", from 0s to 1d, \
         or \"off\"",
    );
}

#[test]
fn a_format_with_schemas_needs_their_registry() {
    let format = |flags: &[&str]| read("format", GOOD, &[], flags).expect("settings").input.format;
    assert_eq!(format(&["schema_registry.url=http://r:8081"]), InputFormat::Json);
    let confluent = ["input.format=confluent", "schema_registry.url=http://r:8081/, https://s/apis/ccompat/v7"];
    let urls = vec!["http://r:8081".to_owned(), "https://s/apis/ccompat/v7".to_owned()];
    let without = SchemaRegistrySettings { urls, credentials: None, ca: None };
    assert_eq!(format(&confluent), InputFormat::Confluent(without.clone()));
    let files = ["schema_registry.credentials=/run/registry", "schema_registry.ca=/run/ca.pem"];
    let with =
        SchemaRegistrySettings { credentials: Some("/run/registry".into()), ca: Some("/run/ca.pem".into()), ..without };
    assert_eq!(format(&[confluent, files].concat()), InputFormat::Confluent(with));
    for (name, flags, expected) in [
        (
            "no-registry",
            &["input.format=confluent"][..],
            "setting schema_registry.url (default): is nothing, expected the address of a schema registry, such as \
             http://registry:8081, for `input.format = \"confluent\"`",
        ),
        (
            "avro",
            &["input.format=avro"],
            "setting input.format (from -s): is \"avro\", expected \"json\" or \"confluent\"",
        ),
        (
            "password",
            &["schema_registry.url=http://me:secret@r"],
            "setting schema_registry.url (from -s): an address has no user and no password: they stand in the file \
             schema_registry.credentials",
        ),
    ] {
        check(name, GOOD, &[], flags, expected);
    }
}

#[test]
fn topics_that_collide() {
    check(
        "collide",
        GOOD,
        &[],
        &["output.changes=events", "output.tags=tagstream-dead-letter"],
        "2 settings are wrong\n  \
         output.changes (from -s): \"events\" is already used for something else\n  \
         output.tags (from -s): \"tagstream-dead-letter\" is already used for something else",
    );
}

#[test]
fn durations() {
    for (text, ms) in [("100ms", 100), ("1h30m", 5_400_000), ("0s", 0), ("2d", 172_800_000), ("1w", 604_800_000)] {
        assert_eq!(super::duration::parse(text).map(|d| d.as_millis()), Some(ms), "{text}");
    }
    for text in ["100ms", "90m", "0s", "2d", "7d", "1500ms", "1s"] {
        assert_eq!(super::duration::parse(text).map(super::duration::display).as_deref(), Some(text));
    }
    for text in ["", "5", "s", "1.5h", "-1s", "5 s", "9999999999999999999s", "1y", "5sm"] {
        assert_eq!(super::duration::parse(text), None, "{text}");
    }
}

#[test]
fn a_named_file_must_exist_and_the_usual_one_need_not() {
    let missing = PathBuf::from("/nonexistent/tagstream.toml");
    let mut sources = Sources { file: ConfigFile::Named(missing.clone()), environment: Vec::new(), flags: Vec::new() };
    let report = load(&sources).expect_err("a report").to_string();
    assert_eq!(report, "setting --config: no file at /nonexistent/tagstream.toml");
    sources.file = ConfigFile::Default(missing);
    sources.flags = vec!["kafka.brokers=k".to_owned()];
    load(&sources).expect("settings");
}

#[test]
fn where_changes_are_posted() {
    let defaults = read("push-defaults", GOOD, &[], &[]).expect("settings");
    assert_eq!(defaults.push, PushSettings::default());
    assert_eq!(defaults.push_group(), "tagstream-push");
    assert_eq!(defaults.push_dead_letter_topic(), "tagstream-push-dead-letter");
    let toml = format!(
        "{GOOD}[push]\nurl = 'https://hooks.example.com/tags?a=1'\nsecret = 'secret'\ncredentials = '/run/receiver'\n\
         ca = '/run/ca.pem'\ngroup = 'crm'\nstart = 'latest'\nformat = 'segment'\nbatch = 7\ntimeout = '1s'\ngive_up_after = 'off'\n\
         listen = 'off'\n"
    );
    let settings = read("push", &toml, &[], &[]).expect("settings");
    let Signing::With(secret) = &settings.push.signing else { panic!("{:?}", settings.push.signing) };
    assert!(secret.is_absolute() && secret.ends_with("secret"), "a path in the file begins in its folder: {secret:?}");
    let wanted = PushSettings {
        url: Some("https://hooks.example.com/tags?a=1".to_owned()),
        signing: settings.push.signing.clone(),
        credentials: Some("/run/receiver".into()),
        ca: Some("/run/ca.pem".into()),
        group: Some("crm".to_owned()),
        start: Start::Latest,
        format: ChangeFormat::Segment,
        batch: 7,
        timeout: Duration::from_secs(1),
        give_up_after: None,
        listen: None,
    };
    assert_eq!(settings.push, wanted);
    assert_eq!(settings.push_dead_letter_topic(), "crm-dead-letter");
    let off = read("push-off", GOOD, &[], &["push.secret=off"]).expect("settings");
    assert_eq!(off.push.signing, Signing::Off);
}

#[test]
fn wrong_receivers_are_refused() {
    let address = "expected the address of a receiver, such as https://hooks.example.com/tags";
    let duration = "expected a duration with its unit, such as";
    let cases = [
        ("push.url=hooks.example.com", format!("is \"hooks.example.com\", {address}")),
        ("push.url=https://", format!("is \"https://\", {address}")),
        ("push.url=https://a b/", format!("is \"https://a b/\", {address}")),
        (
            "push.url=https://me:hunter2@a.b/",
            "an address has no user and no password: they stand in the file push.credentials".to_owned(),
        ),
        ("push.format=avro", "is \"avro\", expected \"tagstream\" or \"cloudevents\" or \"segment\"".to_owned()),
        ("push.batch=0", "is \"0\", expected a whole number from 1 to 10000".to_owned()),
        ("push.timeout=2m", format!("is \"2m\", {duration} \"10s\", from 100ms to 1m")),
        ("push.give_up_after=0s", format!("is \"0s\", {duration} \"24h\", at least 1s, or \"off\"")),
        ("push.start=now", "is \"now\", expected \"earliest\" or \"latest\"".to_owned()),
        (
            "push.listen=8082",
            "is \"8082\", expected an address with a port, such as 127.0.0.1:8082, or \"off\"".to_owned(),
        ),
        ("push.group=a b", "is \"a b\", expected 1 to 200 letters, digits, dots, dashes and underscores".to_owned()),
    ];
    for (flag, expected) in cases {
        let (key, _) = flag.split_once('=').expect("a key");
        check(key, GOOD, &[], &[flag], &format!("setting {key} (from -s): {expected}"));
    }
    let words = "this is the group of the workers (kafka.application); give it another name";
    let flags = &["push.group=shop", "kafka.application=shop"];
    check("push-group", GOOD, &[], flags, &format!("setting push.group (from -s): {words}"));
    let words = "\"tagstream-push-dead-letter\" is already used for something else";
    let flags = &["output.changes=tagstream-push-dead-letter"];
    check("push-letters", GOOD, &[], flags, &format!("setting output.changes (from -s): {words}"));
}
