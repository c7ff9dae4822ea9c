//! What becomes of a batch: accepted, repeated, cut in halves, or dead letters.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tagstream::codec::ChangeFormat;
use tagstream::http::Probes;
use tagstream::kafka::SubscribedRecord;
use tagstream::push::{Courier, Delivered, LaneStop, LetterReason, PushMonitor, RequestForm, Webhook, WriteLetter};
use tagstream::service::wall_clock;
use tagstream::settings::{PushSettings, Signing};

use super::{change, record};
use crate::support::receiver::{OK, Received, Receiver, Reply, base64};

const KEY: [u8; 32] = [3; 32];

/// A courier, and what it writes.
struct Bench {
    courier: Courier,
    letters: Arc<Mutex<Vec<String>>>,
    monitor: Arc<PushMonitor>,
    secret: PathBuf,
}

impl Bench {
    fn new(name: &str, url: &str, give_up_after: Option<Duration>) -> Bench {
        Bench::in_format(ChangeFormat::Tagstream, name, url, give_up_after)
    }

    fn in_format(format: ChangeFormat, name: &str, url: &str, give_up_after: Option<Duration>) -> Bench {
        let secret = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("push-{name}-{}", std::process::id()));
        fs::write(&secret, format!("whsec_{}\n", base64(&KEY))).expect("a file");
        let settings = PushSettings { signing: Signing::With(secret.clone()), ..PushSettings::default() };
        let (letters, monitor) = (Arc::default(), Arc::new(PushMonitor::new()));
        let written: Arc<Mutex<Vec<String>>> = Arc::clone(&letters);
        let write: Arc<WriteLetter> = Arc::new(move |record: &SubscribedRecord, reason: LetterReason, why: &str| {
            written.lock().expect("no panic").push(format!("{} {} {why}", record.offset, reason.code()));
            Ok(())
        });
        let webhook = Webhook::new(url, &settings, wall_clock()).expect("a webhook");
        let form = RequestForm { format, application: "shop".to_owned() };
        let courier = Courier::new(webhook, form, write, give_up_after, Arc::clone(&monitor));
        Bench { courier, letters, monitor, secret }
    }

    fn deliver(&self, records: &[SubscribedRecord]) -> Delivered {
        let (_stop, stopped) = LaneStop::new();
        self.courier.deliver(records, &stopped)
    }

    fn letters(&self) -> Vec<String> {
        self.letters.lock().expect("no panic").clone()
    }

    /// The value of a series.
    fn count(&self, series: &str) -> f64 {
        let text = self.monitor.metrics();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {series} in\n{text}")).parse().expect("a number")
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.secret);
    }
}

fn records(count: i64) -> Vec<SubscribedRecord> {
    (1..=count).map(|n| record(n, &format!("u-{}", n % 3))).collect()
}

fn seqs(received: &Received) -> Vec<i64> {
    received.changes().iter().map(|change| change["seq"].as_i64().expect("a number")).collect()
}

#[test]
fn a_batch_arrives_as_it_was_written_and_signed() {
    let receiver = Receiver::start(|_, _| OK);
    let bench = Bench::new("signed", &receiver.url(), None);
    assert_eq!(bench.deliver(&records(3)), Delivered::All);
    let [request] = &receiver.received()[..] else { panic!("one request") };
    assert!(request.is_signed_with(&KEY), "{request:?}");
    assert!(!request.is_signed_with(&[4; 32]));
    assert_eq!(request.header("content-type"), "application/json");
    let body = String::from_utf8(request.body.clone()).expect("UTF-8");
    let changes: Vec<String> = (1..=3).map(|n| change(n, &format!("u-{}", n % 3))).collect();
    let head = r#"{"type":"tagstream.tag_changes","timestamp":"2026-01-02T03:04:05.000Z","data":{"changes":["#;
    assert_eq!(body, format!("{head}{}]}}}}", changes.join(",")));
    assert_eq!(bench.count("tagstream_push_changes_total{outcome=\"accepted\"}"), 3.0);
}

#[test]
fn a_request_that_fails_is_sent_again_as_it_was() {
    let receiver = Receiver::start(|number, _| if number == 0 { Reply(500, "", "oh") } else { OK });
    let bench = Bench::new("again", &receiver.url(), None);
    assert_eq!(bench.deliver(&records(2)), Delivered::All);
    let [first, second] = &receiver.received()[..] else { panic!("two requests") };
    assert_eq!((&first.body, first.header("webhook-id")), (&second.body, second.header("webhook-id")));
    assert!(second.is_signed_with(&KEY));
    assert!(bench.letters().is_empty());
    assert_eq!(bench.count("tagstream_push_requests_total{outcome=\"postponed\"}"), 1.0);
    assert_eq!(bench.count("tagstream_push_requests_total{outcome=\"accepted\"}"), 1.0);
}

