//! The topics of merged inputs: what the start says of those that do not fit, and the rights that they need.

use crate::fixture::acls::{self, Acl};
use crate::fixture::broker;
use crate::fixture::client::{create_topic, produce, read_all};
use crate::fixture::now_ms;
use crate::fixture::secured_broker::{self, Proof, USER};
use crate::oracle::merged_replay::{CATALOG, Mixed};
use crate::support::service::{Setup, text};

#[test]
fn topics_for_what_is_passed_on_that_do_not_fit_are_told() {
    let broker = broker::shared();
    let setup = Setup::on("unmet", broker, CATALOG);
    create_topic(broker, "unmet-by-account-changelog", 3, &[("cleanup.policy", "compact")]);
    create_topic(broker, "unmet-by-account", 2, &[("cleanup.policy", "compact"), ("max.message.bytes", "3000000")]);
    let created = text(&setup.output(&["topics", "create", "--input-partitions", "1"]));
    let run = text(&setup.output(&["run"]));
    let wrong = [
        "unmet-by-account: cleanup.policy is compact, should be delete",
        "unmet-by-account-changelog: has 3 partitions, should have 2, as the topic that it is the changelog of",
    ];
    for words in wrong {
        assert!(created.contains(words) && run.contains(words), "{words} is not in both:\n{created}\n{run}");
    }
    assert!(run.contains("2 things are wrong"), "{run}");
}

#[test]
fn it_needs_rights_on_what_it_passes_on_and_names_those_that_are_missing() {
    let secured = secured_broker::shared();
    let setup = |by: &str| Setup::on("passes", &secured.broker, CATALOG).with(&format!("input.partitioned_by={by}"));
    setup("none").create_topics(1);
    let guarded = secured.guard(setup("none"), Proof::Scram);
    acls::give(&secured.broker, USER, &acls::minimal(&guarded));
    let output = text(&guarded.output(&["run"]));
    for topic in ["by-user", "by-user-changelog", "by-account", "by-account-changelog"] {
        for right in ["Read", "Write"] {
            let words = format!("topic passes-{topic}: no right to {right} the topic passes-{topic}");
            assert!(output.contains(&words), "{words} is not in {output}");
        }
    }
    let topics = ["by-user", "by-user-changelog", "by-account", "by-account-changelog"];
    let rights = topics.iter().flat_map(|topic| [acls::READ, acls::WRITE].map(|right| (topic, right)));
    let rights: Vec<Acl> = rights.map(|(topic, right)| Acl::topic(guarded.topic(topic), right)).collect();
    acls::give(&secured.broker, USER, &rights);
    let mut service = guarded.start();
    produce(&secured.broker, &guarded.topic("events"), [Mixed::new(1).at(now_ms(), 0, 0)]);
    service.until("changes", |_| !read_all(&secured.broker, &guarded.topic("changes")).is_empty());
    service.stop();
}
