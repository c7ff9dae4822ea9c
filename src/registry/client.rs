//! The registry's HTTP API, as Confluent documents it: a schema by its id or GUID, with the schemas that it refers to.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use ureq::Agent;

use super::authorization::authorization;
use super::https_agent::{Redirects, https_agent};
use super::registry_error::RegistryError;
use super::request_failure::TrustSettings;
use super::schema::{PayloadSchema, Referred};
use crate::codec::SchemaKey;
use crate::settings::SchemaRegistrySettings;

/// For one request, with everything that belongs to it.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);
/// Longer than any schema.
const ANSWER_BYTES_MAX: u64 = 16 << 20;
/// How many schemas a schema may refer to, directly or not.
const REFERENCES_MAX: usize = 1_000;
/// Where schemas are by their ids, and by their GUIDs.
const IDS: &str = "/schemas/ids/";
const GUIDS: &str = "/schemas/guids/";
const NOT_FOUND: u16 = 404;
/// The error code of an id that the registry does not have.
const NO_SUCH_SCHEMA: u64 = 40_403;

/// What is known of a schema.
pub(super) enum FetchedSchema {
    Schema(PayloadSchema),
    /// The registry says that there is no schema with this id or GUID.
    Unknown,
    /// There is one that cannot be used, for this reason.
    Unusable(String),
}

pub(super) struct RegistryClient {
    agent: Agent,
    /// The one that has answered last comes first.
    urls: Vec<String>,
    credentials: Option<PathBuf>,
    ca: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SchemaAnswer {
    schema: String,
    schema_type: Option<String>,
    #[serde(default)]
    references: Vec<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    name: String,
    subject: String,
    version: i64,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error_code: u64,
}

/// An answer of the registry.
enum Answer {
    Found(SchemaAnswer),
    Unknown,
}

impl RegistryClient {
    /// # Errors
    /// The file of the certificates cannot be read.
    pub(super) fn new(settings: &SchemaRegistrySettings) -> Result<Self, RegistryError> {
        let ca = settings.ca.as_deref();
        let agent = https_agent(settings.urls.iter(), ca, ANSWER_PATIENCE, Redirects::Follow)?;
        let (urls, credentials) = (settings.urls.clone(), settings.credentials.clone());
        Ok(RegistryClient { agent, urls, credentials, ca: settings.ca.clone() })
    }

    /// Requests a schema.
    ///
    /// # Errors
    /// No registry has answered, or none with an answer that says whether there is such a schema.
    pub(super) fn fetch(&mut self, key: SchemaKey) -> Result<FetchedSchema, String> {
        let answer = match self.request(&path(key))? {
            Answer::Found(answer) => answer,
            Answer::Unknown => return Ok(FetchedSchema::Unknown),
        };
        let schema_type = answer.schema_type.as_deref().unwrap_or("AVRO");
        let mut references = Vec::new();
        if schema_type != "JSON" {
            let mut seen = HashSet::new();
            if let Err(why) = self.collect(&answer.references, &mut seen, &mut references)? {
                return Ok(FetchedSchema::Unusable(why));
            }
        }
        Ok(match PayloadSchema::parse(schema_type, &answer.schema, &references) {
            Ok(schema) => FetchedSchema::Schema(schema),
            Err(why) => FetchedSchema::Unusable(why),
        })
    }

    /// Requests the schemas that a schema refers to, each behind those that it refers to itself. The inner error: there is
    /// one that the registry does not have, or there are too many.
    fn collect(
        &mut self,
        references: &[Reference],
        seen: &mut HashSet<(String, i64)>,
        referred: &mut Vec<Referred>,
    ) -> Result<Result<(), String>, String> {
        for Reference { name, subject, version } in references {
            if !seen.insert((subject.clone(), *version)) {
                continue;
            }
            if seen.len() > REFERENCES_MAX {
                return Ok(Err(format!("it refers to more than {REFERENCES_MAX} schemas")));
            }
            let path = format!("/subjects/{}/versions/{version}", escaped(subject));
            let Answer::Found(answer) = self.request(&path)? else {
                return Ok(Err(format!(
                    "the registry does not have version {version} of {subject}, to which it refers"
                )));
            };
            if let Err(why) = self.collect(&answer.references, seen, referred)? {
                return Ok(Err(why));
            }
            referred.push(Referred { name: name.clone(), text: answer.schema });
        }
        Ok(Ok(()))
    }

    /// Asks one registry after the other.
    fn request(&mut self, path: &str) -> Result<Answer, String> {
        let authorization = self.credentials.as_deref().map(authorization).transpose()?;
        let mut failures = Vec::new();
        for index in 0..self.urls.len() {
            match self.request_at(&self.urls[index], path, authorization.as_deref()) {
                Ok(answer) => {
                    self.urls.swap(0, index);
                    return Ok(answer);
                }
                Err(why) => failures.push(format!("{}: {why}", self.urls[index])),
            }
        }
        Err(failures.join("; "))
    }

    fn request_at(&self, url: &str, path: &str, authorization: Option<&str>) -> Result<Answer, String> {
        let accepted = "application/vnd.schemaregistry.v1+json, application/json";
        let mut request = self.agent.get(format!("{url}{path}")).header("Accept", accepted);
        if let Some(authorization) = authorization {
            request = request.header("Authorization", authorization);
        }
        let trust = TrustSettings { section: "schema_registry", ca: self.ca.as_deref() };
        let mut response = request.call().map_err(|error| trust.words(&error))?;
        let status = response.status();
        let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let body = body.map_err(|error| error.to_string())?;
        if status.is_success() {
            return serde_json::from_slice(&body).map(Answer::Found).map_err(|error| format!("its answer: {error}"));
        }
        // A proxy, or a wrong path, answers 404 as well: only the registry's own error code tells that there is none.
        let code = serde_json::from_slice::<ErrorAnswer>(&body).map(|answer| answer.error_code);
        match (status.as_u16(), code) {
            (NOT_FOUND, Ok(NO_SUCH_SCHEMA | 40_401 | 40_402)) => Ok(Answer::Unknown),
            (NOT_FOUND, _) if path.starts_with(GUIDS) => Err(format!(
                "it answers {status}: a registry that does not know GUIDs answers so (Confluent's knows them from 8.0 on)"
            )),
            _ => Err(format!("it answers {status}")),
        }
    }
}

/// Where the registry has a schema.
fn path(key: SchemaKey) -> String {
    let folder = match key {
        SchemaKey::Id(_) => IDS,
        SchemaKey::Guid(_) => GUIDS,
    };
    format!("{folder}{}", key.text())
}

/// A part of a path, in which everything but letters, digits and `-._~` is escaped.
fn escaped(part: &str) -> String {
    let mut text = String::new();
    for byte in part.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}
