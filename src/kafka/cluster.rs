//! Before anything runs: the brokers answer, and every topic that is needed is there.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaRespErr;

use super::clients::{self, ClientError, Plain};
use super::notice::{Notice, Notices};
use super::worker::StopSignal;
use crate::settings::Settings;

const ANSWER_PATIENCE: Duration = Duration::from_secs(5);
const RETRY_MIN: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(10);
/// Brokers hear of a new topic one after the other: one that is missing is looked for again so often.
const LOOKS_FOR_TOPICS: u32 = 4;

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{}", missing(topics, input))]
    TopicsMissing { topics: Vec<String>, input: String },
    #[error("told to stop before the brokers answered")]
    Stopped,
}

fn missing(topics: &[String], input: &str) -> String {
    let (noun, verb) = if topics.len() == 1 { ("topic", "does") } else { ("topics", "do") };
    let mut text = format!("the {noun} {} {verb} not exist; create with: tagstream topics create", topics.join(", "));
    if topics.iter().any(|topic| topic == input) {
        text += &format!(" --input-partitions N  ({input} is the input, which is usually there before)");
    }
    text
}

/// Waits until the brokers answer, for as long as it takes, and looks at the topics.
///
/// # Errors
/// A topic is missing, or somebody has lost patience.
pub fn await_cluster(settings: &Settings, notices: &Notices, stop: &StopSignal) -> Result<(), ClusterError> {
    let client = clients::inquirer(settings, notices.clone())?;
    let input = settings.input.topic.clone();
    let partitions = loop_until_answer(settings, notices, stop, &client)?;
    let mut wanted = vec![settings.output.changes.clone(), settings.dead_letter_topic(), settings.changelog_topic()];
    wanted.extend(settings.output.tags.clone());
    let mut topics: Vec<String> = Vec::new();
    if partitions.is_none() {
        topics.push(input.clone());
    }
    for topic in wanted {
        let mut looks = 0;
        while !stop.is_given() {
            match look(&client, &topic) {
                Ok(Some(_)) => break,
                Ok(None) if looks < LOOKS_FOR_TOPICS => looks += 1,
                Ok(None) => {
                    topics.push(topic);
                    break;
                }
                // The brokers have gone away again.
                Err(error) => tell(settings, notices, &error, RETRY_MIN),
            }
            rest(&client, stop, RETRY_MIN / 2);
        }
    }
    if stop.is_given() {
        return Err(ClusterError::Stopped);
    }
    match partitions {
        Some(partitions) if topics.is_empty() => {
            notices(Notice::Reached { input, partitions });
            Ok(())
        }
        _ => Err(ClusterError::TopicsMissing { topics, input }),
    }
}

/// Asks for the input until a broker answers: its number of partitions, or `None` where there is no such topic.
fn loop_until_answer(
    settings: &Settings,
    notices: &Notices,
    stop: &StopSignal,
    client: &BaseConsumer<Plain>,
) -> Result<Option<usize>, ClusterError> {
    let mut retry_in = RETRY_MIN;
    let mut looks = 0;
    while !stop.is_given() {
        match look(client, &settings.input.topic) {
            Ok(None) if looks < LOOKS_FOR_TOPICS => {
                looks += 1;
                rest(client, stop, RETRY_MIN / 2);
            }
            Ok(partitions) => return Ok(partitions),
            Err(error) => {
                tell(settings, notices, &error, retry_in);
                rest(client, stop, retry_in);
                retry_in = (retry_in * 2).min(RETRY_MAX);
            }
        }
    }
    Err(ClusterError::Stopped)
}

/// The number of partitions of a topic, if it exists.
fn look(client: &BaseConsumer<Plain>, topic: &str) -> Result<Option<usize>, KafkaError> {
    // Errors that were reported meanwhile, such as a wrong password, are passed on by the callbacks.
    let _ = client.poll(Duration::ZERO);
    let metadata = client.fetch_metadata(Some(topic), ANSWER_PATIENCE)?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    Ok(match found {
        Some(found) if found.error() == Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) => None,
        Some(found) => Some(found.partitions().len()),
        None => None,
    })
}

fn tell(settings: &Settings, notices: &Notices, error: &KafkaError, retry_in: Duration) {
    let why = error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string());
    notices(Notice::Unreachable { brokers: settings.kafka.brokers.clone(), why, retry_in });
}

/// Sleeps, but not through a stop; and lets the client speak meanwhile.
fn rest(client: &BaseConsumer<Plain>, stop: &StopSignal, time: Duration) {
    const STEP: Duration = Duration::from_millis(100);
    let mut left = time;
    while !left.is_zero() && !stop.is_given() {
        let step = left.min(STEP);
        if let Some(Err(error)) = client.poll(step) {
            // Polling came back early: the error is told by the library's own line.
            drop(error);
            std::thread::sleep(step);
        }
        left -= step;
    }
}