#[test]
fn other_changes_have_another_id() {
    let receiver = Receiver::start(|_, _| OK);
    let bench = Bench::new("ids", &receiver.url(), None);
    for batch in [records(2), records(1), records(2)] {
        bench.deliver(&batch);
    }
    let ids: Vec<String> = receiver.received().iter().map(|request| request.header("webhook-id").to_owned()).collect();
    assert!(ids[0].starts_with("msg_") && !ids[0].contains('.'), "{ids:?}");
    assert!(ids[0] != ids[1] && ids[0] == ids[2], "{ids:?}");
}

#[test]
fn the_receivers_pause_is_kept() {
    let receiver =
        Receiver::start(|number, _| if number == 0 { Reply(429, "Retry-After: 2\r\n", "slow down") } else { OK });
    let bench = Bench::new("pause", &receiver.url(), None);
    assert_eq!(bench.deliver(&records(1)), Delivered::All);
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert!(received[1].at - received[0].at >= Duration::from_secs(2));
}

#[test]
fn a_refused_change_is_found_and_the_others_arrive_in_order() {
    let receiver = Receiver::start(|_, request| {
        let is_bad = seqs(request).iter().any(|seq| [3, 8].contains(seq));
        if is_bad { Reply(400, "", "no such user") } else { OK }
    });
    let bench = Bench::new("halves", &receiver.url(), None);
    assert_eq!(bench.deliver(&records(10)), Delivered::All);
    let arrived: Vec<i64> = receiver.received().iter().filter(|request| request.status == 200).flat_map(seqs).collect();
    assert_eq!(arrived, [1, 2, 4, 5, 6, 7, 9, 10]);
    let detail = "refused the receiver answers 400: no such user";
    assert_eq!(bench.letters(), [format!("3 {detail}"), format!("8 {detail}")]);
    assert_eq!(bench.count("tagstream_push_changes_total{outcome=\"refused\"}"), 2.0);
    assert_eq!(bench.count("tagstream_push_changes_total{outcome=\"accepted\"}"), 8.0);
}

#[test]
fn what_is_not_a_change_is_a_dead_letter() {
    let receiver = Receiver::start(|_, _| OK);
    let bench = Bench::new("foreign", &receiver.url(), None);
    let mut batch = records(3);
    batch.insert(1, SubscribedRecord::new(0, 77, "u", "{\"key\":1}"));
    batch.push(SubscribedRecord::new(0, 78, "u", ""));
    assert_eq!(bench.deliver(&batch), Delivered::All);
    let why = "not_a_change the record is not a tag change";
    assert_eq!(bench.letters(), [format!("77 {why}"), format!("78 {why}")]);
    assert_eq!(receiver.received().iter().flat_map(seqs).collect::<Vec<i64>>(), [1, 2, 3]);
}

#[test]
fn among_refused_changes_each_dead_letter_is_written_once() {
    let receiver = Receiver::start(|_, request| if seqs(request).contains(&2) { Reply(400, "", "no") } else { OK });
    let bench = Bench::new("once", &receiver.url(), None);
    let mut batch = records(4);
    batch.insert(2, SubscribedRecord::new(0, 77, "u", "{}"));
    assert_eq!(bench.deliver(&batch), Delivered::All);
    let mut letters = bench.letters();
    letters.sort();
    assert_eq!(letters, ["2 refused the receiver answers 400: no", "77 not_a_change the record is not a tag change"]);
    let taken: Vec<i64> = receiver.received().iter().filter(|request| request.status == 200).flat_map(seqs).collect();
    assert_eq!(taken, [1, 3, 4]);
}

#[test]
fn a_batch_that_is_never_taken_is_given_up_where_the_settings_say_so() {
    let receiver = Receiver::start(|_, _| Reply(503, "", ""));
    let bench = Bench::new("given-up", &receiver.url(), Some(Duration::from_secs(1)));
    assert_eq!(bench.deliver(&records(2)), Delivered::All);
    assert!(receiver.received().len() >= 2, "it was tried once only");
    let why = "given_up the receiver answers 503";
    assert_eq!(bench.letters(), [format!("1 {why}"), format!("2 {why}")]);
}

