//! The receiver: posts one request to it, signed.

use std::io::Read;
use std::path::PathBuf;

use ureq::Agent;

use super::answer::{Answer, answer_of};
use super::request::PushRequest;
use super::signature::{SecretError, SigningSecrets};
use crate::kafka::Clock;
use crate::registry::{Redirects, TrustError, TrustSettings, authorization, https_agent};
use crate::settings::{PushSettings, Signing};

/// How much of an answer is read; its beginning is quoted in the log and in dead letters.
const WORDS_MAX: usize = 300;
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// Why requests cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error("push.ca: {0}")]
    Trust(#[from] TrustError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("push.credentials: {0}")]
    Credentials(String),
}

/// An address that takes tag changes.
pub struct Webhook {
    agent: Agent,
    url: String,
    secret: Option<PathBuf>,
    credentials: Option<PathBuf>,
    ca: Option<PathBuf>,
    clock: Clock,
}

impl Webhook {
    /// # Errors
    /// The certificates, the secrets or the credentials cannot be read.
    pub fn new(url: &str, settings: &PushSettings, clock: Clock) -> Result<Self, WebhookError> {
        let url = url.to_owned();
        let agent = https_agent([&url].into_iter(), settings.ca.as_deref(), settings.timeout, Redirects::Return)?;
        let secret = match &settings.signing {
            Signing::With(path) => Some(path.clone()),
            Signing::Off | Signing::Undecided => None,
        };
        let (credentials, ca) = (settings.credentials.clone(), settings.ca.clone());
        let webhook = Webhook { agent, url, secret, credentials, ca, clock };
        webhook.secrets()?;
        webhook.authorization()?;
        Ok(webhook)
    }

    /// Posts a request once. Secrets and credentials are read anew: they may be replaced while the process runs.
    pub fn post(&self, request: &PushRequest) -> Answer {
        match self.prepare(request) {
            Ok(prepared) => self.send(prepared, request),
            Err(error) => Answer::Postponed { why: error.to_string(), pause: None },
        }
    }

    fn prepare(&self, request: &PushRequest) -> Result<ureq::RequestBuilder<ureq::typestate::WithBody>, WebhookError> {
        let timestamp_s = self.clock.now().ms().div_euclid(1_000);
        let mut prepared = self.agent.post(&self.url);
        prepared = prepared.header("content-type", request.content_type).header("webhook-id", &request.id);
        prepared = prepared.header("webhook-timestamp", timestamp_s.to_string());
        if let Some(secrets) = self.secrets()? {
            let signature = secrets.header(&request.id, timestamp_s, &request.body);
            prepared = prepared.header("webhook-signature", signature);
        }
        if let Some(authorization) = self.authorization()? {
            prepared = prepared.header("authorization", authorization);
        }
        Ok(prepared)
    }

    fn send(&self, prepared: ureq::RequestBuilder<ureq::typestate::WithBody>, request: &PushRequest) -> Answer {
        let mut response = match prepared.send(&request.body[..]) {
            Ok(response) => response,
            Err(error) => {
                let words = TrustSettings { section: "push", ca: self.ca.as_deref() }.words(&error);
                return Answer::Postponed { why: format!("no answer of the receiver: {words}"), pause: None };
            }
        };
        let status = response.status().as_u16();
        let retry_after =
            response.headers().get("retry-after").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut words = Vec::new();
        // The status is the answer; what comes behind it may break off.
        let _ = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).reader().read_to_end(&mut words);
        let words: String = String::from_utf8_lossy(&words).chars().take(WORDS_MAX).collect();
        let words = words.replace(char::is_control, " ");
        answer_of(status, retry_after.as_deref(), &words, self.clock.now())
    }

    fn secrets(&self) -> Result<Option<SigningSecrets>, SecretError> {
        self.secret.as_deref().map(SigningSecrets::read).transpose()
    }

    fn authorization(&self) -> Result<Option<String>, WebhookError> {
        self.credentials.as_deref().map(authorization).transpose().map_err(WebhookError::Credentials)
    }
}
