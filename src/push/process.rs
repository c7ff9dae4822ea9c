//! The process `tagstream push`: what must be there at the start, the pages, and signals that stop it.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};

use super::courier::{Courier, LetterReason, WriteLetter};
use super::monitor::PushMonitor;
use super::pusher::Pusher;
use super::request::RequestForm;
use super::webhook::{Webhook, WebhookError};
use crate::http::{HttpError, Server};
use crate::kafka::{
    ClientError, Clock, EventListener, LetterSender, MissingTopicsError, StopSignal, SubscribedRecord, missing_topics,
};
use crate::settings::Settings;
use crate::telemetry::{Log, Severity};

/// How often it is looked whether the process was stopped.
const LOOK: Duration = Duration::from_millis(50);
const ASK_PATIENCE: Duration = Duration::from_secs(5);
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What the process is given from outside.
#[derive(Clone)]
pub struct PushContext {
    /// Hears what the clients of Kafka report.
    pub listener: EventListener,
    /// Stops the process, as a signal does.
    pub stop: StopSignal,
    pub clock: Clock,
}

/// Why the process has ended, if not by a signal.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    #[error("cannot listen to signals: {0}")]
    Signals(io::Error),
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    #[error("push.url: missing; give it the address of a receiver, such as https://hooks.example.com/tags")]
    NoUrl,
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(
        "there is no topic {0}, or this user may not see it: create it with `tagstream topics create` under the same \
         settings, or check output.changes and push.group"
    )]
    NoTopic(String),
    #[error("the thread that pushes has panicked: this is a bug in tagstream")]
    Panicked,
}

impl PushError {
    /// Whether the operator has to change the settings.
    pub fn is_configuration(&self) -> bool {
        !matches!(self, PushError::Signals(_) | PushError::Thread(_) | PushError::Panicked)
    }
}

/// Runs until a signal stops it. A second signal ends it at once: what was posted and not committed is posted again.
///
/// # Errors
/// Why it ended, if not by a signal.
pub fn run(settings: Settings, context: &PushContext) -> Result<(), PushError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(PushError::Signals)?;
    runtime.block_on(async {
        let listen_to = |kind| signal(kind).map_err(PushError::Signals);
        let (mut interrupt, mut terminate) = (listen_to(SignalKind::interrupt())?, listen_to(SignalKind::terminate())?);
        let settings = Arc::new(settings);
        let url = settings.push.url.clone().ok_or(PushError::NoUrl)?;
        let monitor = Arc::new(PushMonitor::new());
        let webhook = Webhook::new(&url, &settings.push, context.clock.clone())?;
        let form = RequestForm { format: settings.push.format, application: settings.kafka.application.clone() };
        let letters = LetterSender::new(&settings, settings.push_dead_letter_topic(), Arc::clone(&context.listener))?;
        let write_letter: Arc<WriteLetter> =
            Arc::new(move |record: &SubscribedRecord, reason: LetterReason, why: &str| {
                letters.send(record, reason.code(), why)
            });
        let courier = Courier::new(webhook, form, write_letter, settings.push.give_up_after, Arc::clone(&monitor));
        let probes: Arc<PushMonitor> = Arc::clone(&monitor);
        let server =
            settings.push.listen.map(|listen| Server::start_probes("push.listen", listen, probes)).transpose()?;
        if let Some(server) = &server {
            tracing::info!("metrics and probes at http://{}", server.address());
        }
        let (listener, stop) = (Arc::clone(&context.listener), context.stop.clone());
        let pusher = Pusher { settings, courier, monitor, listener, stop };
        let work = thread::Builder::new().name("push".to_owned());
        let work = work.spawn(move || pusher.check_topics().map(|()| pusher.run())).map_err(PushError::Thread)?;
        while !work.is_finished() {
            tokio::select! {
                _ = interrupt.recv() => if stop_again(&context.stop) { return Ok(()) },
                _ = terminate.recv() => if stop_again(&context.stop) { return Ok(()) },
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        work.join().unwrap_or(Err(PushError::Panicked))
    })
}

/// Gives the signal to stop; whether it was given before.
fn stop_again(stop: &StopSignal) -> bool {
    let is_second = stop.is_given();
    stop.give();
    is_second
}

impl Pusher {
    /// Waits until the brokers answer, and checks that the topics exist.
    fn check_topics(&self) -> Result<(), PushError> {
        let log = Log::default();
        let topics = [self.settings.output.changes.clone(), self.settings.push_dead_letter_topic()];
        while !self.stop.is_given() {
            self.monitor.note_round();
            match missing_topics(&self.settings, &topics, Arc::clone(&self.listener), ASK_PATIENCE) {
                Ok(missing) => {
                    return missing.into_iter().next().map_or(Ok(()), |topic| Err(PushError::NoTopic(topic)));
                }
                Err(MissingTopicsError::Client(error)) => return Err(error.into()),
                Err(error @ MissingTopicsError::Unreachable { .. }) => {
                    log.write(Severity::Warn, Some("topics".to_owned()), &error);
                }
            }
            let until = Instant::now() + ASK_AGAIN_AFTER;
            while Instant::now() < until && !self.stop.is_given() {
                thread::sleep(LOOK);
            }
        }
        Ok(())
    }
}