#[test]
fn a_wrong_secret_holds_the_changes_until_it_is_set_right() {
    static IS_RIGHT: AtomicBool = AtomicBool::new(false);
    let receiver = Receiver::start(|_, request| if request.is_signed_with(&[9; 32]) { OK } else { Reply(401, "", "") });
    let bench = Bench::new("secret", &receiver.url(), None);
    thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(bench.deliver(&records(4)), Delivered::All);
            IS_RIGHT.store(true, Ordering::Relaxed);
        });
        while receiver.received().is_empty() {
            thread::sleep(Duration::from_millis(10));
        }
        assert!(!IS_RIGHT.load(Ordering::Relaxed));
        fs::write(&bench.secret, format!("whsec_{}\n", base64(&[9; 32]))).expect("a file");
    });
    assert!(bench.letters().is_empty());
    assert_eq!(receiver.accepted().len(), 4);
}

#[test]
fn a_stop_ends_a_pause_and_nothing_is_done_with() {
    let receiver = Receiver::start(|_, _| Reply(503, "Retry-After: 600\r\n", ""));
    let bench = Bench::new("stop", &receiver.url(), None);
    let (stop, stopped) = LaneStop::new();
    let began = Instant::now();
    thread::scope(|scope| {
        let courier = &bench.courier;
        let delivering = scope.spawn(move || courier.deliver(&records(1), &stopped));
        while receiver.received().is_empty() {
            thread::sleep(Duration::from_millis(10));
        }
        drop(stop);
        assert_eq!(delivering.join().expect("no panic"), Delivered::Stopped);
    });
    assert!(began.elapsed() < Duration::from_secs(300), "the pause went on");
    assert!(bench.letters().is_empty());
}

#[test]
fn large_changes_are_several_requests() {
    let receiver = Receiver::start(|_, _| OK);
    let bench = Bench::new("large", &receiver.url(), None);
    let large = |n: i64| {
        let text =
            change(n, "u").replace("\"because\":{}", &format!("\"because\":{{\"why\":\"{}\"}}", "x".repeat(150_000)));
        SubscribedRecord::new(0, n, "u", text)
    };
    assert_eq!(bench.deliver(&(1..=5).map(large).collect::<Vec<_>>()), Delivered::All);
    let received = receiver.received();
    assert_eq!(received.iter().map(seqs).collect::<Vec<_>>(), [vec![1, 2], vec![3, 4], vec![5]]);
}

/// The changes in a request of this format, as our objects.
fn objects(format: ChangeFormat, body: &Value) -> Vec<Value> {
    match format {
        ChangeFormat::Tagstream => body["data"]["changes"].as_array().expect("a list").clone(),
        ChangeFormat::CloudEvents => {
            body.as_array().expect("a list").iter().map(|event| event["data"].clone()).collect()
        }
        ChangeFormat::Segment => {
            let calls = body["batch"].as_array().expect("a list").iter();
            calls.map(|call| call["context"]["tagstream"].clone()).collect()
        }
    }
}

/// The topic may have each of the formats, as may the requests.
#[test]
fn each_format_of_the_topic_is_posted_in_each_format() {
    for (format, content_type) in [
        (ChangeFormat::Tagstream, "application/json"),
        (ChangeFormat::CloudEvents, "application/cloudevents-batch+json"),
        (ChangeFormat::Segment, "application/json"),
    ] {
        let receiver = Receiver::start(|_, _| OK);
        let bench = Bench::in_format(format, &format!("format-{}", format.name()), &receiver.url(), None);
        let written = |(n, of): (i64, ChangeFormat)| {
            let mut value = Vec::new();
            of.write(change(n, "u").as_bytes(), "other", &mut value);
            SubscribedRecord::new(0, n, "u", value)
        };
        let records: Vec<SubscribedRecord> = (1..).zip(ChangeFormat::ALL).map(written).collect();
        assert_eq!(bench.deliver(&records), Delivered::All);
        let [request] = &receiver.received()[..] else { panic!("one request") };
        assert_eq!(request.header("content-type"), content_type);
        let wanted: Vec<Value> = (1..=3).map(|n| serde_json::from_str(&change(n, "u")).expect("JSON")).collect();
        assert_eq!(objects(format, &request.json()), wanted, "{}", format.name());
        assert!(request.is_signed_with(&KEY) && bench.letters().is_empty());
    }
}
