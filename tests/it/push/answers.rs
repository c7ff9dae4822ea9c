//! What an answer means, and the pauses before the next request.

use std::time::Duration;

use tagstream::model::Timestamp;
use tagstream::push::{Answer, Backoff, answer_of};

fn answered(status: u16, retry_after: Option<&str>) -> String {
    let now = Timestamp::parse("2026-11-30T12:00:00Z").expect("a time");
    match answer_of(status, retry_after, "words", now) {
        Answer::Accepted => "accepted".to_owned(),
        Answer::Refused { status, words } => format!("refused {status} {words}"),
        Answer::Postponed { pause: None, .. } => "postponed".to_owned(),
        Answer::Postponed { pause: Some(pause), .. } => format!("postponed {pause:?}"),
    }
}

#[test]
fn each_status_has_its_meaning() {
    let cases = [
        (200, None, "accepted"),
        (204, None, "accepted"),
        (202, Some("9"), "accepted"),
        (400, None, "refused 400 words"),
        (409, None, "refused 409 words"),
        (413, None, "refused 413 words"),
        (422, Some("3"), "refused 422 words"),
        (408, None, "postponed"),
        (429, Some("7"), "postponed 7s"),
        (429, Some(" 100000 "), "postponed 3600s"),
        (503, Some("Mon, 30 Nov 2026 12:00:30 GMT"), "postponed 30s"),
        (503, Some("Mon, 30 Nov 2026 11:00:00 GMT"), "postponed 0ns"),
        (503, Some("soon"), "postponed"),
        (500, None, "postponed"),
        (599, None, "postponed"),
        // They speak of the address or the sender, and would come for every change.
        (401, None, "postponed"),
        (403, None, "postponed"),
        (404, None, "postponed"),
        (405, None, "postponed"),
        (407, None, "postponed"),
        (410, None, "postponed"),
        (301, None, "postponed"),
    ];
    for (status, retry_after, wanted) in cases {
        assert_eq!(answered(status, retry_after), wanted, "{status} {retry_after:?}");
    }
}

#[test]
fn pauses_double_up_to_a_minute_and_have_a_random_part() {
    let mut seen = Vec::new();
    for seed in 0..50 {
        let mut backoff = Backoff::new(fastrand::Rng::with_seed(seed));
        for step in 0..12 {
            let longest = (500_u64 << step).min(60_000);
            let pause = backoff.pause(None).as_millis() as u64;
            assert!((longest / 2..=longest).contains(&pause), "seed {seed}, step {step}: {pause} ms");
            seen.push((step, pause));
        }
    }
    let firsts: std::collections::BTreeSet<u64> =
        seen.iter().filter(|(step, _)| *step == 0).map(|(_, ms)| *ms).collect();
    assert!(firsts.len() > 10, "partitions come all at once: {firsts:?}");
}

#[test]
fn a_pause_is_never_shorter_than_the_receiver_asks_for() {
    let mut backoff = Backoff::default();
    assert_eq!(backoff.pause(Some(Duration::from_secs(90))), Duration::from_secs(90));
    assert!(backoff.pause(Some(Duration::ZERO)) >= Duration::from_millis(500));
}
