//! Requests that come late, answers that are lost, a broker that cannot be reached: every event counts once all the same.

use std::thread;
use std::time::Duration;

use crate::fixture::counting::{COUNT, PARTITIONS, check, read_to};
use crate::fixture::proxy::{self, Act, Api, Code, Proxy, Taken};
use crate::fixture::steady_events::Steady;
use crate::support::service::{Service, Setup};

/// The broker's words for a producer that was replaced.
const INVALID_PRODUCER_EPOCH: Code = 47;
const OBEYED: Code = 0;

/// A service behind the proxy under a steady stream.
struct ProxiedService {
    setup: Setup,
    proxy: &'static Proxy,
    service: Service,
    writer: Steady,
}

impl ProxiedService {
    fn start(name: &str, settings: &[&str]) -> ProxiedService {
        let (broker, proxy) = proxy::shared();
        let setup = Setup::new(name, &proxy.address(), COUNT).with("service.commit_interval=20ms");
        let setup = settings.iter().fold(setup, |setup, setting| setup.with(setting));
        setup.create_topics(PARTITIONS as u32);
        let writer = Steady::start(broker, setup.topic("events"));
        let mut service = setup.start();
        service.says("runs partition 1");
        ProxiedService { setup, proxy, service, writer }
    }

    fn rule(&self, api: Api, act: Act) -> Taken {
        // The id of the first worker's clients.
        self.proxy.rule(&format!("{}-one-0", self.setup.application), api, act)
    }

    /// Waits until a request has been dealt with.
    fn await_over(&mut self, taken: &Taken) {
        self.service.until("the fault to be over", |_| taken.is_over());
    }

    /// Lets everything come to its end, and returns what the service has said.
    fn check(mut self) -> String {
        let (broker, _) = proxy::shared();
        let written = self.writer.stop();
        self.service.until("the end", |_| read_to(broker, &self.setup, written));
        let log = self.service.stop();
        check(broker, &self.setup, written);
        log
    }
}

const RECYCLED: &str = "new producer, since requests were repeated or a connection broke";

#[test]
fn late_requests_reach_a_producer_that_is_no_more() {
    let proxied = ProxiedService::start("late", &[]);
    let late = [
        (Api::EndTxn, Act::Late(Api::TxnOffsetCommit, 1), INVALID_PRODUCER_EPOCH),
        (Api::EndTxn, Act::Late(Api::EndTxn, 2), INVALID_PRODUCER_EPOCH),
        (Api::TxnOffsetCommit, Act::Late(Api::EndTxn, 2), INVALID_PRODUCER_EPOCH),
        (Api::TxnOffsetCommit, Act::Late(Api::EndTxn, 1), OBEYED),
        (Api::Produce, Act::Late(Api::EndTxn, 2), INVALID_PRODUCER_EPOCH),
        // In its own transaction it is a repeat, which the broker knows by its number.
        (Api::Produce, Act::Late(Api::EndTxn, 1), OBEYED),
    ];
    for round in 0..2 {
        for (api, act, code) in late {
            let answer = proxied.rule(api, act).answer();
            assert_eq!(answer, code, "round {round}: {api:?} {act:?}\n{}", proxied.service.log());
        }
    }
    let log = proxied.check();
    assert!(log.contains(RECYCLED), "{log}");
}

#[test]
fn lost_answers_are_asked_for_again() {
    let proxied = ProxiedService::start(
        "lost",
        &["kafka.properties.socket.timeout.ms=1000", "kafka.properties.transaction.timeout.ms=4000"],
    );
    for api in [Api::EndTxn, Api::TxnOffsetCommit, Api::Produce, Api::EndTxn] {
        assert_eq!(proxied.rule(api, Act::LoseAnswer).answer(), OBEYED, "{api:?}");
    }
    let log = proxied.check();
    assert!(log.contains("new producer"), "{log}");
}

#[test]
fn a_commit_whose_answer_died_with_the_process_is_found() {
    let mut proxied = ProxiedService::start("orphan", &[]);
    for _ in 0..3 {
        assert_eq!(proxied.rule(Api::EndTxn, Act::LoseAnswer).answer(), OBEYED);
        proxied.service.signal(libc::SIGKILL);
        proxied.service.ended();
        proxied.service = proxied.setup.start();
        proxied.service.says("runs partition 1");
    }
    proxied.check();
}

#[test]
fn slow_commits_in_a_row_are_not_trusted() {
    let mut proxied = ProxiedService::start(
        "slow",
        &["kafka.properties.socket.timeout.ms=2000", "kafka.properties.transaction.timeout.ms=8000"],
    );
    // The last ones take longer than the client waits: it repeats them, and both arrive.
    let delays = [1_100, 1_500, 1_100, 2_500, 3_500];
    let slow = delays.map(|delay| proxied.rule(Api::EndTxn, Act::Delay(Duration::from_millis(delay))));
    slow.iter().for_each(|taken| proxied.await_over(taken));
    let log = proxied.check();
    assert!(log.contains("new producer, since the last commit took long"), "{log}");
}

#[test]
fn cut_off_for_longer_than_a_transaction_lives_it_finds_out_what_became_of_it() {
    let mut proxied = ProxiedService::start(
        "cutoff",
        &["kafka.properties.socket.timeout.ms=1000", "kafka.properties.transaction.timeout.ms=1500"],
    );
    let time = Duration::from_millis(3_500);
    for (api, act) in [
        (Api::EndTxn, Act::CutOff(time)),
        (Api::EndTxn, Act::CutOffBehind(time)),
        (Api::TxnOffsetCommit, Act::CutOffBehind(time)),
        (Api::Produce, Act::CutOffBehind(time)),
    ] {
        let taken = proxied.rule(api, act);
        proxied.await_over(&taken);
        // The next one falls on a service that works again.
        thread::sleep(Duration::from_millis(10));
    }
    let log = proxied.check();
    assert!(log.contains("fate of the last transaction read back"), "{log}");
}
